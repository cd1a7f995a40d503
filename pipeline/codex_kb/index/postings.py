"""Words: BM25 over postings that are mapped from disk, with the few documents that came or went since.

Score of a document (Robertson & Zaragoza 2009, 3.4): sum over the query's terms of
idf · f (k1 + 1) / (f + k1 (1 - b + b length / mean length)), idf = ln(1 + (N - n + ½) / (n + ½)), above 0 for words
that most documents have too.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float32]

K1 = 1.2
B = 0.75
_MOST = 255
#: What one counts: half an occurrence, so that a field may weigh half of another.
UNIT = 0.5


class Postings:
    """Which documents hold a term, how often, and how long documents are; arrays may be mapped.

    `starts` int64 of shape (terms + 1): the postings of term t are starts[t] to starts[t + 1];
    `documents` int32 and `counts` uint8 of shape (postings); `lengths` int32 of shape (documents).
    """

    def __init__(self, starts: Longs, documents: Ints, counts: Bytes, lengths: Ints) -> None:
        self.starts = starts
        self.documents = documents
        self.counts = counts
        self.lengths = lengths

    @classmethod
    def empty(cls) -> Postings:
        """Of no documents."""
        return cls(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.uint8), np.zeros(0, np.int32))

    @property
    def terms(self) -> int:
        """How many terms there are."""
        return len(self.starts) - 1

    def of(self, term: int) -> tuple[Ints, Bytes]:
        """Documents and counts of a term."""
        if not 0 <= term < self.terms:
            return self.documents[:0], self.counts[:0]
        at = slice(int(self.starts[term]), int(self.starts[term + 1]))
        return self.documents[at], self.counts[at]


def pack(counts: Mapping[int, int], length: int) -> bytes:
    """A document's terms as bytes: its length, the term numbers, how often each."""
    terms = np.fromiter(counts.keys(), np.int32, len(counts))
    times = np.minimum(np.fromiter(counts.values(), np.int64, len(counts)), _MOST).astype(np.uint8)
    return np.int32(length).tobytes() + terms.tobytes() + times.tobytes()


def unpack(packed: bytes) -> tuple[int, Ints, Bytes]:
    """Length, terms and counts of a document."""
    size = (len(packed) - 4) // 5
    length = int.from_bytes(packed[:4], sys.byteorder, signed=True)
    return length, np.frombuffer(packed, np.int32, size, 4), np.frombuffer(packed, np.uint8, size, 4 + 4 * size)


def merge(base: Postings, gone: Sequence[int], new: Sequence[tuple[int, bytes]]) -> Postings:
    """The postings without the documents that went, and with the packed ones that came."""
    owner = np.repeat(np.arange(base.terms, dtype=np.int32), np.diff(base.starts))
    keep = np.ones(len(base.lengths), bool)
    keep[[number for number in gone if number < len(keep)]] = False
    kept = keep[base.documents]
    come = _Few(new)
    terms = np.concatenate([owner[kept], come.terms])
    documents = np.concatenate([base.documents[kept], come.documents])
    counts = np.concatenate([base.counts[kept], come.counts])
    del owner, kept
    lengths = np.zeros(max(len(base.lengths), come.rows), np.int32)
    lengths[: len(base.lengths)] = np.where(keep, base.lengths, 0)
    lengths[come.numbers] = come.lengths
    order = np.argsort(terms, kind="stable")
    size = int(terms.max()) + 1 if len(terms) else 0
    starts = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(terms, minlength=size), out=starts[1:])
    return Postings(starts, documents[order], counts[order], lengths)


class _Few:
    """A few documents, unsorted: `terms`, `documents`, `counts` of shape (postings), the rest of (documents)."""

    def __init__(self, packed: Sequence[tuple[int, bytes]]) -> None:
        sizes = [(len(data) - 4) // 5 for _, data in packed]
        both = [(data, 4 + 4 * size) for (_, data), size in zip(packed, sizes, strict=True)]
        self.numbers = np.array([number for number, _ in packed], np.int32)
        self.documents = np.repeat(self.numbers, sizes)
        self.lengths = np.frombuffer(b"".join([data[:4] for data, _ in both]), np.int32)
        self.terms = np.frombuffer(b"".join([data[4:end] for data, end in both]), np.int32)
        self.counts = np.frombuffer(b"".join([data[end:] for data, end in both]), np.uint8)

    @property
    def rows(self) -> int:
        return int(self.numbers.max()) + 1 if len(self.numbers) else 0


class Bm25:
    """BM25 over a base, less the documents that went since it was made, plus those that came."""

    def __init__(
        self, base: Postings, gone: Sequence[tuple[int, bytes]] = (), new: Sequence[tuple[int, bytes]] = ()
    ) -> None:
        """`gone` and `new` are (document number, packed terms)."""
        self._base = base
        self._gone = _Few(gone)
        self._new = _Few(new)
        self.rows = max(len(base.lengths), self._new.rows)
        self._lengths = np.zeros(self._new.rows, np.int32)
        self._lengths[self._new.numbers] = self._new.lengths
        self.documents = int(np.count_nonzero(base.lengths)) - len(self._gone.numbers) + len(self._new.numbers)
        total = sum(int(x.sum(dtype=np.int64)) for x in (base.lengths, self._new.lengths))
        total -= int(self._gone.lengths.sum(dtype=np.int64))
        self._changes = np.bincount(self._new.terms), np.bincount(self._gone.terms)
        self._mean = max(1.0, total / max(1, self.documents))

    def holding(self, term: int) -> int:
        """How many documents have a term."""
        came, went = (int(few[term]) if term < len(few) else 0 for few in self._changes)
        return len(self._base.of(term)[0]) + came - went

    def idf(self, term: int) -> float:
        """How rare a term is; above 0."""
        return self._idf(self.holding(term))

    @property
    def rarest(self) -> float:
        """What a term that no document holds would count."""
        return self._idf(0)

    def most(self, idf: float) -> float:
        """No document's score for terms whose idf add up to this is higher; float, above 0."""
        return (K1 + 1) * max(1.0, idf)

    def _idf(self, holding: int) -> float:
        return math.log1p((self.documents - holding + 0.5) / (holding + 0.5))

    def scores(self, terms: Mapping[int, float]) -> Floats:
        """A score for each document number, float32 of shape (rows); `terms` says how much each term counts."""
        scores = np.zeros(self.rows, np.float32)
        for term, weight in terms.items():
            worth = np.float32(weight * self.idf(term) * (K1 + 1))
            documents, counts = self._base.of(term)
            np.add.at(scores, documents, worth * _saturated(counts, self._shape.take(documents)))
            at = self._new.terms == term
            documents = self._new.documents[at]
            shape = self._shape_of(self._lengths[documents])
            np.add.at(scores, documents, worth * _saturated(self._new.counts[at], shape))
        scores[self._gone.numbers] = 0.0
        return scores

    @cached_property
    def _shape(self) -> Floats:
        return self._shape_of(self._base.lengths)

    def _shape_of(self, lengths: Ints) -> Floats:
        """k1 (1 - b + b length / mean)."""
        scaled = np.float32(K1 * B / self._mean) * lengths.astype(np.float32)
        return np.asarray(np.float32(K1 * (1 - B)) + scaled, np.float32)


def _saturated(counts: Bytes, shape: Floats) -> Floats:
    """f / (f + shape) in the place of `shape`: arrays as long as a common word's postings are dear to make."""
    frequency = counts.astype(np.float32)
    frequency *= np.float32(UNIT)
    shape += frequency
    return np.divide(frequency, shape, out=shape)
