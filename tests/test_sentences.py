"""The splitter: offsets are exact, whatever the text; boundaries and blocks as a reader sees them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codex_kb.text.sentences import Sentence, split
from conftest import grows_linearly

MARKDOWNISH = st.text(
    st.sampled_from('ab Cd.!?…。\u061f।\n\r\t>#*-_`|[]()<!"“”\u20191.:~=•é😀') | st.characters(),
    max_size=300,
)


def texts(body: str, kind: str | None = None) -> list[str]:
    return [" ".join(s.text.split()) for s in split(body) if kind in (None, s.kind)]


@given(MARKDOWNISH)
@settings(max_examples=300, deadline=None)
@example("a\r\n> b\r\n")
@example("x | y\n-|-\n")
@example("Text\n---\n")
def test_offsets_are_exact_and_ordered(body: str) -> None:
    found = split(body)
    for sentence in found:
        assert body[sentence.start : sentence.end] == sentence.text
        assert sentence.text.strip() == sentence.text != ""
    for left, right in pairwise(found):
        assert left.end <= right.start
        assert left.paragraph <= right.paragraph


@pytest.mark.parametrize(
    ("paragraph", "count"),
    [
        ("Dr. Ada Ng met Mr. Bo. They agreed.", 2),
        ("Tides rise, e.g. in spring, i.e. twice a day. Boats float.", 2),
        ("Ng et al. Showed nothing new here vs. Bo in 2019. It held.", 2),
        ("The U.S. Navy sails. It left the U.S. The crew stayed.", 3),
        ("See Fig. 3 for the tide. Version 2.4.1 costs 3.50 dollars. Done.", 3),
        ("J. R. Smith wrote it. He slept.", 2),
        ("It rained... and then it stopped. The end came... Nobody knew.", 3),
        ("He said \u201cno.\u201d She left. (It was late.) All slept.", 4),
        ("Boats float.[1] Stones sink.[2, 3] Ice floats.", 3),
        ("Really? Yes! Fine.", 3),
        ("It grew in 2030. The rest shrank.", 2),
        ("潮が満ちる。船が浮く\uff01本当\uff1f", 3),
        ("यह नाव है। वह पानी है।", 2),
        ("هل ترتفع المياه؟ نعم ترتفع.", 2),
        ("Boats float 🚢. Stones sink 🪨.", 2),
        ("Yahoo! is a company. It sells.", 2),
    ],
)
def test_boundaries(paragraph: str, count: int) -> None:
    assert len(split(paragraph)) == count, texts(paragraph)


def test_wrapped_paragraphs_lists_and_quotes_are_whole() -> None:
    body = "Boats that are\r\nwide float well. They\r\nturn slowly.\r\n"
    body += "\r\n- A keel that\r\n  is long helps.\r\n- Tar seals.\r\n\r\n> Stones sink\r\n> in water.\r\n"
    assert texts(body) == [
        "Boats that are wide float well.",
        "They turn slowly.",
        "A keel that is long helps.",
        "Tar seals.",
        "Stones sink > in water.",
    ]
    assert [s.kind for s in split(body)] == ["prose", "prose", "item", "item", "quote"]


def test_no_prose_yields_nothing() -> None:
    body = (
        "```\ncode is here. And here.\n```\n\n    indented code too.\n\n| a | b |\n|---|---|\n| c. | d. |\n\n"
        "<!-- a comment.\nmore. -->\n\n***\n\n![alt text.](x.png)\n\n[^1]: A footnote is here.\n\n"
        "- [[one note]]\n- [site](https://example.org)\n- https://example.org/a\n\n"
        "Author: Ada Ng\nDate: 2024-01-02\n\nBy Ada Ng\n\nApr 17, 2023\n\n"
        "- Status: Passed\n- URL: https://example.org\n"
    )
    assert texts(body) == []


def test_prose_between_survives() -> None:
    assert texts("x = 1 is prose.\n\n```\ncode\n```\nBoats float.\n") == ["x = 1 is prose.", "Boats float."]
    assert texts("name | value\n---|---\na | b\n\nBoats float.\n") == ["Boats float."]
    assert texts("<!-- one --> \nBoats float.\n") == ["Boats float."]


def test_sections_and_headings() -> None:
    body = "Before.\n\n# Tides ##\n\nBoats float.\n\n"
    body += "Keels\n-----\n\nKeels help.\n\nA sentence.\n---\n\nLast one.\n"
    assert [(s.kind, s.section) for s in split(body)] == [
        ("prose", ""),
        ("heading", "Tides"),
        ("prose", "Tides"),
        ("heading", "Keels"),
        ("prose", "Keels"),
        ("prose", "Keels"),
        ("prose", "Keels"),
    ]


def test_bold_lead_ins_stay_with_their_sentence_and_end_the_line_above() -> None:
    body = "**Access:** boats reach every port\n**Cost:** tar is dear this year\n"
    assert texts(body) == ["**Access:** boats reach every port", "**Cost:** tar is dear this year"]
    assert texts("**Boats float.** Stones sink.") == ["**Boats float.**", "Stones sink."]


def test_short_lines_are_not_one_sentence() -> None:
    assert len(split("HARBOUR\nKEEL\nTAR\nMAST AND SAIL\n")) == 4


@pytest.mark.parametrize(
    "unit",
    ["a", "*", "[", "!", ".*", ">", "> ", "a.b ", "[^1]", "- ", "A: ", "`", "a\n", "| ", "\t", "> \n", "```\n",
     "<!--\n"],
)  # fmt: skip
def test_time_is_linear(unit: str) -> None:
    def read(times: int) -> None:
        split(unit * times + " x\n" + unit * times)

    grows_linearly(read, 10_000)


def test_record_is_what_it_says() -> None:
    assert split("# Tides\n\nBoats float.")[1] == Sentence(9, 21, "Boats float.", "Tides", "prose", 1)


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        ("- Tar seals.\nWide boats float.", ["item", "prose"]),
        ("- tar\nWide boats float in every harbour.", ["item", "prose"]),
        ("- costs:\nWide boats float.", ["item", "prose"]),
        ("- tar from the woods of the north is what the harbours buy\nNone of it floats.", ["item", "prose"]),
        ("- tar that is made in\nthe north", ["item"]),
        ("- tar that is made in the deep woods of the north of\nNorway", ["item"]),
        ("- Tar seals.\n  Wide boats float.", ["item", "item"]),
    ],
)
def test_a_sentence_below_an_item_is_its_own(body: str, kinds: list[str]) -> None:
    assert [s.kind for s in split(body)] == kinds
