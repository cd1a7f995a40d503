"""The sixth stage, for a claim: which claims it should link to, as people's links so far teach.

Half is likeness (meaning and words), half is what the claims most like it link to: a vote of the nearest,
as in k-nearest-neighbour recommendation, with a prior so that few known links weigh little. The weights were
chosen on one half of a real knowledge base's links; learning them anew from each base's own links gave no more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

#: Candidates by meaning, and as many by words; what their neighbours link to is added.
NEAREST = 200
#: Terms of a claim that are looked up, the rarest first; 64 find less, all find no more.
MOST_TERMS = 128
#: Terms that more than this part of all claims have say nothing.
COMMON = 0.25
_NEIGHBOURS = 50
_SHARPNESS = 4
_PRIOR = 0.5
_MENTION = 0.25
#: People link to what was there: of the links looked at, 93 % went to claims as old or older.
_YOUNGER = 0.65


class Likeness(NamedTuple):
    """Why a claim is suggested: the score and its parts, each from 0 to 1."""

    total: float
    meaning: float
    words: float
    links: float
    mention: float


def terms_to_ask(holding: Mapping[int, int], claims: int) -> list[int]:
    """The terms of a claim by which others are found; `holding` says how many claims have each."""
    useful = [term for term, count in holding.items() if 1 < count <= COMMON * claims]
    return sorted(useful, key=lambda term: (holding[term], term))[:MOST_TERMS]


def mention(title: Iterable[int], text: Mapping[int, object], idf: Mapping[int, float]) -> float:
    """How much of a claim's title, by how rare its terms are, stands in another's text."""
    own = set(title)
    whole = sum(idf[term] for term in own)
    return sum(idf[term] for term in own if term in text) / whole if whole > 0 else 0.0


def follow(alike: Mapping[int, float], links: Mapping[int, Iterable[int]]) -> dict[int, float]:
    """What each claim gets of the say of the nearest linked claims: the root of its share."""
    near = sorted((row for row in alike if links.get(row)), key=lambda row: (-alike[row], row))
    say = {row: alike[row] ** _SHARPNESS for row in near[:_NEIGHBOURS]}
    total = sum(say.values()) + _PRIOR
    given: dict[int, float] = {}
    for row, weight in say.items():
        for target in links[row]:
            given[target] = given.get(target, 0.0) + weight
    return {target: math.sqrt(part / total) for target, part in given.items()}


def score(meaning: float, words: float, links: float, mentioned: float, younger: bool) -> Likeness:
    """The parts of one candidate as one score; `words` is a share of the best candidate's BM25."""
    near, same = max(0.0, meaning), min(1.0, words)
    total = ((near + same) / 2 + links + _MENTION * mentioned) / (2 + _MENTION)
    return Likeness(total * (_YOUNGER if younger else 1.0), near, same, links, mentioned)
