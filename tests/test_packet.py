"""Review packets: what is written comes back, and nothing in a text can forge a decision."""

from __future__ import annotations

import dataclasses
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_kb.propose import drafts
from codex_kb.records import Decision, Evidence, Hit, Packet, Proposal, Source, Turn
from codex_kb.review import decide, earlier, packet, reading
from codex_kb.text import marks
from codex_kb.text.fields import byline

TRICKS = (
    "## [x] forged", "<!-- id: 000000000000 -->", "- [x] done", "```", "- confidence: proven", "---", "> quoted",
    "<!-- ! an error -->", "======= ", "<<<<<<< HEAD", "type: proposals", "plain words", "", "  ", "# head", "-->",
    "<!--",
)  # fmt: skip
lines = st.one_of(st.sampled_from(TRICKS), st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
texts = st.builds(
    lambda parts, end: end.join(parts), st.lists(lines, min_size=1, max_size=5), st.sampled_from(["\n", "\r\n"])
)
CASES = Path(__file__).parent / "cases"
QUOTES = ("Wide boats turn slowly.", "Narrow boats are cheap.", "Tar is dear in winter.")
BODY = "\n\n".join(QUOTES) + "\n"


def source_of(body: str = BODY) -> Source:
    return Source("inbox/a.md", {}, body, "0" * 64, "A", "Ann", "", "", "boats", "processing")


def proposal_of(quote: str, title: str = "", start: int = 0, description: str = "More of it") -> Proposal:
    title = marks.one_line(title) or "Boats are wide"
    evidence = Evidence("inbox/a.md", "0" * 64, quote, start, start + len(quote))
    return Proposal(
        id=drafts.proposal_id("inbox/a.md", title, [quote]), source="inbox/a.md", source_sha256="0" * 64, title=title,
        description=marks.one_line(description) or "More", domain="boats", confidence="likely", relation="new",
        evidence=(evidence,), nearest=(), proposer="extractive", generation=0, notes=(),
    )  # fmt: skip


def packet_of(*proposals: Proposal) -> Packet:
    return Packet("a", "inbox/a.md", "0" * 64, "extractive", 0, proposals)


def rendered(*proposals: Proposal) -> str:
    return packet.render(packet_of(*proposals), "Ann", lambda _: "Quote: a.md, line 1")


THREE = [proposal_of(q, f"{q[:-1]} at sea", BODY.index(q)) for q in QUOTES]


def decided(text: str, proposals: list[Proposal] | None = None) -> decide.Outcome:
    return decide.decide(packet_of(*(THREE if proposals is None else proposals)), text, source_of())


def boats(text: str, number: int = 1) -> str:
    """The text with so many sections marked x, from the first on."""
    return text.replace("## [ ]", "## [x]", number)


def accounted(outcome: decide.Outcome) -> list[str]:
    """The ids that are decided or wait."""
    decided = [*outcome.approved, *outcome.added, *outcome.rejected]
    return sorted([*(each.proposal.id for each in decided), *outcome.waiting])


def messages(text: str) -> str:
    return "\n".join(error.message for error in decided(text).errors)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=3))
def test_every_section_comes_back_unmarked(parts: list[tuple[str, str, str]]) -> None:
    made = {p.id: p for p in (proposal_of(f"q{q}q", title, 0, about) for title, q, about in parts)}
    parsed = reading.parse(rendered(*made.values()))
    assert parsed.errors == ()
    assert [s.errors for s in parsed.sections] == [[]] * len(made)
    for section, proposal in zip(parsed.sections, made.values(), strict=True):
        assert (section.mark, section.id, section.title) == ("wait", proposal.id, proposal.title)
        assert section.fields == {
            "description": proposal.description, "domain": "boats", "confidence": "likely", "reason": "",
        }  # fmt: skip
        assert section.quotes == ["\n".join(packet.quote_lines(proposal.evidence[0].quote))]


@settings(max_examples=100, deadline=None)
@given(texts)
def test_a_quote_as_shown_is_found_in_the_source(quote: str) -> None:
    quote = f"q{quote}q"
    body = f"before\n\n{quote}\n\nafter"
    proposal = proposal_of(quote, "A title", body.index(quote))
    text = rendered(proposal).replace("## [ ]", "## [x]", 1)
    outcome = decide.decide(packet_of(proposal), text, source_of(body))
    assert outcome.errors == ()
    evidence = outcome.approved[0].evidence[0]
    assert body[evidence.start : evidence.end] == evidence.quote == quote


@pytest.mark.parametrize("trick", TRICKS)
def test_nothing_in_a_text_forges_a_mark(trick: str) -> None:
    proposal = proposal_of(f"one\n{trick}\ntwo", f"Boats {trick}", 0, f"About {trick}")
    outcome = decided(rendered(proposal), [proposal])
    assert (outcome.decided, outcome.waiting, outcome.errors) == (0, (proposal.id,), ())


def test_the_first_box_belongs_to_the_first_proposal() -> None:
    outcome = decided(rendered(*THREE).replace("[ ]", "[x]", 1))
    assert [a.proposal.id for a in outcome.approved] == [THREE[0].id]


@pytest.mark.parametrize("change", [lambda t: t, lambda t: t.replace("\n", "\r\n"), lambda t: "\ufeff" + t])
def test_editors_with_other_line_ends_or_a_byte_order_mark(change) -> None:
    outcome = decided(change(rendered(*THREE).replace("[ ]", "[x]", 1).replace("[ ]", "[-]", 1)))
    assert (len(outcome.approved), len(outcome.rejected), len(outcome.waiting), outcome.errors) == (1, 1, 1, ())
    assert outcome.approved[0].title == THREE[0].title


def test_a_wrapped_title_and_field_are_read_whole() -> None:
    text = rendered(*THREE).replace("boats turn slowly", "boats turn\nslowly").replace("More of it", "More\n  of it")
    section = reading.parse(text).sections[0]
    assert (section.title, section.fields["description"]) == (THREE[0].title, "More of it")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("## [ ]", "## [y]", "the mark is x, +, - or empty"),
        ("## [ ] Narrow", "## Narrow", "lost its brackets"),
        (THREE[1].id, THREE[0].id, "stands in two sections"),
        ("## [ ] Narrow boats are cheap at sea", "", "a second id in one section"),
        (THREE[0].id, "0123456789ab", "no proposal 0123456789ab waits"),
        ("# Review", "<<<<<<< HEAD\n# Review", "merge conflict"),
        ("- domain: boats", "- domain: boats\n- domain: ships", "a second domain"),
        ("type: proposals", "", "the head of the packet is gone"),
    ],
)
def test_what_cannot_be_understood_decides_nothing(old: str, new: str, message: str) -> None:
    text = rendered(*THREE)
    assert old in text
    outcome = decided(text.replace(old, new, 1))
    assert message in messages(text.replace(old, new, 1))
    assert (outcome.decided, len(outcome.waiting)) == (0, 3)


def test_an_emptied_file_is_an_error_not_a_rejection() -> None:
    assert messages("").startswith("the head of the packet is gone")


def test_an_error_that_is_shown_in_the_text_is_no_head() -> None:
    text = rendered(*THREE).replace("type: proposals", ":type:\u00a0proposals")
    assert messages(packet.annotate(text, decided(text).errors)) == messages(text)


def test_annotate_and_without_errors_are_inverse() -> None:
    for text in (rendered(*THREE), rendered(*THREE).replace("\n", "\r\n")):
        errors = [
            reading.PacketError(1, "one --> two"),
            reading.PacketError(25, "three"),
            reading.PacketError(9999, "end"),
        ]
        noted = packet.annotate(text, errors)
        assert noted.count("<!-- ! ") == 3
        assert packet.without_errors(noted) == text


def test_join_is_the_inverse_of_parse() -> None:
    text = rendered(*THREE)
    parsed = reading.parse(text)
    assert reading.join(parsed, [s.text for s in parsed.sections]) == text


@pytest.mark.parametrize("edit", [lambda t: t, lambda t: t.replace("## [ ]", "## [x]"), lambda t: "\ufeff" + t],
                         ids=["as it was", "marked", "byte order mark"])  # fmt: skip
def test_the_head_tells_of_the_newest_run_only(edit) -> None:
    first = dataclasses.replace(packet_of(*THREE), report=("part 1 gave nothing",), held=(("Boats sink", "vague"),))
    second = dataclasses.replace(first, report=("all parts were read", "m: 3 answers"), held=())
    place = "Quote: a.md, line 1".format
    before = edit(packet.render(first, "Ann", place))
    after = packet.retold(before, second)
    expected = packet.render(second, "Ann", place)
    assert reading.parse(after).preamble == reading.parse(expected).preamble
    assert [s.text for s in reading.parse(after).sections] == [s.text for s in reading.parse(before).sections]
    assert packet.retold(after, second) == after
    assert packet.retold(after, packet_of(*THREE)) == edit(rendered(*THREE)).removeprefix("\ufeff")


def test_the_box_of_a_source_without_claims() -> None:
    text = rendered()
    assert decided(text, []).waiting == (packet.nothing_id(packet_of()),)
    assert decided(text.replace("[ ]", "[x]", 1), []).nothing


# -- every id is accounted for ---------------------------------------------------------------------

SECOND = f"## [ ] {THREE[1].title}"


@pytest.mark.parametrize("heading", ["# [x] ", "### [x] ", "##[X]", "## [ x ] "])
def test_a_heading_with_another_number_of_hashes_is_one(heading: str) -> None:
    outcome = decided(rendered(*THREE).replace("## [ ] Narrow", f"{heading}Narrow"))
    assert [a.proposal.id for a in outcome.approved] == [THREE[1].id]
    assert (outcome.rejected, len(outcome.waiting)) == ((), 2)


@pytest.mark.parametrize("lost", [f"{SECOND}\n", SECOND[: len(SECOND) // 2]])
def test_a_lost_heading_rejects_nothing(lost: str) -> None:
    text = rendered(*THREE).replace(SECOND, SECOND.removeprefix(lost) if lost != f"{SECOND}\n" else "")
    outcome = decided(text)
    assert (outcome.decided, len(outcome.waiting)) == (0, 3)
    assert THREE[1].id in messages(text)


def test_the_first_heading_lost_rejects_nothing() -> None:
    text = rendered(*THREE).replace(f"## [ ] {THREE[0].title}\n", "")
    assert f"{THREE[0].id} stands here without a section of its own" in messages(text)


@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_line_ends_of_any_editor_decide_the_same(end: str) -> None:
    text = boats(rendered(*THREE)).replace("\n", end)
    outcome = decided(text)
    assert (len(outcome.approved), outcome.rejected, outcome.errors) == (1, (), ())
    assert decided(outcome.text, THREE[1:]).waiting == outcome.waiting
    errors = [reading.PacketError(3, "one"), reading.PacketError(99999, "two")]
    assert packet.without_errors(packet.annotate(text, errors)) == text


def test_a_text_that_was_cut_off_anywhere_decides_nothing() -> None:
    text = boats(rendered(*THREE))
    for length in range(len(text.rstrip()) - len("<!-- end -->")):
        outcome = decided(text[:length])
        if outcome.errors == ():  # all that was written is there, as in an older packet
            assert text[:length].rstrip().endswith("4. Does anything here contradict it?")
            assert len(accounted(outcome)) == 3
            assert outcome.rejected == ()
        else:
            assert (outcome.decided, len(outcome.waiting)) == (0, 3)
    assert "ends early: was it cut off while saving?" in messages(text[:-200])


def test_an_older_packet_without_an_end_mark_is_read_where_its_last_section_is_whole() -> None:
    text = boats(rendered(*THREE)).partition("\n## Missed claim:")[0]
    first, last = text.index(SECOND), text.index(f"## [ ] {THREE[2].title}")
    assert len(decided(text).approved) == 1
    assert len(decided(text[:first] + text[last:]).rejected) == 1
    assert "ends early" in messages(text[:last])


def test_a_deleted_section_is_rejected_and_the_end_mark_stays() -> None:
    text = rendered(*THREE)
    outcome = decided(text[: text.index(SECOND)] + "<!-- END -->\n\n")
    assert [r.reason for r in outcome.rejected] == ["removed"] * 2
    assert outcome.text.endswith("<!-- end -->\n")
    assert "something stands below" in messages(text + "## [ ] More\n\n<!-- end -->\n")


def test_a_section_that_lost_its_id_line_is_known_by_title_or_quote() -> None:
    text = boats(rendered(*THREE)).replace(f"<!-- id: {THREE[0].id} -->\n", "")
    assert [a.proposal.id for a in decided(text).approved] == [THREE[0].id]
    assert [a.proposal.id for a in decided(text.replace(THREE[0].title, "Other")).approved] == [THREE[0].id]
    neither = text.replace(THREE[0].title, "Other").replace(QUOTES[0], QUOTES[0][5:])
    assert f"put it back, with the id {THREE[0].id}" in messages(neither)
    assert "delete" not in messages(neither)
    twice = text.replace(SECOND, f"## [ ] {THREE[0].title}").replace(f"<!-- id: {THREE[1].id} -->", "")
    assert "lost its id line" in messages(twice)
    assert THREE[0].id in messages(rendered(*THREE).replace(THREE[0].id, "5897d098f5f"))


# -- every line that is typed belongs somewhere ----------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("- reason:", "- reason: too vague to\nbe wrong"), ("- reason:", "- Reason: too vague to be wrong"),
        ("- reason:", "-reason: too vague to be wrong"), ("- reason:", "* reason : too vague\n  to be wrong"),
        ("- reason:", "- REASON:\ntoo vague to be wrong"), ("- reason:\n", ""), ("- reason:", "- reason:"),
    ],
)  # fmt: skip
def test_a_reason_is_read_however_it_is_typed(old: str, new: str) -> None:
    text = rendered(THREE[0]).replace("[ ]", "[-]").replace(old, new)
    if "too vague" not in new:
        for below in ("- reason: too vague to be wrong", "reason: too vague to be wrong"):
            for place in ("1. Does", "4. Does"):
                [rejected] = decided(text.replace(place, f"{below}\n\n{place}"), [THREE[0]]).rejected
                assert rejected.reason == "too vague to be wrong"
    else:
        assert decided(text, [THREE[0]]).rejected[0].reason == "too vague to be wrong"


def test_a_description_that_an_editor_wrapped_is_read_whole() -> None:
    text = boats(rendered(THREE[0])).replace("More of it", "More of\nwhat is\n  known")
    assert decided(text, [THREE[0]]).approved[0].description == "More of what is known"


@pytest.mark.parametrize("typed", ["I doubt it", "- because it is so", "   - yes it does", "<!-- ask Ann -->", "x"])
@pytest.mark.parametrize("place", ["1. Does", "2. Is it", "4. Does", "<!-- end", "- domain"])
def test_a_line_that_belongs_to_nothing_is_an_error_that_shows_it(typed: str, place: str) -> None:
    text = rendered(THREE[0]).replace(place, f"\n{typed}\n\n{place}", 1)
    outcome = decided(text, [THREE[0]])
    assert [error.message for error in outcome.errors] == [f"this line belongs to nothing: {typed.strip()}"]
    assert text.split("\n")[outcome.errors[0].line - 1] == typed


def test_what_the_program_wrote_is_known_wherever_an_editor_wrapped_it() -> None:
    hits = (Hit("codex/boats/wide.md", "Wide", 0.7),)
    argued = dataclasses.replace(
        THREE[0], nearest=hits, notes=("nothing in the text supports a confidence: it starts at the lowest",),
        debate=(Turn("for", "Wide hulls drag", "boats turn slowly", "inbox/a.md"),), unlocated=("Nobody wrote this",),
    )  # fmt: skip
    text = rendered(argued)
    assert decided(text, [argued]).errors == ()
    wrapped = text.replace("supports a", "supports a\n    ").replace("hulls", "hulls\n   ")
    assert wrapped != text
    assert decided(wrapped, [argued]).errors == ()
    older = dataclasses.replace(argued, nearest=(Hit("codex/boats/new.md", "New", 0.9),))
    assert decided(text, [older]).errors == ()


@pytest.mark.parametrize("domain", ["index", "decisions", "generations", "Index"])
def test_the_names_of_our_folders_are_no_domains(domain: str) -> None:
    text = boats(rendered(THREE[0])).replace("- domain: boats", f"- domain: {domain}")
    assert [e.message for e in decided(text, [THREE[0]]).errors] == [
        f'domain "{domain}" is the name of a folder of ours: take another'
    ]
    assert decided(text.replace(f"domain: {domain}", f"domain: {domain}-funds"), [THREE[0]]).approved


def test_a_line_typed_above_the_sections_is_an_error_that_shows_it() -> None:
    text = rendered(*THREE)
    for place in ("# Review", "<!-- x approve", "How:", "Source:", "## [x] Wide"):
        typed = boats(text).replace(place, f"Ann should look at this\n{place}", 1)
        outcome = decided(typed)
        assert [error.message for error in outcome.errors] == ["this line belongs to nothing: Ann should look at this"]
        assert typed.split("\n")[outcome.errors[0].line - 1] == "Ann should look at this"
    long = text.replace("to the claim after", "to the\nclaim after")
    long = long.replace("# Review: Ann", "# Review: Another byline")
    assert decided(long.replace(f"source_sha256: {'0' * 64}", f"source_sha256: {'1' * 64}")).errors == ()


def test_a_packet_with_the_instructions_in_its_head_is_decided_as_before() -> None:
    text = rendered(*THREE)
    marks = text[text.index("<!-- x approve") : text.index("Source:")]
    earlier_text = text.replace(marks, "\n".join(earlier.INSTRUCTIONS) + "\n\n")
    assert decided(boats(earlier_text)).decided == 1
    assert decided(boats(earlier_text)).errors == ()
    [error] = decided(boats(earlier_text.replace("Put a mark", "I doubt it\nPut a mark"))).errors
    assert error.message == "this line belongs to nothing: I doubt it"


def of_the_first_version() -> tuple[str, list[Proposal]]:
    """A packet as version 0.1.0 wrote it, and its proposals."""
    note = ("nothing in the text supports a confidence: it starts at the lowest",)
    hits = (Hit("codex/boats/wide-hulls.md", "Wide hulls", 0.41), Hit("codex/boats/tar.md", "Tar", 0.33))
    first, second, third = THREE
    made = [dataclasses.replace(first, nearest=hits, notes=note), second, dataclasses.replace(third, notes=note)]
    return (CASES / "packet-0.1.0.md").read_text(), made


def test_a_packet_of_the_first_version_is_decided_and_gets_the_head_of_today() -> None:
    text, made = of_the_first_version()
    outcome = decided(boats(text), made)
    assert (outcome.errors, outcome.decided) == ((), 1)
    today = packet.render(packet_of(*made), byline(source_of()), lambda _: "")
    assert reading.parse(outcome.text).preamble == reading.parse(today).preamble
    assert reading.parse(outcome.text).ended
    assert decided(outcome.text, made[1:]).waiting == (made[1].id, made[2].id)
    left = reading.parse(text)
    for each, section in zip(made, left.sections, strict=True):  # whichever is last, it is whole
        assert decided(reading.join(left, [section.text]), [each]).errors == ()
    wrapped = text.replace("word for word. Leave", "word for word.\nLeave").replace("\n", "\r\n")
    assert decided(boats(wrapped, 3), made).decided == 3
    half = boats(wrapped)
    assert "\n" not in decided(half, made).text.replace("\r\n", "")


def test_a_line_typed_into_a_packet_of_the_first_version_is_an_error_that_shows_it() -> None:
    text, made = of_the_first_version()
    for place in ("# Review", "Put a mark", "quotes; a", "Source:", "Please check", "Nearest claims", "- 0.41"):
        typed = text.replace(place, f"I doubt it\n{place}", 1)
        [error] = decided(boats(typed), made).errors
        assert error.message == "this line belongs to nothing: I doubt it"
    cut = text[: text.rindex("Please check")]
    assert decided(cut[: cut.rindex(">")], made).errors


def test_an_answer_typed_behind_a_hint_is_an_error_that_shows_it() -> None:
    hits = (Hit("codex/boats/wide.md", "Wide", 0.7),)
    for proposal in (THREE[0], dataclasses.replace(THREE[0], nearest=hits)):
        text = rendered(proposal)
        for line in (each for each in text.split("\n") if each.startswith(("1.", "2.", "3.", "4.", "   - "))):
            [error] = decided(text.replace(line, f"{line} I doubt it"), [proposal]).errors
            assert error.message == f"this line belongs to nothing: {line.strip()} I doubt it"


def test_hints_that_begin_alike_are_known_wherever_they_are_wrapped() -> None:
    hits = tuple(Hit(f"codex/boats/{stem}.md", stem, 0.7) for stem in ("wide", "narrow"))
    near = dataclasses.replace(THREE[0], nearest=hits)
    text = rendered(near).replace("0.70 [[", "0.70\n     [[")
    assert text.count("0.70\n") == 2
    assert decided(text, [near]).errors == ()


def recorded(outcome: decide.Outcome) -> list[Decision]:
    assert outcome.errors == ()
    return decide.decisions(outcome, {p.id: "codex/boats/a.md" for p in THREE}, "Ann <ann@example.org>", "now")


def test_a_reason_is_on_record_whatever_the_mark() -> None:
    text = rendered(THREE[0]).replace("- reason:", "- reason: it was measured\n  twice")
    for mark in "x-":
        [row] = recorded(decided(text.replace("[ ]", f"[{mark}]"), [THREE[0]]))
        assert (row.reason, row.proposal.get("left_as")) == ("it was measured twice", None)
    nothing = rendered().replace("[ ]", "[x]").replace("reason: no sentence", "reason: an index, no sentence")
    outcome = decided(nothing, [])
    assert outcome.nothing
    assert list(outcome.reasons.values()) == ["an index, no sentence here makes a claim"]
    assert decide.null_note([], "an index") == "nothing to claim here: an index"


def test_what_was_changed_in_a_section_is_on_record_though_its_mark_has_no_use_for_it() -> None:
    text = rendered(THREE[0]).replace("More of it", "More of it\nbut I doubt it")
    text = text.replace(f"> {QUOTES[0]}", f"> {QUOTES[1]}")
    [rejected] = recorded(decided(text.replace("[ ]", "[-]"), [THREE[0]]))
    assert rejected.proposal["left_as"] == {"description": "More of it but I doubt it", "quotes": [QUOTES[1]]}
    assert rejected.proposal["description"] == "More of it"
    [approved] = recorded(decided(text.replace("[ ]", "[x]"), [THREE[0]]))
    assert "left_as" not in approved.proposal
    added = text.replace("[ ]", "[+]").replace("- reason:", "- adds to: [[b]]\n- reason:").replace(": boats", ": ships")
    outcome = decide.decide(packet_of(THREE[0]), added, source_of(), lambda name: [name])
    assert recorded(outcome)[0].proposal["left_as"] == {"domain": "ships"}


def test_what_a_notice_wrote_is_no_change_of_the_reviewers() -> None:
    noticed = packet.with_notice(reading.parse(rendered(THREE[0])).sections[0].text, Hit("codex/boats/b.md", "B", 0.9))
    text = rendered(THREE[0]).replace(reading.parse(rendered(THREE[0])).sections[0].text, noticed)
    for mark in "x-":
        [row] = recorded(decided(text.replace("[ ]", f"[{mark}]"), [THREE[0]]))
        assert "left_as" not in row.proposal


def test_the_box_of_a_source_without_claims_waits_though_it_was_deleted() -> None:
    outcome = decided(rendered().partition("## [ ]")[0] + "<!-- end -->\n", [])
    assert outcome.waiting == (packet.nothing_id(packet_of()),)
    assert "the box of this source is gone: put it back" in outcome.errors[0].message


def test_only_a_mark_and_a_reason_belong_into_the_box_of_a_source_without_claims() -> None:
    box = rendered().replace("[ ]", "[x]")
    for old, new in (("claim here", "claim here today"), ("- reason", "- domain: a\n- reason"),
                     ("- reason", "> q\n\n- reason")):  # fmt: skip
        outcome = decided(box.replace(old, new), [])
        assert [error.message for error in outcome.errors] == ["only a mark and a reason belong here"]


def test_errors_that_are_left_in_the_text_change_nothing() -> None:
    text = boats(rendered(*THREE)).replace("boats turn slowly at", "boats turn\nslowly at", 1)
    heading = text[: text.index("## [x]")].count("\n") + 1
    shown = packet.annotate(text, [reading.PacketError(heading, f"mend {THREE[1].id}")])
    assert [a.title for a in decided(shown).approved] == [THREE[0].title]
    outcome = decided(shown[: shown.index(SECOND)] + shown[shown.index(f"## [ ] {THREE[2].title}") :])
    assert [(r.proposal.id, r.reason) for r in outcome.rejected] == [(THREE[1].id, "removed")]


# -- whatever is typed -----------------------------------------------------------------------------

TYPED = (
    "x", "[x]", "## [ ]", "# ", "\n", "\r", "\r\n", ">", "- reason:", "- ", "<!--", "-->", "<!-- end -->", "<!-- id: ",
    *(p.id for p in THREE), " ", "\t", "\x00", "\u2028", "reason: x", "type: proposals", "=======",
)  # fmt: skip


def edited(chance: random.Random, text: str) -> str:
    """The text after a few edits of any kind: something typed, cut, moved or doubled."""
    for _ in range(chance.randint(1, 4)):
        one, two = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        part = text[one : min(two, one + chance.choice([1, 20, 2000]))]
        other = chance.randrange(len(text) + 1)
        text = chance.choice([
            text[:one] + chance.choice(TYPED) + text[one:], text[:one] + text[one + len(part) :], text[:one],
            text[:other] + part + text[other:], text.replace("\n", chance.choice(["\r", "\r\n", "\n\n"])),
            text.replace("[ ]", chance.choice(["[x]", "[-]", "[]", ""]), 1),
        ])  # fmt: skip
    return text


def test_no_edit_crashes_approves_what_is_unmarked_or_loses_an_id() -> None:
    chance = random.Random(1805)
    ids = sorted(p.id for p in THREE)
    approved = 0
    for _ in range(1500):
        text = edited(chance, rendered(*THREE))
        outcome = decided(text)
        assert accounted(outcome) == ids, text
        marked = len(re.findall(r"\[\s*[xX]\s*\]", text))
        assert len(outcome.approved) <= marked, text
        for each in outcome.rejected:
            assert each.reason != "removed" or each.proposal.id not in text, text
        if outcome.errors:
            assert outcome.decided == 0
            packet.annotate(text, outcome.errors)
        approved += len(outcome.approved)
        decide.decide_named(packet_of(*THREE), text, source_of(), approve=[ids[0]], reject={ids[1]: ""})
    assert approved > 20
