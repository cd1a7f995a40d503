"""What a language model is told beside the source: the claims that are near, and what people decided before."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from codex_kb.learn.examples import teaches
from codex_kb.propose import prompts, telling
from codex_kb.propose.prompts import Example, Known
from codex_kb.records import Decision, Hit, Source
from codex_kb.review.standing import standing

if TYPE_CHECKING:
    from codex_kb.index.opened import ClaimIndex
    from codex_kb.kb import KnowledgeBase
    from codex_kb.ports import Vectors

_KNOWN = 8
_EXAMPLES = 8
_EXAMPLE_TOKENS = 800
#: So many of the latest decisions may serve as examples.
_LATEST = 2000
#: What is read of a part to find the claims near it, in characters: about what the encoder reads.
_GIST = 1200


class Background:
    """Looks things up for several threads, one at a time."""

    def __init__(self, kb: KnowledgeBase, claims: ClaimIndex | None, decisions: Sequence[Decision]) -> None:
        """Without `claims` none is known: it is for who does not look at any."""
        self._kb = kb
        self._claims = claims
        known = [each for each in standing(decisions).values() if teaches(each)]
        self._unforeseen = telling.unforeseen(known)
        self._decisions = _one_each(known)
        self._lock = threading.Lock()
        self._vectors: Vectors | None = None

    @property
    def claims(self) -> int:
        """How many claims there are."""
        return self._claims.claims if self._claims else 0

    def near(self, titles: Sequence[str], k: int) -> list[tuple[Hit, ...]]:
        """For each title the k nearest claims."""
        if not titles or self._claims is None:
            return [() for _ in titles]
        vectors = self.vectors(titles)
        with self._lock:
            return self._claims.nearest_titles(vectors, k)

    def vectors(self, titles: Sequence[str]) -> Vectors:
        """The titles' vectors, shape (titles, dimension)."""
        return self._kb.encoder.encode(list(titles))

    def known(self, text: str, k: int = _KNOWN) -> list[Known]:
        """The claims nearest to a text."""
        return self.cards(self.near([text[:_GIST]], k)[0])

    def cards(self, hits: Sequence[Hit]) -> list[Known]:
        """Hits with their descriptions, in the same order."""
        if self._claims is None:
            return []
        with self._lock:
            cards = self._claims.catalog.by_path([hit.path for hit in hits])
        return [Known(hit.path, hit.title, cards[hit.path].description) for hit in hits if hit.path in cards]

    def examples(self, source: Source) -> list[Example]:
        """Approved claims and rejected proposals near a source that tell most, half and half, within a budget."""
        if not self._decisions:
            return []
        with self._lock:
            if self._vectors is None:
                self._vectors = self._kb.encoder.encode([decision.title for decision in self._decisions])
        scores = self._vectors @ self._kb.encoder.query(f"{source.title}. {source.body[:_GIST]}")
        nearest = [self._decisions[row] for row in np.argsort(-scores, kind="stable")]
        return [
            Example(each.title, each.verdict, each.reason)
            for verdict in ("approved", "rejected")
            for each in telling.chosen([each for each in nearest if each.verdict == verdict], self._unforeseen,
                                       _EXAMPLES // 2, _EXAMPLE_TOKENS // 2, _tokens)
        ]  # fmt: skip


def _tokens(decision: Decision) -> int:
    return prompts.tokens(decision.title + decision.reason)


def _one_each(decisions: Sequence[Decision]) -> list[Decision]:
    """The latest decision about each title, and of these the latest."""
    last = {decision.title: decision for decision in decisions}
    return list(last.values())[-_LATEST:]
