"""Text to terms, and BM25 over postings that change."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_kb.index import postings
from codex_kb.index.postings import Bm25, Postings
from codex_kb.text import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Markets aggregate, aggregating markets!", ["market", "aggreg", "aggreg", "market"]),
        ("Über naïve façades", ["uber", "naiv", "facad"]),
        ("Ωμέγα и ёлка", ["ωμεγα", "и", "елка"]),
        ("深い港 boats", ["深", "い", "港", "boat"]),
        ("a_b-c's 3.14", ["a", "b", "c", "s", "3", "14"]),
        (" \n\t—…", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert words.terms(text) == expected


@given(st.text(max_size=300))
@settings(deadline=None)
def test_places_of_terms_stand_in_the_text(text: str) -> None:
    found = words.found_terms(text)
    assert all(term in words.terms(text[start:end]) for term, start, end in found)
    assert len(words.terms("word " + text)) >= 1


def test_a_field_counts_by_its_weight() -> None:
    counts, length = words.weighted([("boats boats", 2), ("boats turn", 1)])
    assert (counts, length) == (Counter({"boat": 5, "turn": 1}), 4)


DOCUMENT = st.dictionaries(st.integers(0, 5), st.integers(1, 9), min_size=1, max_size=5)


def expected_scores(documents: dict[int, dict[int, int]], query: dict[int, float], rows: int) -> np.ndarray:
    """BM25 as the formula has it, document by document."""
    lengths = {number: sum(counts.values()) for number, counts in documents.items()}
    mean = max(1.0, sum(lengths.values()) / max(1, len(lengths)))
    scores = np.zeros(rows)
    for number, counts in documents.items():
        for term, weight in query.items():
            holding = sum(term in other for other in documents.values())
            idf = math.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
            f = postings.UNIT * counts.get(term, 0)
            k = postings.K1 * (1 - postings.B + postings.B * lengths[number] / mean)
            scores[number] += weight * idf * f * (postings.K1 + 1) / (f + k)
    return scores


@given(st.lists(DOCUMENT, max_size=8), st.sets(st.integers(0, 15)), st.lists(DOCUMENT, max_size=8), st.booleans())
@settings(deadline=None, max_examples=200)
def test_scores_are_those_of_the_formula(
    first: list[dict[int, int]], gone: set[int], later: list[dict[int, int]], merged: bool
) -> None:
    packed = [(n, postings.pack(counts, sum(counts.values()))) for n, counts in enumerate(first + later)]
    base = postings.merge(Postings.empty(), [], packed[: len(first)])
    went = sorted(number for number in gone if number < len(first))
    come = packed[len(first) :]
    bm25 = Bm25(postings.merge(base, went, come)) if merged else Bm25(base, [packed[number] for number in went], come)
    left = {n: counts for n, counts in enumerate(first + later) if n not in went}
    query = {0: 1.0, 2: 2.0, 7: 1.0}
    scores = bm25.scores(query)
    assert np.allclose(scores, expected_scores(left, query, len(scores)), atol=1e-5)
    assert {term: bm25.holding(term) for term in range(8)} == {
        term: sum(term in counts for counts in left.values()) for term in range(8)
    }
    assert scores.max(initial=0.0) <= bm25.most(sum(bm25.idf(term) * weight for term, weight in query.items())) + 1e-5


def test_a_document_packs_and_unpacks_and_great_counts_saturate() -> None:
    length, terms, counts = postings.unpack(postings.pack({3: 7, 1: 1000}, 70_000))
    assert (length, terms.tolist(), counts.tolist()) == (70_000, [3, 1], [7, 255])
