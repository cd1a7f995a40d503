"""Which sources are worth reading first: the chance that one gives nothing (a null result), from those that are done.

L2 logistic regression on what the frontmatter said before anybody worked on it (each short value, each field that is
there) and on plain measures of the text (length, links, figures, headings, list items, tables).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from codex_kb.learn.ranker import Floats, Pairs, solve
from codex_kb.text.fields import NULL_RESULT, PROCESSED

#: Sources that gave something, and that gave nothing, without which nothing is said.
LEAST = 20
#: A field is of the time before, where those that wait have it at least so often, against those that are done.
_BEFORE = 0.5
#: Sources that must share a value, and the letters of one that may be shared.
_SHARED, _SHORT = 3, 40
_PRECISION, _ANY = 1.0, 1e-6
_HOST = re.compile(r"https?://([^/\s]+)")
_MEASURES = tuple(map(re.compile, (r"\bhttps?:", r"\d", r"(?m)^#", r"(?m)^\s*[-*] ", r"\|")))


@dataclass(frozen=True)
class Seen:
    """What is known of a source before it is read: values by field, and measures of its text."""

    values: Mapping[str, frozenset[str]]
    measures: tuple[float, ...]


def see(fields: Mapping[str, Any], body: str) -> Seen:
    """What a source's frontmatter and text tell."""
    length = math.log1p(len(body))
    counts = (math.log1p(sum(1 for _ in pattern.finditer(body))) for pattern in _MEASURES)
    return Seen({str(name): _values(value) for name, value in fields.items()}, (length, *counts))


def _values(value: Any) -> frozenset[str]:
    many = value if isinstance(value, list) else [value]
    texts = (str(each).strip().casefold() for each in many if each is not None)
    hosts = (found[1] if (found := _HOST.match(text)) else text for text in texts)
    return frozenset(text for text in hosts if 0 < len(text) <= _SHORT)


def gave_nothing(status: str) -> bool | None:
    """Did a source of this status give nothing? None of one that is not done."""
    return status == NULL_RESULT if status in {PROCESSED, NULL_RESULT} else None


def nothing(done: Sequence[tuple[Seen, bool]], waiting: Sequence[Seen]) -> Floats | None:
    """The chance, shape (waiting,), that each gives nothing; `done` says of each whether it gave nothing.

    None where fewer than LEAST gave something, or nothing.
    """
    empty = np.array([gave_nothing for _, gave_nothing in done], bool)
    if min(empty.sum(), (~empty).sum()) < LEAST or not waiting:
        return None
    seen = [each for each, _ in done]
    fields = _known_before(seen, waiting)
    counts = Counter(token for each in seen for token in _tokens(each, fields))
    place = {token: at for at, token in enumerate(sorted(token for token, n in counts.items() if n >= _SHARED))}
    measures = np.array([each.measures for each in seen])
    middle, spread = measures.mean(axis=0), measures.std(axis=0)
    spread[spread < _ANY] = np.inf

    def rows(some: Sequence[Seen]) -> Floats:
        """A constant, which values each has, and its measures by the spread of those done; shape (some, d)."""
        found = np.zeros((len(some), len(place)))
        for at, each in enumerate(some):
            found[at, [place[token] for token in _tokens(each, fields) if token in place]] = 1
        told = (np.array([each.measures for each in some]) - middle) / spread
        return np.hstack([np.ones((len(some), 1)), found, told])

    signed = rows(seen) * np.where(empty, 1.0, -1.0)[:, None]
    stiff = np.full(signed.shape[1], _PRECISION)
    stiff[0] = _ANY  # how many give nothing at all is free
    v = solve(Pairs(np.zeros(len(seen)), signed, np.ones(len(seen))), stiff)
    return np.asarray(1 / (1 + np.exp(-rows(waiting) @ v)))


def _known_before(done: Sequence[Seen], waiting: Sequence[Seen]) -> frozenset[str]:
    """The fields that are no trace of the work itself: those that wait have them too."""
    counts, later = (Counter(name for each in some for name in each.values) for some in (done, waiting))
    return frozenset(
        name for name, count in counts.items() if later[name] * len(done) >= _BEFORE * count * len(waiting)
    )


def _tokens(seen: Seen, fields: Iterable[str]) -> set[tuple[str, str]]:
    return {(name, value) for name in fields if name in seen.values for value in ("", *seen.values[name])}
