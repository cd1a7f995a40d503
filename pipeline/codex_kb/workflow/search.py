"""`codex search` and `codex related`: the claims nearest to a question or to a claim."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from codex_kb.disk import gate
from codex_kb.errors import NotFound, RefusedFile, UsageError
from codex_kb.index import ranking, vectors
from codex_kb.index.catalog import Card, Filters
from codex_kb.index.current import Current
from codex_kb.index.ranking import Score
from codex_kb.text import facets, json_of_others, snippet
from codex_kb.text.passages import prose
from codex_kb.text.wikilinks import name_key

if TYPE_CHECKING:
    from codex_kb.index.opened import ClaimIndex
    from codex_kb.kb import KnowledgeBase

#: How deep each ranking goes before the two are fused; deeper finds no more (measured).
_DEPTH = 100
#: What a model of sentences reads of a question, about; words count throughout.
_LONG_QUESTION = 200
#: Bytes of a claim that a snippet is looked for in.
_LONG_CLAIM = 10_000_000
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")


class Found(NamedTuple):
    """A hit with the parts of its score, and the part of the claim that shows why: text, where words match, line."""

    card: Card
    score: Score
    snippet: str = ""
    matches: tuple[tuple[int, int], ...] = ()
    line: int = 1


class Searcher:
    """Answers questions about one knowledge base, for as long as it is kept; what is needed is opened when it is."""

    def __init__(self, kb: KnowledgeBase, mode: str = "hybrid") -> None:
        """Nothing is opened before the first question.

        Raises:
            UsageError: there is no such mode.
        """
        if mode not in ranking.MODES:
            raise UsageError(f"no mode is called {mode}", hint=f"one of {', '.join(ranking.MODES)}")
        self.kb = kb
        self.mode = mode
        self._current = Current(kb)

    @property
    def index(self) -> ClaimIndex:
        """The index that the last question was answered from."""
        return self._current.index

    def left_out(self) -> list[str]:
        """The claims that cannot be found, a line each with the reason."""
        problems = (json.loads(problem) for problem in self.index.catalog.problems())
        return [f"{path}: {message}" for path, _, _, message, _ in problems]

    def search(
        self, query: str, k: int, filters: Filters, snippets: bool = False, twins: bool = False
    ) -> list[Found]:  # fmt: skip
        """The k best claims for a question with their scores, best first; the claims are those of this moment.

        Files that say the same, word for word, are one claim, shown once; with `twins` each is shown.

        Raises:
            UsageError: the question is empty, or k is not above 0.
        """
        query = " ".join(query.replace("\0", " ").split())
        if not query:
            raise UsageError("the question is empty", hint='codex search "what you want to know"')
        if k < 1:
            raise UsageError("there is no best claim of none", hint="ask for at least one")
        if self.mode != "lexical" and len(query.split()) > _LONG_QUESTION:
            self.kb.say("a long question: all its words count, its meaning only as far as the model reads")
        found = self._current.answer(
            lambda: self._hits(query, k, filters, twins), lambda hits: (hit.card.path for hit in hits)
        )
        worth = self.index.worth(query) if snippets else {}
        return [self._with_snippet(hit, worth) for hit in found] if snippets else found

    def waiting(self) -> bool:
        """Does anything wait for review that could become a claim?"""
        return bool(self.kb.store.readable_packets()[0])

    def values(self, field: str) -> list[str]:
        """What the claims have as their `domain` or `confidence`, for who asked for something else."""
        return self.index.catalog.values(field)

    def close(self) -> None:
        """Let go of the index; the next question opens it anew."""
        self._current.close()

    def _hits(self, query: str, k: int, filters: Filters, twins: bool) -> list[Found]:
        if not self.index.claims:
            return []
        only, hidden = self._allowed(filters)
        depth = max(_DEPTH, k) + len(hidden)
        weights, most = self.index.term_weights(query) if self.mode != "dense" else ({}, 1.0)
        lexical = self.index.words.scores(weights) if weights else np.zeros(0, np.float32)
        vector = self.index.embed(self.kb, query) if self.mode != "lexical" else None
        titled = self._titled(query, only)
        rows = self._candidates(lexical, vector, depth, only, titled)
        rows = np.setdiff1d(rows, hidden) if len(hidden) else rows
        meaning, words = {}, {}
        if vector is not None:
            # What a claim says as a whole may be near a question, or what its title does.
            cosines = np.maximum(*(vectors.scores_of(of, vector, rows) for of in (self.index.whole, self.index.title)))
            meaning = dict(zip(rows.tolist(), cosines.tolist(), strict=True))
        if len(lexical):
            words = dict(zip(rows.tolist(), (lexical[rows] / most).tolist(), strict=True))
        scores = ranking.fuse(meaning, words, self.mode)
        return self._best(scores | {row: ranking.titled(scores.get(row)) for row in titled if row in rows}, k, twins)

    def _titled(self, query: str, only: vectors.Rows | None) -> list[int]:
        """The rows of the claims whose title the question is."""
        named = self.index.catalog.named({name_key(query)})
        cards = self.index.catalog.cards([row for _, row in named]).values() if named else ()
        allowed = None if only is None else set(only.tolist())
        return [card.id for card in cards
                if name_key(card.title) == name_key(query) and (allowed is None or card.id in allowed)]  # fmt: skip

    def _candidates(
        self, lexical: vectors.Floats, vector: vectors.Floats | None, depth: int,
        only: vectors.Rows | None, titled: list[int],
    ) -> vectors.Rows:  # fmt: skip
        """Rows that are among the first of either ranking, and those that are asked for by their title."""
        found = [np.array(titled, np.int64)]
        if vector is not None:
            found.append(self.index.nearest(vector, depth, only))
        if len(lexical):
            best = vectors.top_above_zero
            found.append(best(lexical, depth) if only is None else only[best(lexical[only], depth)])
        # numpy's own unique takes 8 ms to load.
        return np.array(sorted({row for rows in found for row in rows.tolist()}), np.int64)

    def _allowed(self, filters: Filters) -> tuple[vectors.Rows | None, vectors.Rows]:
        """The rows that a search is limited to (None: all), and those that it must not show."""
        which, rows = self.index.catalog.limited(filters)
        ids = np.array(rows, np.int64)
        return (ids, ids[:0]) if which == "only" else (None, ids)

    def _best(self, scores: dict[int, Score], k: int, twins: bool) -> list[Found]:
        rows = sorted(scores, key=lambda row: -scores[row].total)
        depth, shown, cards = 0, list[int](), dict[int, Card]()
        while len(shown) < k and depth < len(rows):
            # Those that tie with the last are put in order by path.
            least = scores[rows[min(len(rows), depth + k - len(shown)) - 1]].total - 1e-6
            before, depth = depth, sum(score.total >= least for score in scores.values())
            cards |= self.index.catalog.cards(rows[before:depth])
            order = ranking.best({row: scores[row] for row in cards}, {row: card.path for row, card in cards.items()})
            alone = {cards[row].key: row for row in reversed(order)}
            shown = [row for row in order if twins or alone[cards[row].key] == row]
        return [Found(cards[row], scores[row]) for row in shown[:k]]

    def _with_snippet(self, hit: Found, worth: Mapping[str, float]) -> Found:
        """The hit with the sentence of its body whose terms are worth most; else its description."""
        try:
            data = gate.read(self.kb.layout.root, hit.card.path, _LONG_CLAIM).decode("utf-8", errors="replace")
        except (RefusedFile, NotFound):
            data = ""
        text, matches = snippet.best(prose(snippet.body_of(data)), worth)
        line = snippet.line_of(data, text)
        if not text and hit.card.description:
            text, matches = snippet.best(hit.card.description, worth)
        return hit._replace(snippet=text or hit.card.description, matches=matches, line=line)


def filters(
    domain: str = "", confidence: str = "", retired: bool = False, since: str = "", until: str = "",
    asked: Mapping[str, str] = {},
) -> Filters:  # fmt: skip
    """What hits are limited to; `asked` are values by the name of a facet.

    Raises:
        UsageError: there is no such facet, or a date is none.
    """
    for name in asked:
        if name not in facets.NAMES:
            raise UsageError(f"claims have no {name}", hint=f"one of {', '.join(facets.NAMES)}")
    for date in (since, until):
        if date and not _DATE.fullmatch(date):
            raise UsageError(f"{date} is no date", hint="write 2026-03-31, 2026-03 or 2026")
    return Filters(domain, confidence, retired, since, until, tuple((n, v) for n, v in asked.items() if v))


def batch(lines: Iterator[str], key: str) -> Iterator[tuple[object, str]]:
    """(id, text) of each line: a JSON object with `id` and `key`, or plain text that is its own id.

    Raises:
        UsageError: an object has no `key`, or a line is not UTF-8.
    """
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if not text.strip():
            continue
        value = None
        if text.lstrip().startswith("{"):
            try:
                value = json_of_others.read(text)
            except ValueError:
                value = None
        if not isinstance(value, dict):
            yield text, _text(text, number)
        elif isinstance(value.get(key), str):
            yield value.get("id", value[key]), _text(value[key], number)
        else:
            raise UsageError(f'line {number} has no "{key}"', hint=f'{{"id": …, "{key}": "…"}} a line')


def _text(text: str, number: int) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"line {number} is not UTF-8", hint="save the questions as UTF-8") from None
    return text
