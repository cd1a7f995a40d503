"""`codex related`: the claims that a claim should link to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from codex_kb.index import likeness, postings, vectors
from codex_kb.index.catalog import Card
from codex_kb.index.current import Current
from codex_kb.index.likeness import Likeness
from codex_kb.index.names import find_claim
from codex_kb.text import wikilinks
from codex_kb.text.words import terms

if TYPE_CHECKING:
    from codex_kb.index.opened import ClaimIndex
    from codex_kb.kb import KnowledgeBase

Key = TypeVar("Key", bound=Hashable)


class Suggested(NamedTuple):
    """A claim to link to, with the parts of its score."""

    card: Card
    score: Likeness


class Relations:
    """Answers what claims of one knowledge base should link to, for as long as it is kept."""

    def __init__(self, kb: KnowledgeBase) -> None:
        """Nothing is opened before the first question."""
        self.kb = kb
        self._current = Current(kb, every_file=True)

    @property
    def index(self) -> ClaimIndex:
        """The index that the last question was answered from."""
        return self._current.index

    def find(self, named: str) -> str:
        """The path of a claim named by path, stem or title. Raises NotFound."""
        return find_claim(self.kb, self.index.catalog, named)

    def related(self, path: str, k: int) -> list[Suggested]:
        """The k claims that a claim should link to, best first, never itself; the claims are those of this moment.

        Raises:
            NotFound: there is no such claim.
        """
        return self._current.answer(
            lambda: self._related(path, k), lambda found: (self.find(path), *(each.card.path for each in found))
        )

    def close(self) -> None:
        """Let go of the index; the next question opens it anew."""
        self._current.close()

    def _related(self, path: str, k: int) -> list[Suggested]:
        index = self.index
        asked = index.catalog.by_path([self.find(path)]).popitem()[1]
        text = self._terms(asked)
        words = index.words.scores(dict.fromkeys(likeness.terms_to_ask(text, index.claims), 1.0))
        near = self._near(asked, words)
        cosines = self._cosines(asked, near)
        own = max(float(words[asked.id]), 1e-9)
        alike = {row: (max(0.0, cosines[row]) + min(1.0, float(words[row]) / own)) / 2 for row in near}
        linked = likeness.follow(alike, self._links(alike, text))
        cards = self._candidates(asked, {*near, *linked})
        cosines |= self._cosines(asked, [row for row in cards if row not in cosines])
        mentions = self._shares({row: terms(card.title) for row, card in cards.items()}, text)
        best = max([float(words[row]) for row in cards], default=0.0) or 1.0
        found = [
            Suggested(card, likeness.score(cosines[row], float(words[row]) / best, linked.get(row, 0.0), mentions[row],
                                          bool(asked.created) and card.created > asked.created))
            for row, card in cards.items()
        ]  # fmt: skip
        return sorted(found, key=lambda each: (-round(each.score.total, 6), each.card.path))[:k]

    def _terms(self, card: Card) -> dict[int, int]:
        """For each term of a claim how many claims have it."""
        _, found, _ = postings.unpack(self.index.catalog.packed_terms(card.id))
        return {term: self.index.words.holding(term) for term in found.tolist()}

    def _near(self, asked: Card, words: vectors.Floats) -> list[int]:
        """The rows nearest by meaning, and those by words; without the claim itself."""
        by_meaning = self.index.nearest(self.index.whole[asked.id], likeness.NEAREST)
        rows = np.union1d(by_meaning, vectors.top_above_zero(words, likeness.NEAREST))
        return [row for row in rows.tolist() if row != asked.id]

    def _cosines(self, asked: Card, rows: list[int]) -> dict[int, float]:
        scores = vectors.scores_of(self.index.whole, self.index.whole[asked.id], np.array(rows, np.int64))
        return dict(zip(rows, scores.tolist(), strict=True))

    def _links(self, alike: dict[int, float], text: dict[int, int]) -> dict[int, dict[int, float]]:
        """For the nearest claims that link, what they link to; with the share of the best sentence that does."""
        catalog = self.index.catalog
        linking = {source for source, target in catalog.links_from(list(alike)) if source != target}
        sentences = {
            (source, target, number): line.split()
            for source, target, said in catalog.said(likeness.voters(alike, linking)) if source != target
            for number, line in enumerate(said.split("\n"))
        }  # fmt: skip
        links: dict[int, dict[int, float]] = defaultdict(dict)
        for (source, target, _), share in self._shares(sentences, text).items():
            links[source][target] = max(share, links[source].get(target, 0.0))
        return links

    def _candidates(self, asked: Card, rows: set[int]) -> dict[int, Card]:
        """Cards that may be suggested: neither retired nor of the asked claim's own title."""
        catalog = self.index.catalog
        same = {row for _, row in catalog.named({wikilinks.name_key(asked.title)})} | {asked.id}
        cards = catalog.cards(sorted(rows - same))
        return {row: card for row, card in cards.items() if card.status != "retired"}

    def _shares(self, those: Mapping[Key, Collection[str]], text: dict[int, int]) -> dict[Key, float]:
        """How much of each of some lists of terms stands in a text."""
        known = self.index.catalog.term_ids({term for each in those.values() for term in each})
        common = likeness.COMMON * self.index.claims
        holding = {number: self.index.words.holding(number) for number in known.values()}
        idf = {n: 0.0 if count > common else self.index.words.idf(n) for n, count in holding.items()}
        return {key: likeness.share([known[term] for term in each if term in known], text, idf)
                for key, each in those.items()}  # fmt: skip
