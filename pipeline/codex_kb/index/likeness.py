"""The sixth stage, for a claim: which claims it should link to, as people's links so far teach.

One part is likeness (meaning and words), two are what the claims most like it link to: a vote of the nearest,
as in k-nearest-neighbour recommendation, with a prior so that few known links weigh little. A link counts more where
the sentence that makes it is about what this claim is about, as in citation recommendation (He et al. 2010,
doi:10.1145/1772690.1772734). The weights are round ones near the best of folds (benchmarks/folds.py); a regression on
these parts found no better ones, and more parts found less.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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
_LINKS = 2
_SAID = 4
_MENTION = 0.25
#: What terms are worth together at the least, so that one word that they share is no whole mention.
_LEAST = 8.0
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


def share(own: Iterable[int], text: Mapping[int, object], idf: Mapping[int, float]) -> float:
    """How much of some terms (a title, a sentence), by how rare they are, stands in a claim's text; from 0 to 1."""
    each = set(own)
    whole = sum(idf[term] for term in each)
    return sum(idf[term] for term in each if term in text) / max(_LEAST, whole)


def voters(alike: Mapping[int, float], linking: Collection[int]) -> list[int]:
    """The claims whose links count: the nearest of those that link, by likeness."""
    return sorted((row for row in alike if row in linking), key=lambda row: (-alike[row], row))[:_NEIGHBOURS]


def follow(alike: Mapping[int, float], links: Mapping[int, Mapping[int, float]]) -> dict[int, float]:
    """What each claim gets of the say of claims that link, from 0 to 1; `links` has for each of them what it links to,
    with the share of the linking sentence that stands in the asked claim.
    """
    say = {row: alike[row] ** _SHARPNESS for row in links}
    total = sum(say.values()) + _PRIOR
    given: dict[int, float] = {}
    for row, weight in say.items():
        for target, said in links[row].items():
            given[target] = given.get(target, 0.0) + weight / total * (1 + _SAID * said)
    return {target: votes / (1 + votes) for target, votes in given.items()}


def score(meaning: float, words: float, links: float, mentioned: float, younger: bool) -> Likeness:
    """The parts of one candidate as one score; `words` is a share of the best candidate's BM25."""
    near, same = max(0.0, meaning), min(1.0, words)
    total = ((near + same) / 2 + _LINKS * links + _MENTION * mentioned) / (1 + _LINKS + _MENTION)
    return Likeness(total * (_YOUNGER if younger else 1.0), near, same, links, mentioned)
