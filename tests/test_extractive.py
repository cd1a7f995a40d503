"""The extractive proposer: grounded, deterministic, bounded, and honest about what it could not settle."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_kb.propose import signs
from codex_kb.propose.kinds import extractive
from codex_kb.records import Draft, Source
from codex_kb.text import cues
from codex_kb.text.langid import language
from codex_kb.text.sentences import Sentence
from conftest import grows_linearly

CASES = Path(__file__).parent / "cases"
TITLES = [
    line.split(" => ")
    for line in (CASES / "titles.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("# What") and not line.startswith("# \\n")
]
SIGNS = [line for line in (CASES / "signs.txt").read_text(encoding="utf-8").splitlines() if line[:1] not in ("", "#")]
NEEDS_MORE = {"bare subject", "unnamed", "one side", "housekeeping", "anecdote", "present"}
NOTES = sorted((CASES / "notes").rglob("*.md"))

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
    (draft,) = propose("It makes all of the wide boats costly in narrow harbours.")
    assert any("points back" in note for note in draft.notes)


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
    beside = propose("Wide boats turn slowly in all storms. Narrow boats turn fast in every small storm.", limit=1)[0]
    assert {beside.title, beside.description} == {
        "Wide boats turn slowly in all storms",
        "Narrow boats turn fast in every small storm",
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


@pytest.mark.parametrize(("text", "title"), TITLES, ids=lambda text: text[:40])
def test_what_becomes_of_a_text(text: str, title: str) -> None:
    titles = [draft.title for draft in propose(text.replace("\\n", "\n"))]
    assert titles == [] if title == "nothing" else title in titles


@pytest.mark.parametrize("line", SIGNS, ids=lambda line: line[:50])
def test_signs_of_a_sentence_that_needs_more(line: str) -> None:
    names, title = line.split(": ", 1)
    setting = signs.Setting(Sentence(0, len(title), title, "", "prose", 0), present=frozenset({"Raj"}))
    found = set(signs.signs(title, setting)) & NEEDS_MORE
    assert found == (set() if names == "none" else {names})


def test_a_part_of_a_parallel_list_is_no_claim() -> None:
    body = (
        "The crane was rebuilt for the box. The ship was rebuilt for the box. Boats carry {} of the cargo in harbours."
    )
    (draft,) = propose(body)
    assert draft.title.startswith("Boats carry")


def test_who_was_at_a_meeting_is_no_subject() -> None:
    said = "Raj found that the crane of the harbour is slow in rain. "
    said += "Ng found that the boat of the harbour is slow in rain and in wind."
    minutes = f"Present: Raj, Lucía (minutes)\n\n{said}"
    assert cues.present(minutes) == {"Raj", "Lucía"}
    assert cues.present(said) == frozenset()
    assert propose(said, limit=1)[0].title.startswith("Raj")
    assert propose(minutes, limit=1)[0].title.startswith("Ng")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("The boats of 20 May are slow", ""),
        ("The boats may be slow", "speculative"),
        ("Die Boote sind vermutlich langsam", "speculative"),
        ("Los barcos son probablemente lentos", "speculative"),
        ("The report could not be read", ""),
        ("The nightly reports were late", ""),
        ("Ng and Bo (2009) say that boats are slow", "experimental"),
        ("Boats are slow [3, 4]", "experimental"),
        ("Eine Umfrage ergab, dass Boote langsam sind", "experimental"),
        ("A meta-analysis of 18 studies found that boats are slow", "likely"),
        ("The result was not replicated", ""),
    ],
)
def test_how_sure_a_text_is(text: str, level: str) -> None:
    assert cues.confidence(text)[0] == level


def test_confidence_may_stand_beside_the_quote() -> None:
    body = "Narrow boats are dear in every harbour of the north. A survey found that 40% of harbours tax them."
    draft = next(draft for draft in propose(body) if draft.title.startswith("Narrow"))
    assert draft.confidence == "experimental"
    assert any("beside the quote" in note for note in draft.notes)


def test_a_transcript_without_speakers_and_questions() -> None:
    turns = "0:01\nADA NG: Large boats turn more slowly than small boats in every harbour.\n\n"
    turns += "0:09\nHOST: You said that large boats are slow and that cranes are dear.\n\n"
    drafts = propose(turns + turns.replace("boats", "ships") + turns.replace("boats", "canoes"))
    assert {draft.title for draft in drafts} == {
        f"Large {kind} turn more slowly than small {kind} in every harbour" for kind in ("boats", "ships", "canoes")
    }


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Bahnstrom wird besteuert, Kerosin nicht", "German"),
        ("Los barcos son más lentos que las grúas", "Spanish"),
        ("Les bateaux ne sont pas dans le port", "French"),
        ("Boats", "English"),
        ("Die casting is slow", "English"),
        ("Harbours tax wide boats", "English"),
        ("船は遅い", ""),
    ],
)
def test_language(text: str, name: str) -> None:
    assert language(text) == name


@pytest.mark.parametrize(
    "unit",
    [
        "ACTION a b c ",
        "a/",
        "1/",
        "00:01 ",
        "A B: ",
        "last ",
        "two a b ",
        "Ng, ",
        "[1, ",
        "der die ",
        "in a ",
        "\n",
        "present:",
        "5 May ",
    ],
)
def test_time_of_a_cue_grows_with_the_text(unit: str) -> None:
    def look(times: int) -> None:
        for cue in (
            cues.confidence,
            cues.is_task,
            cues.is_boilerplate,
            cues.is_about_itself,
            cues.is_dated,
            cues.is_housekeeping,
            language,
        ):
            cue(unit * times)

    grows_linearly(look, 1_000)


def test_another_language_is_said_once_and_judged_less() -> None:
    body = (CASES / "notes" / "german-1.md").read_text(encoding="utf-8")
    drafted = extractive.ExtractiveProposer(WordHashes()).propose(source(body), 10)
    assert [line for line in drafted.report if "German" in line] == list(drafted.report) != []
    assert not any("full sentence" in note for draft in drafted.drafts for note in draft.notes)


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.stem)
def test_notes_of_people(path: Path) -> None:
    body = path.read_text(encoding="utf-8").split("\n---\n", 1)[1]
    drafts = propose(body)
    assert len(drafts) >= 8
    for draft in drafts:
        first = draft.title.split()[0].rstrip(":,")
        assert first not in ("ACTION", "AP", "TODO", "DECISION", "HOST", "Having", "Allerdings", "Außerdem")
        assert not draft.title[0].isdigit() or not draft.title.split()[0].endswith("/")
        assert draft.title.count("$") == body[slice(*draft.spans[0])].count("$")
        assert "Stated in" not in draft.description
