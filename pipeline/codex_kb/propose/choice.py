"""Which of a source's candidates are proposed: by an order that knows what it took already, or two orders by turns."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]

REDUNDANCY = 1.0  # standard deviations of salience that a cosine of 1 to a taken title costs
SAME = 0.9  # cosine at which two titles say the same


class Choice:
    """What may still be chosen from candidates with these vectors (n, dimension) and (first, last) sentences."""

    def __init__(self, vectors: Vectors, places: Sequence[tuple[int, int]]) -> None:
        self._vectors = vectors
        self._firsts, self._lasts = np.array(places).T
        self._open = np.ones(len(places), bool)
        self._nearest = np.zeros(len(places))
        self.chosen: list[int] = []

    def best(self, salience: Floats) -> int | None:
        """The next row by maximal marginal relevance; ties go to the earlier row; None where none is left."""
        left = np.where(self._open, salience - REDUNDANCY * self._nearest, -np.inf)
        row = int(np.argmax(left))
        return None if left[row] == -np.inf else row

    def take(self, row: int) -> None:
        """Choose a row: no sentence is used twice, and nothing that says the same follows."""
        self.chosen.append(row)
        cosine = self._vectors @ self._vectors[row]
        self._nearest = np.maximum(self._nearest, cosine)
        overlapping = (self._firsts <= self._lasts[row]) & (self._lasts >= self._firsts[row])
        self._open &= ~(overlapping | (cosine > SAME))


def most_relevant(vectors: Vectors, salience: Floats, limit: int, places: Sequence[tuple[int, int]]) -> list[int]:
    """Rows chosen by maximal marginal relevance, best first (Carbonell & Goldstein 1998)."""
    choice = Choice(vectors, places)
    while len(choice.chosen) < limit and (row := choice.best(salience)) is not None:
        choice.take(row)
    return choice.chosen


def by_turns(
    vectors: Vectors, one: Floats, other: Floats, limit: int, places: Sequence[tuple[int, int]], seed: str
) -> list[int]:
    """Rows chosen by two orders in turns, in each of which a coin says who is first (Radlinski et al. 2008).

    The coin is a hash of the seed: the same source gives the same list.
    """
    choice = Choice(vectors, places)
    while len(choice.chosen) < limit:
        heads = hashlib.sha256(f"{seed}\0{len(choice.chosen)}".encode()).digest()[0] % 2
        turn = [row for side in ((one, other) if heads else (other, one)) for row in _taken(choice, side, limit)]
        if not turn:
            break
    return choice.chosen


def _taken(choice: Choice, salience: Floats, limit: int) -> list[int]:
    row = choice.best(salience) if len(choice.chosen) < limit else None
    if row is not None:
        choice.take(row)
    return [] if row is None else [row]
