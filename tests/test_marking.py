"""Marks that a program puts into a packet: read back as if typed, and nothing else in the text changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_kb.review import marking, reading
from codex_kb.text.marks import one_line
from test_packet import QUOTES, THREE, decided, rendered, texts

TEXT = rendered(*THREE)
TITLES = texts.filter(lambda text: bool(one_line(text)))


def others(text: str, name: str) -> list[str]:
    """All but one section, and the rest of the packet."""
    parsed = reading.parse(text)
    return [parsed.preamble, *(each.text for each in (*parsed.sections, *parsed.missed) if each.id != name)]


@given(st.sampled_from(THREE), st.sampled_from(sorted(marking.MARKS)), texts, st.sampled_from(["\n", "\r\n"]))
def test_a_mark_and_its_reason_are_read_back_and_nothing_else_changes(
    proposal: object, mark: str, reason: str, newline: str
) -> None:  # fmt: skip
    name = proposal.id  # type: ignore[attr-defined]
    before = TEXT.replace("\n", newline)
    after = marking.marked(before, name, mark, {"reason": reason})
    section = marking.section_of(after, name)
    assert section is not None
    assert (section.mark, section.fields["reason"]) == (mark, " ".join(one_line(reason).split()))
    assert others(after, name) == others(before, name)
    assert mark == "add" or not decided(after).errors  # it names no claim
    assert marking.marked(marking.marked(after, name, "wait"), name, mark) == after


@given(TITLES, texts)
def test_another_title_and_description_are_read_back(title: str, description: str) -> None:
    name = THREE[1].id
    after = marking.marked(TEXT, name, "approve", {"title": title, "description": description})
    outcome = decided(after)
    assert not outcome.errors
    assert outcome.approved[0].title == " ".join(one_line(title).split())
    assert outcome.approved[0].description == " ".join(one_line(description).split())


def test_a_title_and_a_field_that_an_editor_wrapped_are_replaced_whole() -> None:
    name = THREE[0].id
    wrapped = TEXT.replace("at sea\n", "at\nsea and far from it\n", 1)
    wrapped = wrapped.replace("- reason:\n", "- reason: too\nlong\n", 1)
    after = marking.marked(wrapped, name, "reject", {"title": "Boats are wide", "reason": "vague"})
    section = marking.section_of(after, name)
    assert section is not None
    assert (section.title, section.fields["reason"]) == ("Boats are wide", "vague")
    assert "far from it" not in after
    assert "long" not in after
    assert [each.reason for each in decided(after).rejected] == ["vague"]


def test_a_field_that_a_section_lacks_is_added() -> None:
    after = marking.marked(TEXT, THREE[0].id, "add", {"adds to": "[[other]]", "as": "confirm"})
    section = marking.section_of(after, THREE[0].id)
    assert section is not None
    assert (section.fields["adds to"], section.fields["as"], section.errors) == ("[[other]]", "confirm", [])


def test_a_heading_that_lost_its_brackets_gets_them_again() -> None:
    after = marking.marked(TEXT.replace("## [ ] ", "## ", 1), THREE[0].id, "reject")
    assert len(decided(after).rejected) == 1


def test_what_is_not_there_is_not_marked() -> None:
    with pytest.raises(KeyError):
        marking.marked(TEXT, "ffffffffffff", "approve")
    with pytest.raises(KeyError):
        marking.replaced(TEXT, "ffffffffffff", "## [x] forged\n")


@given(TITLES.filter(lambda text: bool(reading.without_comments(one_line(text)))))
def test_a_missed_claim_is_read_back_and_leaves_an_empty_section(title: str) -> None:
    once = marking.with_missed(TEXT, title, QUOTES[2], "It costs more")
    twice = marking.with_missed(once, "Narrow boats are cheap", QUOTES[1])
    outcome = decided(twice)
    assert not outcome.errors
    seen = reading.without_comments(one_line(title))
    assert [each.title for each in outcome.missed] == [seen, "Narrow boats are cheap"]
    assert outcome.missed[0].description == "It costs more"
    assert outcome.missed[0].evidence[0].quote == QUOTES[2]
    assert reading.parse(twice).missed[-1].title == ""
    assert others(twice, "")[: len(THREE) + 1] == others(TEXT, "")[: len(THREE) + 1]


def test_a_version_changes_with_what_a_person_may_change_and_with_nothing_else() -> None:
    def versions(text: str) -> list[str]:
        return [marking.version(each) for each in reading.parse(text).sections]

    name = THREE[0].id
    near = TEXT.replace("3. Is it new?", "3. Is it new? Nearest claims (new):\n   - 0.71 [[other]]", 1)
    assert near != TEXT
    assert versions(near) == versions(TEXT)
    assert marking.whole_version(near) == marking.whole_version(TEXT)
    changed = [marking.marked(TEXT, name, "approve"), marking.marked(TEXT, name, "wait", {"title": "x"}),
               marking.marked(TEXT, name, "wait", {"domain": "x"})]  # fmt: skip
    assert len({versions(text)[0] for text in [TEXT, *changed]}) == 4
    assert {tuple(versions(text)[1:]) for text in [TEXT, *changed]} == {tuple(versions(TEXT)[1:])}
    assert len({marking.whole_version(text) for text in [TEXT, *changed]}) == 4
