"""A quote is found where it stands, whatever its typography, and nowhere else."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codex_kb.records import Evidence
from codex_kb.text.ground import locate, placed
from codex_kb.text.marks import visible
from conftest import grows_linearly

TEXT = st.text(
    alphabet=st.sampled_from(
        "ab \n\t'\"\u2019\u201c-\u2014\u2026.\u00ad\u200b\u00a0é\u0301😀ﬁfiﬃＡA*_`\x00\u202e\U000e0041"
    ),
    max_size=60,
)
ALIKE = {
    "'": "'\u2019\u2018", '"': '"\u201c\u201d', "-": "-\u2013\u2014", " ": " \u00a0\n\t", "a": "aａ",
    "é": ("é", "e\u0301"), "fi": ("fi", "ﬁ"), "...": ("...", "\u2026"),
}  # fmt: skip


def folded(text: str) -> str:
    """What `locate` compares, written another way: by replacing in whole texts."""
    text = re.sub(r"\s", " ", text)
    hidden = {"Cf", "Cc", "Cs"}
    text = "".join(c for c in text if unicodedata.category(c) not in hidden and not "\ufe00" <= c <= "\ufe0f")
    text = re.sub("[\ufb00-\ufb06\uff01-\uff5e]", lambda c: unicodedata.normalize("NFKC", c[0]), text)
    text = "".join(unicodedata.normalize("NFD", c) for c in text)
    for plain, others in {"'": "\u2018\u2019\u201a\u201b\u2032", '"': "\u201c\u201d\u201e\u201f\u2033"}.items():
        text = re.sub(f"[{others}]", plain, text)
    text = re.sub("[\u2010-\u2015\u2212]", "-", text).replace("\u2026", "...")
    return re.sub(" +", " ", text).strip(" ")


def unmarked(text: str) -> str:
    """Without marks that have white space, an end or a sign on one side and something else on the other."""
    inside = r"(?<=[^\W_])[*_`]++(?=[^\W_])|(?:(?<=\s)|(?<![\s\S]))[*_`]++(?=\s|\Z)"
    return re.sub(rf"({inside})|[*_`]++", lambda marks: marks[1] or "", text)


@given(TEXT, st.data())
def test_any_slice_of_a_body_is_found_as_it_is(body: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(body)))
    quote = body[start : data.draw(st.integers(start, len(body)))]
    span = locate(quote, body, start)
    if not any(map(str.isalnum, quote)):
        assert span is None
    else:
        assert span == (start, start + len(quote))


@given(TEXT, TEXT, st.integers(-5, 100))
def test_a_span_lies_in_the_body_and_is_not_empty(quote: str, body: str, near: int) -> None:
    span = locate(quote, body, near)
    if span is not None:
        assert 0 <= span[0] < span[1] <= len(body)
        found = body[slice(*span)]
        assert folded(found) == folded(quote) or unmarked(folded(found)) == unmarked(folded(quote))


@given(
    TEXT, st.integers(0, 60), st.integers(0, 60), st.sets(st.sampled_from("*_`\u00ad\u200b\x00")), st.integers(0, 60)
)
def test_a_span_equals_its_quote_when_both_are_folded(
    body: str, start: int, end: int, out: set[str], near: int
) -> None:
    quote = "".join(char for char in body[start:end] if char not in out)
    span = locate(quote, body, near)
    if span is not None:
        found = body[slice(*span)]
        assert quote in (found, body) or unmarked(folded(found)) == unmarked(folded(quote))
    elif any(map(str.isalnum, quote)):
        assert out & set("*_`")


@given(TEXT, st.data())
@settings(deadline=None)
@example("a\x1cb", None)
def test_what_is_quoted_from_the_visible_text_is_found(body: str, data: st.DataObject | None) -> None:
    sent = visible(body)
    start = data.draw(st.integers(0, len(sent))) if data else 0
    quote = sent[start : data.draw(st.integers(start, len(sent)))] if data else sent
    assert (locate(quote, body) is not None) == any(map(str.isalnum, quote))


@given(st.lists(st.sampled_from(["'", '"', "-", " ", "a", "é", "fi", "...", "b", "x"]), min_size=1), st.randoms())
def test_typography_of_either_side_does_not_matter(pieces: list[str], chance: random.Random) -> None:
    quote, body = ("x" + "".join(chance.choice(ALIKE.get(p, p)) for p in pieces) + "x" for _ in range(2))
    span = locate(quote, f"y {body} y")
    assert span == (2, 2 + len(body))


@pytest.mark.parametrize(
    ("quote", "body", "found"),
    [
        ("it's", "and it\u2019s so", "it\u2019s"),
        ("it\u2019s", "and it's so", "it's"),
        ('"wide" boats', "\u201cwide\u201d boats", "\u201cwide\u201d boats"),
        ("wide boats", "the wide\u00a0boats", "wide\u00a0boats"),
        ("wide boats", "the wide\r\n  boats turn", "wide\r\n  boats"),
        ("wide\nboats", "the wide boats turn", "wide boats"),
        ("1990-2000", "in 1990\u20132000.", "1990\u20132000"),
        ("a \u2014 b", "x a - b", "a - b"),
        ("wait...", "so wait\u2026 then", "wait\u2026"),
        ("harbour", "the har\u00adbour", "har\u00adbour"),
        ("har\u200bbour", "the harbour", "harbour"),
        ("  wide boats \n", "the wide boats turn", "wide boats"),
        ("\ufeffwide", "wide", "wide"),
        ("😀 it's", "a 😀 it\u2019s", "😀 it\u2019s"),
        ("the final office", "in the ﬁnal oﬃce now", "the ﬁnal oﬃce"),
        ("ABC 12, yes!", "say ＡＢＣ　１２， yes！ now", "ＡＢＣ　１２， yes！"),
        ("café", "a cafe\u0301 here", "cafe\u0301"),
        ("cafe\u0301", "a café here", "café"),
        ("wide boats", "the wi\U000e0041de\u202e bo\x00ats\ufe0f", "wi\U000e0041de\u202e bo\x00ats"),
        ("wide boats turn", "the **wide** boats _turn_ now", "wide** boats _turn"),
        ("wide boats, it turns", "**wide boats**, `it` turns", "wide boats**, `it` turns"),
        ("**wide** boats", "the wide boats", "wide boats"),
        ("**wide** boats", "the __wide__ boats", "wide__ boats"),
        ('he said "wide" boats', "he said *“wide”* boats", "he said *“wide”* boats"),
        ("a ... b", "so a \u2026 b it is", "a \u2026 b"),
        ("a [...] b", "so a [\u2026] b it is", "a [\u2026] b"),
    ],
)
def test_folded_quotes_map_to_the_exact_span(quote: str, body: str, found: str) -> None:
    span = locate(quote, body)
    assert span is not None
    assert body[slice(*span)] == found


@pytest.mark.parametrize("quote", ["", " \n", "\u200b", "narrow", "Wide boats", "wide boat s", "the wide boats turn!"])
def test_what_does_not_stand_there_is_not_found(quote: str) -> None:
    assert locate(quote, "the wide boats turn") is None


@pytest.mark.parametrize(
    ("quote", "body"),
    [
        ("**", "a ** b"),
        ("\u3164\u115f", "a \u3164\u115f"),
        ("\u0301", "e\u0301"),
        ("...", "and so on ..."),
        ("— “ ”", "— “ ”"),
        ("the wide ... turn", "the wide boats turn"),
        ("the wide \u2026 turn", "the wide boats turn"),
        ("the wide [...] turn", "the wide boats turn"),
        ("23", "2*3"),
        ("2 3", "2 * 3"),
        ("ab", "a_b"),
        ("nal of", "the ﬁ*nal oﬀer"),
        ("inal x", "ﬁnal\u00a0x"),
        ("cafe x", "café\u00a0x"),
        ("wait.. x", "wait\u2026 x"),
        ("10 2", "10²"),
        ("102", "10²"),
    ],
)
def test_what_stands_there_otherwise_is_not_found(quote: str, body: str) -> None:
    assert locate(quote, body) is None


def test_a_place_inside_a_ligature_is_passed_over() -> None:
    assert locate("i\u2019s", "ﬁ's i's") == (4, 7)
    assert locate("i\u2019s", "i's ﬁ's", 7) == (0, 3)


@pytest.mark.parametrize(("near", "start"), [(0, 0), (4, 6), (3, 0), (7, 6), (100, 12), (-3, 0)])
def test_of_several_places_the_nearest_is_taken(near: int, start: int) -> None:
    assert locate("boat", "boat, boat, boat", near) == (start, start + 4)


def test_of_several_folded_places_the_nearest_is_taken() -> None:
    body = "it\u2019s, it\u2019s, it\u2019s"
    assert locate("it's", body, 7) == (6, 10)


@pytest.mark.parametrize("unit", ["a", "a ", "\u2019", " ", "\u2026", "word it\u2019s "])
def test_a_long_body_takes_linear_time(unit: str) -> None:
    def find(size: int) -> None:
        body = unit * (size // len(unit))
        locate("it's not " + unit * 1000 + " there", body, size // 2)

    grows_linearly(find, 75_000)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: ("a" * n + "b" + "a" * n, "a" * 6 * n),
        lambda n: ("a" * 3 * n, "a" * 3 * n + "b" + "a" * (3 * n - 1)),
        lambda n: ("a" + "\u0301\u0323" * 1000, "a" + "\u0301" * 6 * n),
        lambda n: ("\u0301\u0323" * 1000 + "a", "\u0323\u0301" * 3 * n),
        lambda n: ("fi" + "ffi" * n, "ﬃ" * 3 * n),
        lambda n: ("i'" * 1000 + "x", "ﬁ\u2019" * 2 * n),
        lambda n: ("a*_`" * n + "b", "a*_`" * 2 * n),
        lambda n: ("a " + "*" * n + "b", "*" * 6 * n),
        lambda n: ("a b", "a" + "\u200b" * 3 * n + " " * 3 * n + "c"),
        lambda n: ("각" * 1000 + "x", "각" * 2 * n),
    ],
    ids=str.split("rfind halves marks-after marks-before ligatures ligature-ends emphasis stars space hangul"),
)
@pytest.mark.parametrize("near", [0, 60_000, 10**9])
def test_no_input_takes_more_than_linear_time(make: Callable[[int], tuple[str, str]], near: int) -> None:
    grows_linearly(lambda size: locate(*make(size), near), 10_000)


@pytest.mark.parametrize("quote", ["one", "two\nthree", "four"])
def test_a_quote_keeps_its_place_where_git_wrote_returns(quote: str) -> None:
    body = "\none\ntwo\nthree\n\nfour\n"
    start = body.index(quote)
    item = Evidence("inbox/a.md", "", quote, start, start + len(quote))
    assert placed(item, body) == (start, start + len(quote))
    returns = body.replace("\n", "\r\n")
    found = placed(item, returns)
    assert found is not None
    assert returns[slice(*found)] == quote.replace("\n", "\r\n")
    assert placed(Evidence("inbox/a.md", "", quote, start + 7, start + 7 + len(quote)), returns) is None
