"""`codex proposals`: what waits for review."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from codex_kb.disk.promising import ordered
from codex_kb.kb import KnowledgeBase
from codex_kb.propose.drafts import ranked
from codex_kb.records import Packet
from codex_kb.review.waiting import select


def proposals(kb: KnowledgeBase, sources: Sequence[str] = ()) -> list[Packet]:
    """The packets that wait, of these sources (path, packet or name) or all; the proposals of each best first.

    Of all, those come first whose source is least likely to give nothing.

    Raises:
        NotFound: nothing waits for a named source.
    """
    found = select(kb.store.packets(), sources, kb.layout.relative)
    found = found if sources else ordered(kb.store, found)
    return [dataclasses.replace(each, proposals=tuple(ranked(each.proposals))) for each in found]


def set_aside(kb: KnowledgeBase, sources: Sequence[str] = ()) -> list[Packet]:
    """What was set aside unread, a packet a source."""
    return [each for each in kb.store.all_aside()[0] if not sources or {each.source, each.name} & {*sources}]
