"""The step that all of ingest turns on: the bytes of one source to drafts. Who runs it, and where, it does not know."""

from __future__ import annotations

from dataclasses import dataclass

from codex_kb.disk.store import Store
from codex_kb.propose.team import Proposers
from codex_kb.records import Drafted, Source
from codex_kb.text import markdown_file


@dataclass(frozen=True, slots=True)
class Worked:
    """A source that was proposed from: its bytes, what it says, who proposed (`model`: with which), and what."""

    data: bytes
    source: Source
    proposer: str
    model: str
    drafted: Drafted


def draft(store: Store, proposers: Proposers, path: str, data: bytes, limit: int) -> Worked:
    """At most `limit` drafts from the bytes of the source at a path.

    Raises:
        RefusedFile: the bytes are no text.
        ServiceError: nothing could be proposed, and why.
        UsageError: its model is not there, or its key is missing.
    """
    source = store.as_source(markdown_file.parse(data, path), path)
    proposer = proposers.of(source)
    return Worked(data, source, proposer.name, proposer.model, proposer.propose(source, limit))
