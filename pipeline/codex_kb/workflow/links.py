"""What links a claim to others, both ways, and which claims depend on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codex_kb.apply import additions
from codex_kb.index import opened as indexes
from codex_kb.index.catalog import Card
from codex_kb.kb import KnowledgeBase


@dataclass(frozen=True, slots=True)
class Links:
    """The claims that a claim links to, and those that link to it; `depending` are those that depend on it."""

    to: tuple[Card, ...]
    linking: tuple[Card, ...]
    depending: tuple[Card, ...]


def links(kb: KnowledgeBase, path: str) -> Links:
    """The links of the claim at a path, each by path; none where there is no such claim."""
    into = additions.linking(kb, [path])
    found = indexes.load(kb, announce=False)
    try:
        own = [card.id for card in found.catalog.by_path([path]).values()]
        out = found.catalog.cards(sorted({row for _, row in found.catalog.links_from(own)} - {*own}))
        back = found.catalog.by_path([each for each in into if each != path])
    finally:
        found.close()
    depending = [card for card in back.values() if into[card.path]]
    return Links(_ordered([*out.values()]), _ordered([c for c in back.values() if not into[c.path]]),
                 _ordered(depending))  # fmt: skip


def _ordered(cards: Sequence[Card]) -> tuple[Card, ...]:
    return tuple(sorted(cards, key=lambda card: card.path))
