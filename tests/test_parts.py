"""Parts cover the body, fit, and end where a reader would pause."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_kb.text.parts import Part, split
from conftest import grows_linearly

LINES = st.sampled_from(
    ["# A", "## B ##", "###### C", "####### no", "#no", "    # no", "```", "~~~~ x", "``", "One. Two! Three?", "", "  ",
     "long words without an end " * 3, "潮が満ちる。船が浮く。", "x" * 50, "\t# no", "   # D", "#", "# A\r"]
)  # fmt: skip
BODIES = st.one_of(st.text(max_size=200), st.lists(LINES, max_size=30).map("\n".join))


def texts(body: str, most: int) -> list[str]:
    return [body[part.start : part.end] for part in split(body, most)]


@given(BODIES, st.integers(1, 120))
@settings(max_examples=300, deadline=None)
def test_parts_cover_the_body_and_fit(body: str, most: int) -> None:
    parts = split(body, most)
    assert "".join(body[p.start : p.end] for p in parts) == body
    assert all(0 < p.end - p.start <= most for p in parts)
    assert all(left.end == right.start for left, right in pairwise(parts))


@given(st.lists(st.integers(4, 60), min_size=1, max_size=12), st.integers(4, 60))
@settings(deadline=None)
def test_sections_that_fit_stay_whole_and_are_joined(lengths: list[int], most: int) -> None:
    sections = ["# A\n" + "x y " * ((length - 4) // 4) for length in lengths]
    sections = [f"{section}\n" for section in sections]
    ends = [sum(map(len, sections[: n + 1])) for n in range(len(sections))]
    parts = split("".join(sections), most)
    for part, after in pairwise(parts):
        if part.end in ends:
            following = len(sections[ends.index(part.end) + 1])
            assert part.end - part.start + following > most or after.start == part.start
        else:
            section = next(len(text) for text, end in zip(sections, ends, strict=True) if end > part.end)
            assert section > most


def test_small_sections_are_joined_and_whole_ones_stay_whole() -> None:
    small = ["# A\n\nOne.\n\n", "# B\n\nTwo.\n\n", "# C\n\n" + "Three. " * 10 + "\n\n", "# D\n\nFour.\n"]
    body = "".join(small)
    assert texts(body, 1000) == [body]
    assert texts(body, 85) == [small[0] + small[1], small[2], small[3]]
    assert texts(body, 200) == [body]


def test_a_title_goes_with_the_section_that_must_be_cut() -> None:
    body = "# Title\n\n## One\n\n" + "A sentence. " * 20
    assert texts(body, 100)[0].startswith("# Title\n\n## One\n\nA sentence.")


@pytest.mark.parametrize(
    ("body", "most", "first"),
    [
        ("One is here.\n\nTwo is here. And three.", 30, "One is here.\n\n"),
        ("One is here. Two is here, and more of it", 30, "One is here. "),
        ("One is “here.” Two is here, and more of it", 30, "One is “here.” "),
        ("潮が満ちる。船が浮くのはなぜか知らない", 12, "潮が満ちる。"),
        ("one two three four", 10, "one two "),
        ("onetwothreefour", 10, "onetwothre"),
    ],
)
def test_an_overlong_section_is_cut_at_the_best_pause(body: str, most: int, first: str) -> None:
    assert texts(body, most)[0] == first


def test_headings_are_paths() -> None:
    lines = ["intro", "# A", "## B *b* ##", "### C", "## D", "```\n# no", "```\n~~~\n```\n# no\n~~~", "# E"]
    body = "".join(f"{line}\n{'x ' * 30}\n\n" for line in lines)
    found = {body[p.start : p.end].split("\n")[0]: p.heading for p in split(body, 90)}
    assert found == {
        "intro": "", "# A": "A", "## B *b* ##": "A > B *b*", "### C": "A > B *b* > C", "## D": "A > D",
        "```": "A > D", "# E": "E",
    }  # fmt: skip


def test_a_part_inside_a_section_has_its_heading() -> None:
    body = "# A\n\n## B\n\n" + "word " * 100
    assert {part.heading for part in split(body, 60)[1:]} == {"A > B"}
    assert split("# A\n", 10) == [Part(0, 4, "A")]
    assert split("", 10) == []


def test_a_part_has_at_least_one_character() -> None:
    with pytest.raises(ValueError, match="at least one"):
        split("a", 0)


@pytest.mark.parametrize(
    "unit", ["a", "a ", "# a\n", "# ", "`", "```\n", "\n", " \n", ".", "! ", ".)", " ", "###### x\n"]
)
@pytest.mark.parametrize("most", [16, 1000, 100_000])
def test_time_is_linear(unit: str, most: int) -> None:
    grows_linearly(lambda size: split(unit * (size // len(unit)), most), 75_000)
