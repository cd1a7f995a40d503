"""The extractive proposer: grounded, deterministic, bounded, and honest about what it could not settle."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_kb.propose.kinds import extractive
from codex_kb.records import Draft, Source
from conftest import grows_linearly

HARBOUR = """# Harbours

Wide boats turn slowly because their keels resist the water. This makes them costly in narrow harbours.
A survey of 40 ports found that narrow boats save 12% of fuel. Subscribe to our letter for more!

Why do shipwrights still build wide boats? Harbour taxes might reward wide boats with cheaper berths.

- **Tar prices:** the price of tar doubled in winter because the forests burned.
- [[an older claim about boats in harbours]] \u2014 this source confirms it again

## Agent Notes

The tax on berths is what drives shipwrights to build wide boats rather than narrow ones.

## References

Ng, A. wrote the book that every harbour master reads in winter.
"""


class WordHashes:
    """A fake encoder: counts of hashed words, as unit vectors."""

    name = "words"
    dimension = 64

    def __init__(self) -> None:
        self.calls = self.texts = 0

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.calls += 1
        self.texts += len(texts)
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[zlib.crc32(word.encode()) % self.dimension] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def source(body: str, domain: str = "boats") -> Source:
    return Source("inbox/a.md", {}, body, "0" * 64, "Harbours", "Ada Ng", "", "2024", domain, "unprocessed")


def propose(body: str, limit: int = 10, domain: str = "boats") -> list[Draft]:
    return list(extractive.ExtractiveProposer(WordHashes()).propose(source(body, domain), limit).drafts)


def quote(body: str, draft: Draft) -> str:
    return " ".join(body[slice(*draft.spans[0])].split())


def titled(start: str) -> Draft:
    return next(draft for draft in propose(HARBOUR) if draft.title.startswith(start))


def test_titles_stand_in_their_quotes() -> None:
    drafts = propose(HARBOUR)
    assert len({draft.title for draft in drafts}) == len(drafts) >= 4
    for draft in drafts:
        letters = iter(filter(str.isalnum, quote(HARBOUR, draft).casefold()))
        assert all(letter in letters for letter in filter(str.isalnum, draft.title.casefold()))
        assert draft.description != draft.title
        assert "\n" not in draft.description
        assert draft.domain == "boats"


def test_what_is_no_claim_is_not_proposed() -> None:
    said = " ".join(draft.title for draft in propose(HARBOUR))
    for noise in ("Subscribe", "Why do", "older claim", "Ng, A.", "**", "Harbours;"):
        assert noise not in said


def test_a_pronoun_brings_its_sentence_along() -> None:
    drafts = propose("Wide boats turn slowly in storms. This makes them costly in narrow harbours at night.")
    assert drafts[0].title == ("Wide boats turn slowly in storms; this makes them costly in narrow harbours at night")
    assert "joins two sentences" in drafts[0].notes[0]


def test_a_pronoun_without_a_sentence_to_bring_is_noted() -> None:
    (draft,) = propose("It makes wide boats costly in narrow harbours.")
    assert any("pronoun" in note for note in draft.notes)


def test_labels_name_the_subject() -> None:
    assert titled("Tar prices").title.startswith("Tar prices: The price of tar doubled")


@pytest.mark.parametrize(
    ("start", "confidence"),
    [("Harbour taxes might", "speculative"), ("A survey of 40", "experimental"), ("The tax on", "")],
)
def test_confidence_comes_from_words_in_the_quote(start: str, confidence: str) -> None:
    assert titled(start).confidence == confidence


def test_the_archivist_is_named() -> None:
    assert any("archivist" in note for note in titled("The tax on berths").notes)
    assert not any("archivist" in note for note in titled("A survey").notes)


def test_description_is_the_sentence_beside() -> None:
    draft = titled("A survey")
    assert draft.description == ""  # its neighbours are an advertisement and a sentence that needs another
    beside = propose("Wide boats turn slowly in storms. Narrow boats turn fast in every storm.", limit=1)[0]
    assert {beside.title, beside.description} == {
        "Wide boats turn slowly in storms",
        "Narrow boats turn fast in every storm",
    }


def test_nothing_comes_from_nothing() -> None:
    assert propose("") == []
    assert propose("# Title\n\n```\ncode\n```\n") == []
    assert propose(HARBOUR, limit=0) == []
    assert propose(HARBOUR, domain="")[0].domain == ""


def test_one_call_of_the_encoder_a_source() -> None:
    encoder = WordHashes()
    extractive.ExtractiveProposer(encoder).propose(source(HARBOUR), 10)
    assert encoder.calls == 1


@given(st.lists(st.sampled_from([*HARBOUR.split("\n"), "", "> Boats float in every harbour."]), max_size=30))
@settings(max_examples=40, deadline=None)
def test_any_text_gives_grounded_drafts_and_the_same_twice(lines: list[str]) -> None:
    body = "\n".join(lines)
    drafts = propose(body, limit=4)
    assert drafts == propose(body, limit=4)
    assert len(drafts) <= 4
    taken = sorted(span for draft in drafts for span in draft.spans)
    assert all(0 <= start < end <= len(body) for start, end in taken)
    assert all(left[1] <= right[0] for left, right in pairwise(taken))


def test_lexrank_prefers_what_others_resemble() -> None:
    vectors = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1], [0.7, 0.714]], dtype=np.float32)
    rank = extractive.lexrank(vectors)
    assert rank.sum() == pytest.approx(1)
    assert rank.argmax() in (1, 2, 4)


def test_a_large_source_stays_within_bounds() -> None:
    def work(sentences: int) -> None:
        body = " ".join(f"Boat number {n} carries {n * 7} barrels to port {n % 97}." for n in range(sentences))
        encoder = WordHashes()
        assert len(extractive.ExtractiveProposer(encoder).propose(source(body), 10).drafts) == 10
        assert encoder.texts <= extractive.MAX_GRAPH

    grows_linearly(work, extractive.MAX_GRAPH)
