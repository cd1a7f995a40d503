"""One proposal at a time: marks go into the packet at once, and are applied, previewed and taken back from there."""

from __future__ import annotations

import pytest

from codex_kb.errors import Changed, Conflict, NotFound, RefusedFile
from codex_kb.kb import KnowledgeBase
from codex_kb.workflow.desk import Desk
from conftest import SENTENCES, Base

PACKET = "inbox/proposals/notes.md"
REVIEWER = "Rita Reviewer <rita@example.org>"


def desk(kb: Base) -> Desk:
    return Desk(KnowledgeBase(kb.root), REVIEWER)


def test_marks_are_in_the_packet_at_once_and_an_editor_may_go_on(kb: Base) -> None:
    kb.ingest()
    one = desk(kb)
    first, second, third = one.queue()
    one.mark(*first[:1], [first[1]], "approve")
    one.mark(second[0], [second[1]], "reject", {"reason": "vague"})
    assert "## [x]" in kb.read(PACKET)
    kb.mark("-")
    assert desk(kb).item(*third).section.mark == "reject"
    assert kb.run("review", "--apply").code == 0
    assert [each["reason"] for each in kb.decisions()] == ["", "vague", "no reason given"]


def test_a_quote_is_shown_in_its_place(kb: Base) -> None:
    sentences = [" ".join(f"Town number {n} has {n} markets and a harbour for its boats." for n in range(9))]
    kb.ingest(sentences=[*SENTENCES, *sentences])
    one = desk(kb)
    found = [passage for where in one.queue() for passage in one.item(*where).passages if "number 4" in passage.quote]
    if not found:
        pytest.fail("no sentence from the middle of the paragraph was proposed")
    [passage] = found
    assert passage.before.split(". ")[0].startswith("Town number 2")
    assert passage.after.strip().endswith("Town number 6 has 6 markets and a harbour for its boats.")
    body = kb.read("inbox/notes.md").split("\n")
    assert passage.quote in body[passage.line - 1]


def test_what_is_marked_is_previewed_and_applied_as_one_commit_a_source(kb: Base) -> None:
    kb.ingest()
    one = desk(kb)
    (name, first), (_, second), _ = one.queue()
    one.mark(name, [first], "approve", {}, seconds=4.2)
    one.mark(name, [second], "reject", {"reason": "trivial"}, seconds=900)
    [preview] = one.preview()
    assert (preview.decided, preview.told) == (2, "notes: 1 approved, 1 rejected, 1 wait")
    before = kb.git("rev-list", "--count", "HEAD")
    done = one.apply([name])
    assert (len(done.approved), len(done.rejected), done.waiting, done.faults) == (1, 1, 1, [])
    assert int(kb.git("rev-list", "--count", "HEAD")) == int(before) + 1
    assert [each["seconds"] for each in kb.decisions()] == [4.2, 60.0]
    assert one.preview() == []


def test_the_last_change_is_taken_back(kb: Base) -> None:
    kb.ingest()
    one = desk(kb)
    (name, first), (_, second), _ = one.queue()
    assert one.take_back() is None
    one.mark(name, [first], "approve")
    text = kb.read(PACKET)
    one.mark(name, [second, first], "reject", {"reason": "trivial"})
    assert one.take_back() == (name, second)
    assert kb.read(PACKET) == text
    kb.edit("## [x]", "## [-]", PACKET)
    with pytest.raises(Conflict, match="changed since"):
        one.take_back()


def test_who_marks_nothing_changes_nothing(kb: Base) -> None:
    kb.ingest()
    kb.claim("near", SENTENCES[0])  # what is near has changed since
    kb.commit_all()
    kb.run("distill")
    before = kb.snapshot()
    one = desk(kb)
    for where in one.queue():
        one.item(*where)
    assert kb.snapshot() != before
    one.leave()
    assert kb.snapshot() == before


def test_a_missed_claim_needs_a_title_and_a_quote_that_stands_there(kb: Base) -> None:
    kb.ingest(sentences=[*SENTENCES, "Nobody proposed this one."])
    one = desk(kb)
    name = one.queue()[0][0]
    with pytest.raises(RefusedFile, match="does not stand"):
        one.miss(name, "Something else", "This stands nowhere in it.")
    with pytest.raises(RefusedFile, match="title"):
        one.miss(name, " <!-- nothing --> ", SENTENCES[0])
    one.miss(name, "Markets know more than experts", SENTENCES[0])
    assert one.apply([name]).approved
    assert kb.decisions()[0]["missed"] is True


def test_what_is_gone_or_held_by_another_run_is_said(kb: Base) -> None:
    kb.ingest()
    one = desk(kb)
    (name, first), *_ = one.queue()
    one.item(name, first)
    assert kb.run("review", "--approve", first).code == 0
    with pytest.raises(NotFound):
        one.item(name, first)
    with pytest.raises(NotFound):
        one.mark(name, [first], "reject")
    kb.path(PACKET).unlink()
    assert one.item(*one.queue()[0]).section.mark == "wait"


def test_marks_are_read_without_bringing_a_packet_up_to_date(kb: Base) -> None:
    kb.ingest()
    kb.mark("x", count=1)
    before = kb.snapshot()
    one = desk(kb)
    assert [each.mark for each in one.sections("notes").values()] == ["approve", "wait", "wait"]
    assert one.sections("elsewhere") == {}
    assert kb.snapshot() == before
    kb.path(PACKET).unlink()
    assert [each.mark for each in one.sections("notes").values()] == ["wait"] * 3


def test_a_section_is_tried_before_it_is_put_in(kb: Base) -> None:
    kb.ingest()
    one = desk(kb)
    (name, _), (_, second), _ = one.queue()
    section = one.item(name, second).section.text
    text = kb.read(PACKET)
    assert one.faults(name, second, section.replace("## [ ]", "## [-]")) == []
    [stray] = one.faults(name, second, section.rstrip() + "\n\nwhat is this?\n\n")
    assert (stray.line, "belongs to nothing" in stray.message) == (len(section.rstrip().splitlines()) + 2, True)
    [lost] = one.faults(name, second, section.replace("## [ ]", "## [?]"))
    assert (lost.line, "the mark is x" in lost.message) == (1, True)
    assert kb.read(PACKET) == text
    with pytest.raises(KeyError):
        one.faults(name, "ffffffffffff", section)


def test_a_near_duplicate_is_noticed_before_it_is_applied(kb: Base) -> None:
    kb.ingest()
    one = desk(kb)
    name = one.queue()[0][0]
    [id_] = [id_ for id_, each in one.sections(name).items() if each.title.startswith("Prediction")]
    one.mark(name, [id_], "approve")
    path = kb.claim("markets", SENTENCES[0].rstrip("."))
    [preview] = one.preview([name])
    assert [hit.path for hit in (preview.held or {}).values()] == [path]
    one.notice(name, preview.held or {})
    item = one.item(name, id_)
    assert (item.section.mark, item.section.noticed) == ("wait", {path})
    one.mark(name, [id_], "approve")
    [preview] = one.preview([name])
    assert (preview.decided, preview.held) == (1, {})


def test_a_missed_claim_that_says_what_a_claim_says_is_told_before_it_waits(kb: Base) -> None:
    kb.ingest(sentences=[*SENTENCES, "Nobody proposed this one."])
    one = desk(kb)
    name, first = one.queue()[0]
    path = kb.claim("said", "Somebody said this one before")
    one.miss(name, "Somebody said this one before", "Nobody proposed this one.")
    one.mark(name, [first], "reject", {"reason": "vague"})
    [preview] = one.preview([name])
    assert (preview.decided, preview.held, preview.fault) == (1, {}, None)
    assert [(title, hit.path) for title, hit in preview.missed] == [("Somebody said this one before", path)]
    done = one.apply([name], {name: preview.version})
    assert (len(done.rejected), done.approved, len(done.faults)) == (1, [], 1)
    [preview] = one.preview([name])
    assert (preview.decided, preview.missed) == (1, ())


def test_a_mark_of_what_has_changed_since_it_was_seen_is_refused(kb: Base) -> None:
    kb.ingest()
    one = desk(kb)
    (name, first), (_, second), _ = one.queue()
    seen = {each: one.item(name, each).version for each in (first, second)}
    kb.mark("x", count=1)
    text = kb.read(PACKET)
    with pytest.raises(Changed):
        one.mark(name, [second, first], "reject", {"reason": "vague"}, seen=seen)
    assert kb.read(PACKET) == text
    one.mark(name, [second], "reject", {"reason": "vague"}, seen=seen)
    one.mark(name, [first], "reject", {"reason": "vague"}, seen={first: one.item(name, first).version})
    assert [one.item(name, each).section.mark for each in seen] == ["reject", "reject"]


def test_what_is_near_by_now_changes_no_version(kb: Base) -> None:
    kb.ingest()
    before = [desk(kb).item(*where).version for where in desk(kb).queue()]
    kb.claim("near", SENTENCES[0])
    kb.commit_all()
    assert [desk(kb).item(*where).version for where in desk(kb).queue()] == before
    assert "[[near]]" in kb.read(PACKET)


def test_a_sheet_has_the_whole_source_with_the_places_of_its_quotes(kb: Base) -> None:
    kb.ingest()
    one = desk(kb)
    one.miss("notes", "Markets know more", SENTENCES[0])
    sheet = one.sheet("notes")
    assert [each.id for each in sheet.sections] == [id_ for _, id_ in one.queue()]
    assert {sheet.source.body[start:end] for start, end, _ in sheet.spans} == set(SENTENCES)
    assert [each.title for each in sheet.missed] == ["Markets know more"]


def test_a_preview_names_claims_and_what_it_previewed_is_what_is_applied(kb: Base) -> None:
    kb.ingest()
    one = desk(kb)
    (name, first), (_, second), _ = one.queue()
    one.mark(name, [first], "approve")
    one.mark(name, [second], "reject", {"reason": "vague"})
    assert one.last == (name, second)
    [preview] = one.preview()
    [(title, path)] = preview.claims
    assert title == one.item(name, first).section.title
    assert [reason for _, reason in preview.rejected] == ["vague"]
    kb.mark("-")
    stopped = one.apply([name], {name: preview.version})
    assert [type(fault) for fault in stopped.faults] == [Changed]
    assert kb.claims() == []
    [preview] = one.preview()
    assert one.apply([name], {name: preview.version}).approved == [path] == kb.claims()
    assert one.last is None


@pytest.mark.parametrize("kept", ['{"a": 1%s}' % ("0" * 400), '{"a": 1e999}', '{"a": NaN}', "[1]", "{", '{"a": "x"}'])
def test_seconds_that_are_damaged_count_for_none(kb: Base, kept: str) -> None:
    kb.ingest()
    one = desk(kb)
    (name, id_), *_ = one.queue()
    one.mark(name, [id_], "approve", seconds=2.0)
    kb.write(".codex-kb/seconds.json", kept)
    desk(kb).mark(name, [id_], "reject", seconds=3.0)
    assert kb.run("review", "--apply").code == 0
    assert [each["seconds"] for each in kb.decisions()] == [3.0]
