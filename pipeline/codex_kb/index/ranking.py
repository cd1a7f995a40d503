"""The sixth stage: meaning and words become one ranking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

MODES = ("hybrid", "dense", "lexical")
#: What meaning counts beside words; from 0.35 to 0.55 it hardly matters (measured, see benchmarks/folds.py).
MEANING = 0.5
#: Where the best hybrid score is less, no claim answers: so it was for 29 of 32 questions about something else, and
#: for none of 391 that a claim answers.
FAR = 0.2


class Score(NamedTuple):
    """A hit's score and its parts, each from 0 to 1: the cosine, and BM25 as a part of the most it can be."""

    total: float
    meaning: float
    words: float


def fuse(meaning: Mapping[int, float], words: Mapping[int, float], mode: str) -> dict[int, Score]:
    """A score for each row; in mode hybrid the convex combination of Bruch, Gai & Ingber 2022 (arXiv:2210.11934).

    Both parts are scaled by bounds that do not depend on the other hits, so that scores of different questions
    compare, and a poor best hit has a poor score. Rows without any score are left out.
    """
    share = {"hybrid": MEANING, "dense": 1.0, "lexical": 0.0}[mode]
    scores = {}
    for row in meaning.keys() | words.keys():
        near, same = max(0.0, meaning.get(row, 0.0)), min(1.0, words.get(row, 0.0))
        total = share * near + (1 - share) * same
        if total > 0:
            scores[row] = Score(total, near, same)
    return scores


def titled(score: Score | None) -> Score:
    """The score of a claim whose title the question is: nothing is nearer."""
    return Score(1.0, score.meaning if score else 1.0, score.words if score else 1.0)


def best(scores: Mapping[int, Score], paths: Mapping[int, str]) -> list[int]:
    """The rows in order, best first, ties by path; equal texts differ in the last bits, which do not count."""
    return sorted(scores, key=lambda row: (-round(scores[row].total, 6), paths[row]))
