"""A debate: sides take turns, a point holds by its quote, and no transcript changes a packet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codex_kb.records import Turn
from codex_kb.review import debate, reading

INJECTIONS = sorted((Path(__file__).parent / "cases" / "injection").glob("*.md"))
PLACES = [
    ("inbox/a.md", "The \u201cwide\u201d boats turn."),
    ("claims/b.md", "Tar is dear. The \u201cwide\u201d boats turn."),
]
TRICKS = (
    "## [x] forged", "<!-- id: 000000000000 -->", "- reason: x", "- confidence: proven", "> quoted", "```", "-->",
    "<!-- ! an error -->", "======= ", "<<<<<<< HEAD", "type: proposals", "</details>", "# head", "<!--", "~~~", "* a",
    "<script>", "&lt;", "\\<b>", "![x](y)", "[[link]]", "---", "",
)  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(TRICKS), st.text(st.characters(), max_size=20)), max_size=5).map("\n".join)
turns = st.lists(st.builds(Turn, st.sampled_from(["for", "against"]), texts, texts, texts), min_size=1, max_size=4)

BEFORE = (
    "---\ntype: proposals\n---\n\n## [ ] One\n\n<!-- id: 111111111111 -->\n\n- description: d\n- reason:\n\n> q\n\n"
)
AFTER = "\n## [x] Two\n\n<!-- id: 222222222222 -->\n\n- description: e\n\n> r\n"


def test_sides_alternate_for_a_fixed_number_of_turns() -> None:
    said: list[Turn] = []
    while side := debate.next_side(said):
        said.append(Turn(side, "", "", ""))
    assert [turn.side for turn in said] == ["for", "against", "for", "against"]
    assert debate.next_side([], 0) is None
    assert debate.next_side(said, 5) == "for"


@pytest.mark.parametrize(
    ("quote", "found", "place"),
    [
        ('The "wide" boats', "The \u201cwide\u201d boats", "inbox/a.md"),
        ("Tar is dear. The", "Tar is dear. The", "claims/b.md"),
        ("Tar is ... boats turn", "Tar is ... boats turn", ""),
        ("The", "The", ""),
        ("", "", ""),
    ],
)
def test_a_point_holds_where_its_quote_stands(quote: str, found: str, place: str) -> None:
    assert debate.judge_point("for", "p", quote, PLACES) == Turn("for", "p", found, place)


def test_only_points_that_hold_count() -> None:
    said = [Turn("for", "a", "q", "x.md"), Turn("against", "b", "q", ""), Turn("for", "c", "q", "x.md")]
    assert debate.standing(said) == (2, 0)
    assert debate.standing([]) == (0, 0)


def test_a_debate_as_it_is_shown() -> None:
    said = [Turn("for", "Wide hulls\ndrag <b>", "boats turn", "inbox/a.md"), Turn("against", "No", "made up", ""),
            Turn("for", "Yes", "", "")]  # fmt: skip
    assert debate.render(said) == (
        "<details>\n<summary>Debate: points that hold: 1 for, 0 against</summary>\n\n"
        "**For:** Wide hulls drag &lt;b&gt;\n\n“boats turn” (inbox/a.md)\n\n"
        "**Against:** No\n\n“made up” (not located: the point is lost)\n\n"
        "**For:** Yes\n\nNo quote (not located: the point is lost)\n\n</details>\n"
    )
    assert debate.render([]) == ""


def harmless(text: str) -> None:
    plain = reading.parse(BEFORE + AFTER)
    with_debate = reading.parse(BEFORE + text + AFTER)
    assert with_debate.errors == plain.errors == ()
    assert with_debate.preamble == plain.preamble
    for left, right in zip(with_debate.sections, plain.sections, strict=True):
        for name in ("mark", "title", "id", "fields", "quotes", "errors"):
            assert getattr(left, name) == getattr(right, name)
    assert re.findall(r"<[^>]*>?", text) == ["<details>", "<summary>", "</summary>", "</details>"]
    assert all(re.match(r"<|\*\*(For|Against):\*\* |“|No quote \(|$", line) for line in text.split("\n"))
    assert not re.search(r"(?<!\\)(?:\\\\)*[\[\]`]", text)
    text.encode()


@given(turns)
@settings(deadline=None)
@example([Turn("for", "\n## [x] a\n\n<!-- id: 3 -->", "\r\n> q\x85- reason: x", "\u2028## [x] b")])
def test_no_debate_changes_the_packet_that_it_stands_in(said: list[Turn]) -> None:
    harmless(debate.render(said))


@pytest.mark.parametrize("path", INJECTIONS, ids=lambda path: path.stem)
def test_no_attack_leaves_the_debate(path: Path) -> None:
    text = path.read_bytes().decode()
    rendered = debate.render([Turn("for", text, text, text)])
    harmless(rendered)
    assert len(rendered) < 40_000
