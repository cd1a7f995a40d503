"""A claim that nobody proposed: typed into its section of the packet, it becomes a claim, a decision and a lesson."""

from __future__ import annotations

import shutil

import pytest

from codex_kb.kb import KnowledgeBase
from codex_kb.propose import missed
from codex_kb.review import packet
from conftest import SENTENCES, Base

PACKET = "inbox/proposals/notes.md"
TITLE = "Large cities make people productive"
QUOTE = SENTENCES[1]
EMPTY = packet.missed_section()


def typed(title: str = TITLE, quote: str = QUOTE, more: str = "") -> str:
    """The section as a person fills it."""
    text = EMPTY.replace("claim:", f"claim: {title}").replace("\n>\n", f"\n> {quote}\n")
    return text.replace("- description:", f"- description:{more}")


@pytest.fixture
def two(kb: Base) -> Base:
    """A packet of two proposals from a source of three sentences."""
    kb.source()
    kb.commit_all()
    assert kb.run("ingest", "inbox", "--max-claims", "2").code == 0
    assert QUOTE not in kb.read(PACKET)
    return kb


def test_an_empty_section_is_nothing_typed(two: Base) -> None:
    assert two.read(PACKET).endswith(f"{EMPTY}\n<!-- end -->\n")
    before = two.snapshot()
    assert two.run("review", "--apply").code == 0
    assert two.snapshot() == before


def test_it_becomes_a_claim_and_a_decision_in_one_commit_and_teaches(two: Base) -> None:
    two.edit(EMPTY, typed(more=" They learn\n- reason: the figure matters"))
    done = two.run("review", "--apply")
    assert (done.code, "1 approved, 0 rejected, 2 wait" in done.err) == (0, True)
    [row] = two.decisions()
    assert row["missed"] is True
    assert (row["verdict"], row["title"], row["reason"]) == ("approved", TITLE, "the figure matters")
    assert row["proposer"] == row["reviewer"] == "Rita Reviewer <rita@example.org>"
    assert row["proposal"]["evidence"][0]["quote"] == QUOTE
    assert (row["proposal"]["domain"], row["proposal"]["confidence"]) == ("economics", "speculative")
    assert {"score", "words", "reason", "position"} <= row["features"].keys()
    claim = two.read(row["claim"])
    assert "missed by generation 0" in claim
    log = two.git("log", "-1", "--format=%B")
    assert f"- missed before: {TITLE}" in log
    assert "Proposed-by: Rita Reviewer <rita@example.org>" in log
    assert two.git("status", "--porcelain") == ""
    assert two.read(PACKET).count(EMPTY) == 1
    assert TITLE not in two.read(PACKET)
    assert two.run("check").code == 0
    assert f"missed before, and added by Rita Reviewer <rita@example.org>: {TITLE}" in two.run("show", row["id"]).out


@pytest.mark.parametrize(
    ("title", "quote", "code", "said"),
    [("<!-- your title -->", "", 0, "0 approved"), ("<!-- your title -->", QUOTE, 1, "needs a title"),
     (f"<!-- your title --> {TITLE}", QUOTE, 0, "1 approved")],
)  # fmt: skip
def test_a_comment_is_no_title(two: Base, title: str, quote: str, code: int, said: str) -> None:
    two.edit(EMPTY, typed(title, quote))
    done = two.run("review", "--apply")
    assert (done.code, said in done.err) == (code, True), done.err
    assert [row["title"] for row in two.decisions()] == [TITLE] if "1 approved" in said else not two.claims()


def test_its_domain_and_confidence_are_typed_or_found_as_for_a_proposal(two: Base) -> None:
    assert "domain and confidence are found as for a proposal" in EMPTY
    filled = typed().replace("- domain:", "- domain: towns").replace("- confidence:", "- confidence: likely")
    two.edit(EMPTY, filled)
    assert two.run("review", "--apply").code == 0
    [row] = two.decisions()
    assert (row["proposal"]["domain"], row["proposal"]["confidence"]) == ("towns", "likely")


def test_a_section_of_an_earlier_packet_has_neither_and_is_read(two: Base) -> None:
    earlier = "".join(line for line in typed().splitlines(True) if not line.startswith(("<!-- Left", "- domain:",
                                                                                        "- confidence:")))  # fmt: skip
    two.edit(EMPTY, earlier)
    assert two.run("review", "--apply").code == 0
    assert two.decisions()[0]["proposal"]["domain"] == "economics"


def test_what_it_teaches_is_found_without_the_claims(two: Base) -> None:
    kb = KnowledgeBase(two.root)
    shutil.rmtree(two.path(".codex-kb"))
    found = missed.sentences(kb, kb.store.source("inbox/notes.md"))
    assert any(each.title.startswith("Large cities raise") for each in found)
    assert not two.path(".codex-kb/index").exists()


def test_several_are_copies_of_the_section_and_stand_anywhere(two: Base) -> None:
    other = typed("Firms learn in cities", "firms and people learn from one another")
    two.edit("## [ ]", f"{other}\n## [ ]")
    two.edit(EMPTY, typed() + "\n" + EMPTY)
    two.mark("-", count=1)
    assert two.run("review", "--apply").code == 0
    assert [row["missed"] for row in two.decisions() if row.get("missed")] == [True, True]
    assert len(two.decisions()) == 3
    two.mark("-")
    assert "all decided: inbox/notes.md" in two.run("review", "--apply").err
    assert "status: processed" in two.read("inbox/notes.md")
    assert two.read("inbox/notes.md").count("large-cities-make") == 1


def test_undone_it_waits_as_a_proposal_of_the_person(two: Base) -> None:
    two.mark("-")
    two.edit(EMPTY, typed())
    assert two.run("review", "--apply").code == 0
    claim = next(row for row in two.decisions() if row["claim"])
    assert two.run("undo", claim["id"]).code == 0
    assert not two.path(claim["claim"]).exists()
    [waits] = two.run("proposals", "--json").json
    assert (waits["id"], waits["title"], waits["proposer"]) == (claim["id"], TITLE, claim["proposer"])
    assert two.git("status", "--porcelain") == ""
    two.mark("x")
    assert two.run("review", "--apply").code == 0
    assert two.decisions()[-1]["missed"] is True
    assert two.run("check").code == 0


def test_undone_with_its_commit_all_wait_in_their_order(two: Base) -> None:
    before = [each["id"] for each in two.run("proposals", "--json").json]
    two.mark("-")
    two.edit(EMPTY, typed())
    two.run("review", "--apply")
    assert two.run("undo", two.git("rev-parse", "HEAD")).code == 0
    assert [each["id"] for each in two.run("proposals", "--json").json][:2] == before
    assert "proposer: extractive" in two.read(PACKET)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (typed(quote="Nobody wrote this"), "a quote does not stand in the source word for word"),
        (typed(quote=""), "an approval needs a quote from the source"),
        (typed(title=""), "an approved claim needs a title"),
        (typed().replace("> ", ""), "this line belongs to nothing: Large cities"),
        (typed(more=" a\n- adds to: [[towns]]"), '"adds to" has no use in a missed claim'),
        (typed(more=" a\n- confidence: sure"), 'confidence "sure" is not one of'),
        (typed() + "\n" + typed(), "this claim stands in the packet already"),
        (EMPTY.replace("\n>", "\nask Ann\n\n>"), "this line belongs to nothing: ask Ann"),
    ],
)
def test_what_is_half_typed_is_an_error_that_decides_nothing(two: Base, section: str, message: str) -> None:
    two.mark("-", count=1)
    two.edit(EMPTY, section)
    before = two.snapshot()
    done = two.run("review", "--apply")
    assert (done.code, message in done.err) == (1, True), done.err
    assert two.snapshot() == before


def test_what_is_proposed_above_is_not_missed(two: Base) -> None:
    [first, _] = two.run("proposals", "--json").json
    two.edit(EMPTY, typed(first["title"], first["evidence"][0]["quote"]))
    assert "this claim stands in the packet already" in two.run("review", "--apply").err


def test_named_decisions_leave_it_and_close_no_packet_over_it(two: Base) -> None:
    two.edit(EMPTY, typed())
    first, second = (each["id"] for each in two.run("proposals", "--json").json)
    assert two.run("review", "--reject", first).code == 0
    assert TITLE in two.read(PACKET)
    done = two.run("review", "--reject", second)
    assert (done.code, "codex review --apply adds it" in done.err) == (1, True)
    assert TITLE in two.read(PACKET)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_a_claim_says_already_waits_alone_and_is_made_when_it_is_applied_again(two: Base, end: str) -> None:
    two.claim("cities", TITLE, "They learn")
    two.mark("-", count=1)
    two.edit(EMPTY, typed())
    two.write(PACKET, two.read(PACKET).replace("\n", end))
    done = two.run("review", "--apply")
    assert (done.code, f'"{TITLE}" says nearly what codex/economics/cities.md says' in done.err) == (1, True)
    assert ("and waits" in done.err, "delete its section, or apply again" in done.err) == (True, True)
    assert [row["verdict"] for row in two.decisions()] == ["rejected"]
    text = two.read(PACKET)
    assert "<!-- near: codex/economics/cities.md " in text
    assert (typed().replace("\n", end).rstrip() in text, text.count("\n")) == (True, text.count(end))
    done = two.run("review", "--apply")
    assert (done.code, "1 approved" in done.err) == (0, True), done.err
    assert [row["title"] for row in two.decisions() if row["claim"]] == [TITLE]
    assert "near:" not in two.read(PACKET)


def test_one_that_says_what_a_claim_says_is_made_at_once_where_a_person_insists(two: Base) -> None:
    two.claim("cities", TITLE, "They learn")
    two.edit(EMPTY, typed())
    assert two.run("review", "--apply", "--anyway").code == 0
    assert [row["title"] for row in two.decisions()] == [TITLE]


@pytest.mark.parametrize("made", [True, False])
def test_a_packet_stays_open_for_one_that_waits_and_is_closed_with_it(two: Base, made: bool) -> None:
    two.claim("cities", TITLE, "They learn")
    two.run("distill")
    two.edit(EMPTY, typed())
    two.mark("-")
    assert two.run("review", "--apply").code == 1
    assert len(two.decisions()) == 2
    assert two.run("check").code == 0
    if not made:
        text = two.read(PACKET)
        two.write(PACKET, text[: text.index("## Missed claim")] + "<!-- end -->\n")
    done = two.run("review", "--apply")
    assert (done.code, "all decided: inbox/notes.md" in done.err) == (0, True), done.err
    assert not two.path(PACKET).exists()
    assert f"status: {'processed' if made else 'null-result'}" in two.read("inbox/notes.md")
    assert len(two.decisions()) == 2 + made


def test_what_was_decided_is_undone_beside_one_that_waits(two: Base) -> None:
    two.claim("cities", TITLE, "They learn")
    two.edit(EMPTY, typed())
    two.mark("-")
    two.run("review", "--apply")
    first = two.decisions()[0]["id"]
    assert two.run("undo", first).code == 0
    assert [each["id"] for each in two.run("proposals", "--json").json] == [first]
    done = two.run("review", "--apply")
    assert (done.code, TITLE in two.decisions()[-1]["title"]) == (0, True), done.err
    assert first in two.read(PACKET)


def test_of_two_that_say_nearly_the_same_the_second_waits(two: Base) -> None:
    two.edit(EMPTY, typed() + "\n" + typed(f"{TITLE} now"))
    done = two.run("review", "--apply")
    assert (done.code, f'"{TITLE} now" says nearly what' in done.err, PACKET in done.err) == (1, True, True)
    assert [row["title"] for row in two.decisions()] == [TITLE]
    assert f"## Missed claim: {TITLE} now" in two.read(PACKET)
    assert two.run("review", "--apply").code == 0
    assert [row["title"] for row in two.decisions()] == [TITLE, f"{TITLE} now"]


def test_a_packet_of_an_earlier_version_takes_one_that_is_typed_by_hand(two: Base) -> None:
    old = two.read(PACKET).replace(f"{EMPTY}\n", "")
    two.write(PACKET, old)
    assert two.run("review", "--apply").code == 0
    assert two.read(PACKET) == old
    two.write(PACKET, old.replace("<!-- end -->", f"## missed claim: {TITLE}\n> {QUOTE}\n\n<!-- end -->"))
    assert two.run("review", "--apply").code == 0
    assert [row["title"] for row in two.decisions()] == [TITLE]


def test_it_is_kept_where_a_packet_gets_more_proposals(two: Base) -> None:
    two.edit(EMPTY, typed())
    assert two.run("ingest", "--again", "inbox", "--max-claims", "3").code == 0
    assert len(two.run("proposals", "--json").json) == 3
    text = two.read(PACKET)
    assert text.endswith(f"{typed()}\n<!-- end -->\n")


def test_a_source_without_proposals_has_the_section_too(kb: Base) -> None:
    kb.ingest(sentences=("See the notes below", "And yet it moves around the sun, they say."))
    text = kb.read(PACKET)
    if "Nothing to claim here" not in text:
        pytest.fail("something was proposed")
    kb.edit(EMPTY, typed("The earth moves around the sun", "it moves around the sun"))
    assert kb.run("review", "--apply").code == 0
    assert "Nothing to claim here" in kb.read(PACKET)
    kb.mark("x")
    assert kb.run("review", "--apply").code == 0
    assert "status: processed" in kb.read("inbox/notes.md")
    assert kb.claims() == ["codex/economics/the-earth-moves-around-the-sun.md"]


def test_line_ends_of_another_editor_stay(two: Base) -> None:
    two.edit(EMPTY, typed())
    two.write(PACKET, two.read(PACKET).replace("\n", "\r\n"))
    assert two.run("review", "--apply").code == 0
    text = two.read(PACKET)
    assert text.count("\r\n") == text.count("\n")
    assert EMPTY.replace("\n", "\r\n") in text
