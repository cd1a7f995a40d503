"""What waits for a decision, over all sources, as a list to choose from: marks, domains, proposers, how long."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime

from codex_kb.disk.promising import ordered
from codex_kb.errors import CodexError
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import record_path
from codex_kb.records import Packet
from codex_kb.review import packet as packets
from codex_kb.review import reading
from codex_kb.review.blind import as_shown
from codex_kb.review.waiting import ids_of


@dataclass(frozen=True, slots=True)
class Waits:
    """A proposal, or the box of a source without one, in a line: as its packet has it now.

    `since` is when it was proposed, in seconds since 1970: as its packet says, else when that was written.
    """

    name: str
    id: str
    source: str
    title: str
    domain: str
    confidence: str
    relation: str
    proposer: str
    mark: str
    since: float


def queue(kb: KnowledgeBase) -> list[Waits]:
    """All that waits, in the order to decide it in; a packet whose text cannot be read is as it was written."""
    waiting = ordered(kb.store, kb.store.packets())
    return [each for packet in waiting for each in _of(kb, packet, _since(kb, packet))]


def _since(kb: KnowledgeBase, packet: Packet) -> float:
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(packet.proposed).timestamp()
    with contextlib.suppress(OSError):
        return kb.layout.path(record_path(packet.name)).stat().st_mtime
    return 0.0


def _of(kb: KnowledgeBase, packet: Packet, since: float) -> list[Waits]:
    text = None
    with contextlib.suppress(CodexError):
        text = kb.store.packet_text(packet)
    sections = {each.id: each for each in reading.parse(text).sections} if text else {}
    shown = {each.id: as_shown(each) for each in packet.proposals}
    rows = []
    for id_ in ids_of(packet):
        section, proposal = sections.get(id_), shown.get(id_)
        fields = section.fields if section else {}
        rows.append(Waits(
            packet.name, id_, packet.source,
            section.title if section else proposal.title if proposal else packets.box(packet),
            fields.get("domain", proposal.domain if proposal else ""),
            fields.get("confidence", proposal.confidence if proposal else ""),
            proposal.relation if proposal else "", packet.proposer, section.mark if section else "wait", since,
        ))  # fmt: skip
    return rows
