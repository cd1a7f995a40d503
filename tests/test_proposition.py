"""Titles: cleaned without adding a word, and tested as propositions with few false alarms."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_kb.text import proposition
from codex_kb.text.proposition import clean, faults
from conftest import grows_linearly

WORDS = ["boats", "float", "well", "tar", "**seals**", "[a](b)", "However,", "`hulls`", "(in", "1999)", "[1]"]
TELEO = Path(__file__).resolve().parents[2] / "shared/corpora/teleo"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Wide **boats** float [well](https://example.org/a_(b)).", "Wide boats float well"),
        ("- [x] `Tar` seals _every_ hull.[1][2]", "Tar seals every hull"),
        ("Tar seals [[notes/hull|the hull]] and [[keels/long keel]].", "Tar seals the hull and long keel"),
        ("**Cost:** tar is dear in winter.", "Tar is dear in winter"),
        ("**Cost** \u2014 tar is dear in winter.", "Tar is dear in winter"),
        ("Key insight: wide boats are slow to turn.", "Wide boats are slow to turn"),
        ("Hull fund: exhausted by 2040", "Hull fund: exhausted by 2040"),
        ("**If taxed:** wide boats are dear.", "If taxed: wide boats are dear"),
        ("**Myth:** wide boats are fast.", "Myth: wide boats are fast"),
        ("Tar is dear [...] and boats are slow.", "Tar is dear … and boats are slow"),
        ("However, wide boats float.", "Wide boats float"),
        ("But in addition, wide boats float.", "Wide boats float"),
        ("This means that wide boats are slow.", "Wide boats are slow"),
        ("Shows that wide boats are slow.", "Wide boats are slow"),
        ("No data shows that boats are slow.", "No data shows that boats are slow"),
        ("Some say that wide boats are slow.", "Some say that wide boats are slow"),
        ("\u201cWide boats float.\u201d", "Wide boats float"),
        ('They call it "tar."', 'They call it "tar"'),
        ("Wide boats\r\n> > float (see Figure 3) well.", "Wide boats float well"),
        ("Price of \\$TAR doubled.", "Price of $TAR doubled"),
        ("iPhone sales rise.", "iPhone sales rise"),
        ("snake_case_names stay whole.", "Snake_case_names stay whole"),
        ("潮が満ちる。", "潮が満ちる"),
        ("", ""),
    ],
)
def test_clean(text: str, title: str) -> None:
    assert clean(text) == title


@given(st.text(st.sampled_from('ab Th.is,\n\r>#*-_`|[]()"“”1:ß\u2014!…') | st.characters(), max_size=400))
@settings(max_examples=300, deadline=None)
def test_clean_is_idempotent_short_and_one_line(text: str) -> None:
    title = clean(text)
    assert clean(title) == title
    assert len(title) <= proposition.MAX_LENGTH
    assert not re.search(r"[\r\n\t]", title)


@given(st.lists(st.sampled_from(WORDS)))
def test_clean_adds_no_word(words: list[str]) -> None:
    text = " ".join(words)
    letters = iter(re.sub(r"\W", "", text).casefold())
    assert all(letter in letters for letter in re.sub(r"\W", "", clean(text)).casefold())


def test_clean_cuts_a_long_sentence_and_shows_it() -> None:
    assert clean("Wide boats float " + "and wide boats float " * 40).endswith("…")
    assert clean("Wide boats float (" + "as every sailor knows " * 14 + ") well.") == "Wide boats float well"


@pytest.mark.parametrize(
    ("title", "fault"),
    [
        ("", "empty"),
        ("**", "empty"),
        ("Why do wide boats float so well?", "question"),
        ("Wide boats in the harbour of the town", "fragment"),
        ("This makes wide boats slow", "pronoun"),
        ("They are slow in the harbour", "pronoun"),
        ("From 1995 to 2001 they counted the cranes of the harbour", "pronoun"),
        ("Xi et al. put it at a third of all boats", "pronoun"),
        ("The former are slow in the harbour", "pronoun"),
        ("Consider the wide boats of the harbour", "imperative"),
        ("Wide **boats** are slow in harbours", "markdown"),
        ("Boats float", "vague"),
        ("Wide boats are slow " * 20, "long"),
    ],
)
def test_faults(title: str, fault: str) -> None:
    assert any(found.startswith(f"{fault}: ") for found in faults(title)), faults(title)


@pytest.mark.parametrize(
    "title",
    [
        "Wide boats turn slowly because their keels resist the water",
        "wide boats outcompete narrow ones in calm harbours",
        "It is hard to turn wide boats in a storm",
        "What sailors fear is not wind but fog at night",
        "Norway found it hard to tax wide boats in harbours",
        "From 1995 to 2001 harbours counted the boats that they taxed",
        "Harbour towns that tax tar lose their shipwrights",
        "Keep-left rules reduce collisions in narrow harbours",
        "幅の広い船は遅い",
    ],
)
def test_good_titles_have_no_faults(title: str) -> None:
    assert faults(title) == []


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Wide boats are slow", True),
        ("When the tide is low, wide boats sink", True),
        ("Boats that are wide", False),
        ("Shows how boats float", False),
        ("Hull fund exhausted by 2040", False),
        ("The harbour that tar built is closed", True),
    ],
)
def test_is_sentence(text: str, whole: bool) -> None:
    assert proposition.is_sentence(text) is whole


def test_label_is_told_from_its_sentence() -> None:
    assert proposition.label("- **Cost:** tar is dear.") == ("Cost", "tar is dear.")
    assert proposition.label("Wide boats are slow: they turn late.")[0] == ""
    assert proposition.is_meta("Why this matters")


_UNITS = (
    *("$", "$a", "\\(", "1/", "1.1 ", "00:01 ", ", um", "🧵 ", "\ufffc", "und ", "is therefore ", "ist daher "),
    *(", however, ", "then the ", "Ng et al. "),
    *("[", "*", "(", "a ", '"', "<!--", "**a", "_"),
)


@pytest.mark.parametrize("unit", _UNITS)
def test_time_is_linear(unit: str) -> None:
    def read(times: int) -> None:
        clean(unit * times)
        faults(unit * times)

    grows_linearly(read, 25_000)


def test_few_false_alarms_on_titles_that_people_wrote() -> None:
    if not TELEO.exists():
        pytest.skip("the corpora are not here")
    paths = [path for folder in ("domains", "core", "foundations") for path in (TELEO / folder).rglob("*.md")]
    titles = [path.stem if " " in path.stem else path.stem.replace("-", " ") for path in paths]
    faulty = [title for title in titles if faults(title)]
    assert len(titles) > 300
    assert len(faulty) <= 0.02 * len(titles), faulty


def test_a_star_between_letters_is_no_emphasis() -> None:
    assert "CYP1A2*1F" in clean("Slow metabolisers, who carry the **CYP1A2*1F** variant, lose *more* sleep.")
