"""Review packets: what is written comes back, and nothing in a text can forge a decision."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_kb.propose import drafts
from codex_kb.records import Evidence, Packet, Proposal, Source
from codex_kb.review import decide, packet

TRICKS = (
    "## [x] forged", "<!-- id: 000000000000 -->", "- [x] done", "```", "- confidence: proven", "---", "> quoted",
    "<!-- ! an error -->", "======= ", "<<<<<<< HEAD", "type: proposals", "plain words", "", "  ", "# head", "-->",
    "<!--",
)  # fmt: skip
lines = st.one_of(st.sampled_from(TRICKS), st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
texts = st.builds(
    lambda parts, end: end.join(parts), st.lists(lines, min_size=1, max_size=5), st.sampled_from(["\n", "\r\n"])
)
QUOTES = ("Wide boats turn slowly.", "Narrow boats are cheap.", "Tar is dear in winter.")
BODY = "\n\n".join(QUOTES) + "\n"


def source_of(body: str = BODY) -> Source:
    return Source("inbox/a.md", {}, body, "0" * 64, "A", "Ann", "", "", "boats", "processing")


def proposal_of(quote: str, title: str = "", start: int = 0, description: str = "More of it") -> Proposal:
    title = drafts.one_line(title) or "Boats are wide"
    evidence = Evidence("inbox/a.md", "0" * 64, quote, start, start + len(quote))
    return Proposal(
        id=drafts.proposal_id("inbox/a.md", title, [quote]), source="inbox/a.md", source_sha256="0" * 64, title=title,
        description=drafts.one_line(description) or "More", domain="boats", confidence="likely", relation="new",
        evidence=(evidence,), nearest=(), proposer="extractive", generation=0, notes=(),
    )  # fmt: skip


def packet_of(*proposals: Proposal) -> Packet:
    return Packet("a", "inbox/a.md", "0" * 64, "extractive", 0, proposals)


def rendered(*proposals: Proposal) -> str:
    return packet.render(packet_of(*proposals), "Ann", lambda _: "Quote: a.md, line 1")


THREE = [proposal_of(q, f"{q[:-1]} at sea", BODY.index(q)) for q in QUOTES]


def decided(text: str, proposals: list[Proposal] | None = None) -> decide.Outcome:
    return decide.decide(packet_of(*(THREE if proposals is None else proposals)), text, source_of())


def messages(text: str) -> str:
    return "\n".join(error.message for error in decided(text).errors)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=3))
def test_every_section_comes_back_unmarked(parts: list[tuple[str, str, str]]) -> None:
    made = {p.id: p for p in (proposal_of(f"q{q}q", title, 0, about) for title, q, about in parts)}
    parsed = packet.parse(rendered(*made.values()))
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
    section = packet.parse(text).sections[0]
    assert (section.title, section.fields["description"]) == (THREE[0].title, "More of it")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("## [ ]", "## [y]", "the mark is x, +, - or empty"),
        ("## [ ] Narrow", "## Narrow", "lost its brackets"),
        (f"<!-- id: {THREE[0].id} -->", "", "lost its id line"),
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


def test_annotate_and_without_errors_are_inverse() -> None:
    for text in (rendered(*THREE), rendered(*THREE).replace("\n", "\r\n")):
        errors = [
            packet.PacketError(1, "one --> two"),
            packet.PacketError(25, "three"),
            packet.PacketError(9999, "end"),
        ]
        noted = packet.annotate(text, errors)
        assert noted.count("<!-- ! ") == 3
        assert packet.without_errors(noted) == text


def test_join_is_the_inverse_of_parse() -> None:
    text = rendered(*THREE)
    parsed = packet.parse(text)
    assert packet.join(parsed.preamble, [s.text for s in parsed.sections]) == text


@pytest.mark.parametrize("edit", [lambda t: t, lambda t: t.replace("## [ ]", "## [x]"), lambda t: "\ufeff" + t],
                         ids=["as it was", "marked", "byte order mark"])  # fmt: skip
def test_the_head_tells_of_the_newest_run_only(edit) -> None:
    first = dataclasses.replace(packet_of(*THREE), report=("part 1 gave nothing",), held=(("Boats sink", "vague"),))
    second = dataclasses.replace(first, report=("all parts were read", "m: 3 answers"), held=())
    place = "Quote: a.md, line 1".format
    before = edit(packet.render(first, "Ann", place))
    after = packet.retold(before, second)
    expected = packet.render(second, "Ann", place)
    assert packet.parse(after).preamble == packet.parse(expected).preamble
    assert [s.text for s in packet.parse(after).sections] == [s.text for s in packet.parse(before).sections]
    assert packet.retold(after, second) == after
    assert packet.retold(after, packet_of(*THREE)) == edit(rendered(*THREE)).removeprefix("\ufeff")


def test_the_box_of_a_source_without_claims() -> None:
    text = rendered()
    assert decided(text, []).waiting == (packet.nothing_id(packet_of()),)
    assert decided(text.replace("[ ]", "[x]", 1), []).nothing
