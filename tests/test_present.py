"""What pages show of records."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codex_kb.web import present

BODY = "# Title\nA first line\nof text.\n\n```\n# code\n\nmore\n```\n\nThe end."


def test_a_body_is_cut_into_headings_paragraphs_and_code() -> None:
    found = [(block.kind, "".join(piece.text for piece in block.pieces)) for block in present.blocks(BODY)]
    assert found == [("heading", "# Title"), ("text", "A first line\nof text."), ("code", "```\n# code\n\nmore\n```"),
                     ("text", "The end.")]  # fmt: skip


def test_quotes_that_overlap_are_marked_piece_by_piece_and_begin_once() -> None:
    body = "one two three four\n\nfive six"
    spans = [(0, 13, "a"), (8, 18, "b"), (14, 24, "c")]
    pieces = [piece for block in present.blocks(body, spans) for piece in block.pieces]
    assert [(each.text, each.ids) for each in pieces] == [
        ("one two ", ("a",)), ("three", ("a", "b")), (" ", ("b",)), ("four", ("b", "c")), ("five", ("c",)),
        (" six", ()),
    ]  # fmt: skip
    assert [each.first for each in pieces] == [("a",), ("b",), (), ("c",), (), ()]


@given(st.text("ab \n#`", max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(1, 60)), max_size=4))
def test_nothing_of_a_body_is_lost(body: str, places: list[tuple[int, int]]) -> None:
    spans = [(start, min(start + size, len(body)), str(number))
             for number, (start, size) in enumerate(places) if start < len(body)]  # fmt: skip
    text = "".join(piece.text for block in present.blocks(body, spans) for piece in block.pieces)
    assert "".join(text.split()) == "".join(body.split())


def test_words_that_differ_are_told_apart() -> None:
    one, other = present.differing("Large cities raise wages", "large towns raise wages a lot")
    assert one == [("Large ", False), ("cities", True), (" raise wages", False)]
    assert other == [("large ", False), ("towns", True), (" raise wages", False), (" a lot", True)]


def test_an_age_is_in_its_largest_unit() -> None:
    ages = [present.age(seconds) for seconds in (5, 3600, 7300, 86_400, 15 * 86_400, 400 * 86_400)]
    assert ages == ["less than an hour", "1 hour", "2 hours", "1 day", "2 weeks", "1 year"]


def test_places_in_a_text_are_parts_of_it() -> None:
    assert present.highlighted("a bc d", [(2, 4)]) == [("a ", False), ("bc", True), (" d", False)]
