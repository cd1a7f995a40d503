"""What was proposed from several sources, written and committed as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codex_kb.acts import Act, message, perform
from codex_kb.errors import CodexError, Conflict, RefusedFile
from codex_kb.kb import KnowledgeBase
from codex_kb.records import Packet
from codex_kb.text.marks import counted


@dataclass(frozen=True, slots=True)
class Part:
    """What was proposed from one source, and the act that has it wait."""

    written: Packet
    act: Act


def write(kb: KnowledgeBase, parts: Sequence[Part]) -> dict[str, CodexError]:
    """Write parts of one branch as one act; where that is refused, each by itself. What is refused, by its source.

    Raises:
        WriteFailed: the file system refused; nothing was written.
        GitError: git refused; the files stand.
    """
    if not parts:
        return {}
    try:
        perform(kb, parts[0].act if len(parts) == 1 else _together(kb, parts))
    except (Conflict, RefusedFile) as error:
        if len(parts) == 1:
            return {parts[0].written.source: error}
        refused: dict[str, CodexError] = {}
        for part in parts:
            refused |= write(kb, [part])
        return refused
    return {}


def _together(kb: KnowledgeBase, parts: Sequence[Part]) -> Act:
    """One act of several, whose message lists what each of them is."""
    packets = [part.written for part in parts]
    proposers = ", ".join(dict.fromkeys(packet.proposer for packet in packets))
    claims = counted(sum(len(packet.proposals) for packet in packets), "claim")
    sources = counted(len(packets), "source")
    rows = "\n".join(f"- {packet.source}: {counted(len(packet.proposals), 'claim')}" for packet in packets)
    text = message(
        kb.settings.git,
        f"{proposers}: propose {claims} from {sources}",
        f"What: {claims} proposed from {sources}.\nWhy: the sources were unprocessed; the proposals wait in their "
        f"packets.\n\n{rows}",
        {"Proposed-by": proposers, "Generation": str(packets[0].generation)},
    )
    changes = tuple(change for part in parts for change in part.act.changes)
    clean = tuple(path for part in parts for path in part.act.clean)
    return Act(changes, text, parts[0].act.branch, clean)
