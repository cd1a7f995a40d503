"""A decision that is taken back is on record, and all else is as if it had not been."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_kb import api
from codex_kb.errors import Edited
from codex_kb.propose import drafts
from codex_kb.records import Decision, Draft, Evidence, Source
from codex_kb.review import publish
from codex_kb.review.standing import counting, later, proposal_of, standing
from conftest import HEAD, SENTENCES, Base, Run, make_base
from test_enrichment import DRAFTS, TAIL, TARGET, judged, waits

LOG = "codex/decisions/notes.jsonl"
PACKET = "inbox/proposals/notes.md"
RITA = "Rita Reviewer <rita@example.org>"
BRANCH = '[git]\nbranch = "extract/{source}"\n'


@pytest.fixture
def towns(kb: Base) -> Base:
    """A knowledge base with one claim by hand, an index, and three proposals that wait."""
    kb.claim("cities", "Cities make workers productive", body=TAIL)
    kb.source("other", ["Boats are slow in winter because ice grips the hull."], HEAD.replace("unprocessed", "done"))
    kb.commit_all()
    assert kb.run("distill").code == 0
    kb.ingest()
    return kb


def ids(kb: Base) -> list[str]:
    return [each["id"] for each in kb.run("proposals", "--json").json]


def state(kb: Base) -> dict[str, bytes]:
    """All but the log, which keeps what happened."""
    return {path: data for path, data in kb.snapshot().items() if not path.startswith("codex/decisions/")}


def taken_back(kb: Base, name: str, *more: str) -> dict[str, Any]:
    """Undo, and what must hold after every undo."""
    commits = int(kb.git("rev-list", "--count", "HEAD"))
    done = kb.run("undo", name, "--json", *more)
    assert done.code == 0, done.err
    assert int(kb.git("rev-list", "--count", "HEAD")) == commits + 1
    assert kb.git("status", "--porcelain") == ""
    assert kb.git("log", "-1", "--format=%s").startswith("undo: ")
    assert kb.run("distill", "--check").code == 0
    return dict(done.json)


# -- what stands, purely ---------------------------------------------------------------------------


def line(number: str, time: str, verdict: Any, **more: Any) -> Decision:
    return Decision(number, time, RITA, verdict, "", "T", more, None, "inbox/a.md", "0", "x", 0)


def test_the_last_line_in_time_counts_whatever_its_place() -> None:
    approved, back, rejected = line("a", "1", "approved"), line("a", "2", "withdrawn"), line("a", "3", "rejected")
    other = line("b", "2", "rejected")
    assert standing([rejected, other, back, approved]) == {"a": rejected, "b": other}
    assert list(standing([rejected, other])) == ["b", "a"]
    assert standing([back, other, approved]) == {"b": other}
    assert counting([approved, back, rejected]) == {"a": [rejected]}
    assert counting([approved, rejected]) == {"a": [approved, rejected]}


def test_a_withdrawal_is_later_than_what_it_takes_back() -> None:
    ahead = "2030-01-01T00:00:00.000009+00:00"
    assert later("2026-01-01T00:00:00+00:00", ahead) > ahead
    assert later("2031-01-01T00:00:00+00:00", ahead) == "2031-01-01T00:00:00+00:00"
    for odd in ("9999-12-31T23:59:59.999999", "no time"):
        assert later("2031-01-01T00:00:00+00:00", odd) > odd


def test_what_was_withdrawn_holds_nothing_back() -> None:
    source = Source("inbox/a.md", {}, "A body.", "0", "A", "", "", "", "", "processing")
    draft = Draft("T", ((0, 7),))
    rejected = dataclasses.replace(line("a", "1", "rejected"), reason="vague")
    assert drafts.History([rejected]).split(source, [draft])[0] == []
    assert drafts.History([rejected, line("a", "2", "withdrawn")]).split(source, [draft])[0] == [draft]


# -- each kind of decision -------------------------------------------------------------------------


@pytest.mark.parametrize("decide", ["--approve", "--reject"])
@pytest.mark.parametrize("closes", [False, True])
def test_all_is_as_before(towns: Base, decide: str, closes: bool) -> None:
    first, *others = ids(towns)
    if closes:
        assert towns.run("review", *(f"--reject={each}" for each in others)).code == 0
    before = state(towns)
    assert towns.run("review", decide, first).code == 0
    assert state(towns) != before
    done = taken_back(towns, first[:6], "--why", "read too fast")
    assert [each["id"] for each in done["undone"]] == [first]
    assert state(towns) == before
    assert first in ids(towns)
    withdrawn = towns.decisions()[-1]
    made = next(each for each in towns.decisions() if each["id"] == first)
    assert (withdrawn["verdict"], withdrawn["reason"], withdrawn["claim"]) == ("withdrawn", "read too fast", None)
    assert withdrawn["reviewer"] == RITA
    same = ("id", "title", "proposal", "source", "source_sha256", "proposer", "generation")
    assert [withdrawn[name] for name in same] == [made[name] for name in same]


@pytest.mark.parametrize(("relation", "number"), [("enriches", 0), ("challenges", 0), ("enriches", 1)])
def test_evidence_is_taken_out_again(towns: Base, relation: str, number: int) -> None:
    made = waits(towns, judged(relation, 0), judged(relation, 1), DRAFTS[2])
    assert towns.run("review", "--reject", made[2].id, "--add", made[1 - number].id).code == 0
    before = state(towns)
    assert towns.run("review", "--add", made[number].id).code == 0
    done = taken_back(towns, made[number].id)
    assert (done["removed"], done["changed"]) == ([], [TARGET])
    assert state(towns) == before


def test_earlier_evidence_goes_and_later_evidence_stays(towns: Base) -> None:
    made = waits(towns, judged("enriches", 0), judged("challenges", 1))
    original = towns.read(TARGET)
    assert towns.run("review", "--add", made[0].id).code == 0
    assert towns.run("review", "--add", made[1].id).code == 0
    both = towns.read(TARGET)
    taken_back(towns, made[0].id)
    assert SENTENCES[0] not in towns.read(TARGET)
    taken_back(towns, made[1].id)
    assert towns.read(TARGET) == original
    assert towns.run("review", "--add", made[0].id).code == 0
    assert towns.run("review", "--add", made[1].id).code == 0
    assert towns.read(TARGET) == both


@pytest.mark.parametrize("marks", ["xx-", "xxx", "---"])
def test_a_whole_commit(towns: Base, marks: str) -> None:
    before = state(towns)
    for mark in marks:
        towns.mark(mark, count=1)
    assert towns.run("review", "--apply").code == 0
    assert not towns.path(PACKET).exists()
    if marks == "---":
        assert "status: null-result" in towns.read("inbox/notes.md")
    commit = towns.git("rev-parse", "HEAD")
    towns.git("commit", "-q", "--allow-empty", "-m", "later")
    done = taken_back(towns, commit[:9])
    assert len(done["undone"]) == 3
    assert state(towns) == before


def test_what_else_the_commit_decided_stays_listed(towns: Base) -> None:
    towns.mark("x")
    assert towns.run("review", "--apply").code == 0
    first, second, third = (each["id"] for each in towns.decisions())
    taken_back(towns, first)
    text = towns.read("inbox/notes.md")
    stems = {each["id"]: Path(each["claim"] or "").stem for each in towns.decisions()[:3]}
    assert "status: processing" in text
    assert text.count(stems[second]) == text.count(stems[third]) == 1
    assert stems[first] not in text
    assert ids(towns) == [first]
    taken_back(towns, second)
    taken_back(towns, third)
    assert "claims_extracted" not in towns.read("inbox/notes.md")


def test_what_an_earlier_session_decided_stays_listed_beside_what_the_last_one_did(towns: Base) -> None:
    first, second, third = ids(towns)
    assert towns.run("review", "--approve", first, "--anyway").code == 0
    assert towns.run("review", "--approve", second, "--approve", third, "--anyway").code == 0
    stems = {each["id"]: Path(each["claim"] or "").stem for each in towns.decisions()}
    taken_back(towns, third)
    text = towns.read("inbox/notes.md")
    assert [text.count(stems[each]) for each in (first, second, third)] == [1, 1, 0]


def test_a_source_that_was_edited_since_keeps_the_edit(towns: Base) -> None:
    towns.mark("x")
    assert towns.run("review", "--apply").code == 0
    first = towns.decisions()[0]["id"]
    towns.edit(SENTENCES[0], f"New text.\n\n{SENTENCES[0]}", "inbox/notes.md")
    towns.edit("author: Ann Archer", "author: Ann B. Archer", "inbox/notes.md")
    towns.commit_all()
    taken_back(towns, first)
    text = towns.read("inbox/notes.md")
    assert "Ann B. Archer" in text
    assert "processed_by" not in text
    [proposal] = towns.run("proposals", "--json").json
    [quote] = proposal["evidence"]
    assert text.partition("---\n\n")[2].find(quote["quote"]) >= 0
    assert towns.run("review", "--approve", first).code == 0


def test_an_edited_packet_keeps_its_edits(towns: Base) -> None:
    first, second, _ = ids(towns)
    assert towns.run("review", "--reject", first).code == 0
    towns.edit("- reason:", "- reason: ask Ann")
    before = towns.read(PACKET)
    taken_back(towns, first)
    head, _, kept = towns.read(PACKET).partition(f"<!-- id: {second} -->")
    assert f"<!-- id: {first} -->" in head, "it stands in its old place"
    assert kept == before.partition(f"<!-- id: {second} -->")[2]


def test_a_source_lists_no_claim_that_was_taken_back_on_another_day(towns: Base) -> None:
    first, second, third = ids(towns)
    before = state(towns)
    assert towns.run("review", "--approve", first, "--reject", second, "--reject", third).code == 0
    taken_back(towns, third)
    assert towns.run("review", "--approve", third).code == 0
    for each in (first, third, second):
        taken_back(towns, each)
    assert state(towns) == before


def test_a_source_lists_no_claim_that_evidence_was_taken_out_of_on_another_day(towns: Base) -> None:
    made = waits(towns, judged("enriches", 0), DRAFTS[1], DRAFTS[2])
    first, second, third = (each.id for each in made)
    before = state(towns)
    assert towns.run("review", "--add", first, "--reject", second, "--reject", third).code == 0
    taken_back(towns, third)
    assert towns.run("review", "--approve", third, "--anyway").code == 0
    for each in (first, third, second):
        taken_back(towns, each)
    assert state(towns) == before


@pytest.mark.parametrize("back", [(0, 1, 2), (1, 0, 2), (2, 0, 1), (0, 2, 1)])
@pytest.mark.parametrize("decided", [(0, 1), (1, 0), (0, 1, 2), (2, 1, 0)])
def test_proposals_come_back_best_first_whatever_the_order(
    towns: Base, decided: tuple[int, ...], back: tuple[int, ...]
) -> None:
    all_ids = ids(towns)
    before = state(towns)
    for each in decided:
        assert towns.run("review", "--reject", all_ids[each]).code == 0
    for each in back:
        if each in decided:
            taken_back(towns, all_ids[each])
    assert ids(towns) == all_ids
    assert state(towns) == before


def test_places_of_quotes_follow_a_source_that_loses_lines(towns: Base) -> None:
    first, second, third = ids(towns)
    assert towns.run("review", "--approve", first, "--reject", second, "--reject", third).code == 0
    taken_back(towns, third)
    assert "claims_extracted" in towns.read("inbox/notes.md")
    towns.edit("- reason:", "- reason: ask Ann")
    taken_back(towns, first)
    assert "claims_extracted" not in towns.read("inbox/notes.md")
    assert "- reason: ask Ann" in towns.read(PACKET)
    lines = towns.read("inbox/notes.md").splitlines()
    places = re.findall(r"Quote: notes\.md, line (\d+) ", towns.read(PACKET))
    assert {lines[int(place) - 1] for place in places} == {SENTENCES[0], SENTENCES[1], SENTENCES[2]} - {
        next(p["proposal"]["evidence"][0]["quote"] for p in towns.decisions() if p["id"] == second)
    }


def test_undone_and_approved_again(towns: Base) -> None:
    first = ids(towns)[0]
    assert towns.run("review", "--approve", first).code == 0
    [claim] = [path for path in towns.claims() if path != TARGET]
    text = towns.read(claim)
    taken_back(towns, claim)
    assert not towns.path(claim).exists()
    assert towns.run("review", "--approve", first).code == 0
    assert towns.read(claim) == text
    assert [each["verdict"] for each in towns.decisions()] == ["approved", "withdrawn", "approved"]
    codes = {p["code"] for p in towns.run("check", "--json").json if p["path"] == claim}
    assert not codes & {"no-decision", "claim-gone", "two-verdicts"}
    shown = towns.run("show", claim).out
    assert "approved by Rita Reviewer <rita@example.org>" in shown
    assert "withdrawn by" in shown
    assert shown.count("(no longer counts)") == 1


def test_undone_twice(towns: Base) -> None:
    first = ids(towns)[0]
    assert towns.run("review", "--approve", first).code == 0
    [claim] = [path for path in towns.claims() if path != TARGET]
    commit = towns.git("rev-parse", "HEAD")
    taken_back(towns, first)
    before = towns.snapshot()
    for name in (first, claim, Path(claim).stem, commit):
        done = towns.run("undo", name)
        assert (done.code, f"{first}: already withdrawn" in done.err) == (0, True)
    assert towns.snapshot() == before
    assert towns.git("log", "--format=%s").count("undo: ") == 1
    assert "withdrawn by" in towns.run("show", first).out


# -- what stops it ---------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["--approve", "--add"])
@pytest.mark.parametrize("committed", [True, False])
def test_an_edit_since_stops_it(towns: Base, how: str, committed: bool) -> None:
    made = waits(towns, judged(), DRAFTS[1])
    assert towns.run("review", how, made[0].id).code == 0
    path = towns.decisions()[0]["claim"]
    towns.edit(SENTENCES[0][:20], "Somebody else says", path)
    if committed:
        towns.commit_all()
    before, head = towns.snapshot(), towns.git("rev-parse", "HEAD")
    done = towns.run("undo", made[0].id)
    assert done.code == 4
    assert "\n+" in done.err
    assert "Somebody else says" in done.err
    assert f"{path}: " in done.err
    assert ("status: retired" if how == "--approve" else "take it out by hand") in done.err
    failed = json.loads(towns.run("undo", made[0].id, "--json").err)
    assert "Somebody else says" in failed["error"]["difference"]
    assert (towns.snapshot(), towns.git("rev-parse", "HEAD")) == (before, head)


def test_a_claim_with_later_evidence_or_elsewhere_stops_it(towns: Base) -> None:
    made = waits(towns, DRAFTS[0], DRAFTS[1], near="")
    assert towns.run("review", "--approve", made[0].id).code == 0
    path = towns.decisions()[0]["claim"]
    towns.edit("- reason:", f"- adds to: [[{Path(path).stem}]]\n- as: extend\n- reason:")
    assert towns.run("review", "--add", made[1].id).code == 0
    done = towns.run("undo", made[0].id)
    assert (done.code, f"codex undo {made[1].id}, then this" in done.err) == (4, True)
    taken_back(towns, made[1].id)
    towns.git("mv", path, str(Path(path).with_name("moved.md")))
    towns.commit_all()
    done = towns.run("undo", made[0].id)
    assert (done.code, "its claim was moved to" in done.err) == (4, True)
    assert "claim-gone" not in towns.run("check").out


def test_a_packet_that_was_cut_off_or_a_line_that_tells_no_proposal_stops_it(towns: Base) -> None:
    first, second, _ = ids(towns)
    assert towns.run("review", "--reject", first, "--reject", second).code == 0
    whole, log = towns.read(PACKET), towns.read(LOG)
    towns.write(PACKET, whole[: whole.index("1. Does the quote")])
    done = towns.run("undo", first)
    assert (done.code, f"{PACKET}: ends early" in done.err) == (1, True)
    towns.write(PACKET, whole)
    towns.write(LOG, log.replace('"quote": ', '"said": '))
    towns.commit_all()
    done = towns.run("undo", first)
    assert (done.code, f"{LOG}: the line of {first} does not tell what was proposed" in done.err) == (1, True)
    assert len(towns.decisions()) == 2


@pytest.mark.parametrize("path", ["../kept.md", "/etc/kept.md", ".git/config", "a\0b.md"])
def test_a_claim_of_the_log_outside_is_neither_read_nor_removed(towns: Base, path: str) -> None:
    kept = towns.root.parent / "kept.md"
    kept.write_text("kept")
    first = ids(towns)[0]
    assert towns.run("review", "--approve", first).code == 0
    made = towns.decisions()[0]
    towns.git("rm", "-q", made["claim"])
    towns.write(LOG, json.dumps({**made, "claim": path}) + "\n")
    towns.commit_all()
    towns.git("config", "core.sparseCheckout", "true")
    codes = {p["code"] for p in towns.run("check", "--json").json}
    assert ("claim-gone" in codes) == (path != ".git/config")
    config = towns.read(".git/config")
    done = towns.run("undo", first)
    assert done.code in (1, 4), done.err
    assert "[core]" not in done.err
    assert (kept.read_text(), towns.read(".git/config")) == ("kept", config)


@pytest.mark.parametrize("path", ["README.md", "codex.toml", "inbox/notes.md", "codex/index/a.md", "codex/about.md"])
def test_a_file_that_a_log_calls_a_claim_and_is_none_stands(towns: Base, path: str) -> None:
    for made in ("README.md", "codex/about.md", "codex/index/a.md"):
        towns.write(made, "# About\n\nMine.\n")
    towns.mark("x", count=1)
    assert towns.run("review", "--apply").code == 0
    line = json.loads(towns.read(LOG).splitlines()[0])
    towns.write(LOG, json.dumps(line | {"claim": path}) + "\n")
    towns.commit_all()
    before = towns.read(path)
    done = towns.run("undo", line["id"])
    assert (done.code, towns.read(path)) == (1, before)
    assert f"{LOG}: the line of {line['id']} names {path} as its claim, which is none" in done.err


def test_names_that_mean_nothing_or_more_than_one(towns: Base) -> None:
    first, *_ = ids(towns)
    for name, code, words in [
        (first, 2, "waits: nothing is decided about it"), ("nothing such", 3, "no decision, claim or commit"),
        ("HEAD", 3, "decided nothing"), (TARGET, 3, "no decision stands behind this claim"),
        (" ", 2, "nothing is named"), ("--", 2, ""),
    ]:  # fmt: skip
        done = towns.run("undo", name)
        assert (done.code, words in done.err) == (code, True), done.err
    made = waits(towns, judged("enriches", 0), judged("enriches", 1), DRAFTS[2])
    assert towns.run("review", "--add", made[0].id, "--add", made[1].id).code == 0
    done = towns.run("undo", TARGET)
    assert (done.code, made[0].id in done.err, made[1].id in done.err) == (2, True, True)


def test_newlines_that_git_wrote_are_no_edit(towns: Base) -> None:
    first = ids(towns)[0]
    towns.run("review", "--approve", first)
    towns.git("config", "core.autocrlf", "true")
    (claim,) = [path for path in towns.claims() if "cities.md" not in path]
    towns.path(claim).unlink()
    towns.git("checkout", "-q", "--", claim)
    assert b"\r\n" in towns.path(claim).read_bytes()
    done = towns.run("undo", first)
    assert done.code == 0, done.err
    assert not towns.path(claim).exists()


def test_a_claim_that_a_person_deleted_goes_with_its_entry_in_the_same_commit(towns: Base) -> None:
    first = ids(towns)[0]
    towns.run("review", "--approve", first)
    (claim,) = [path for path in towns.claims() if "cities.md" not in path]
    towns.edit("confidence: ", "# mine\nconfidence: ", claim)
    assert towns.run("undo", first).code == 4
    towns.git("rm", "-qf", claim)
    done = taken_back(towns, first)
    assert done["removed"] == [claim]
    assert not towns.git("ls-tree", "HEAD", claim)


def test_links_that_were_written_since_it_was_near_go_with_it_and_hinder_no_undo(towns: Base) -> None:
    near = "Large cities raise the productivity of workers because firms and people learn from one another well."
    one = towns.ingest("one", [near])[0]["id"]
    towns.run("review", "--approve", one, "--anyway")
    two = towns.ingest("two", [near.replace("well", "each day")])[0]["id"]
    assert towns.run("review", "--approve", two, "--anyway").code == 0
    (first,) = [d["claim"] for d in towns.decisions("one")]
    (second,) = [d["claim"] for d in towns.decisions("two")]
    stem = Path(first).stem
    assert f"- [[{stem}]] — near in meaning" in towns.read(second)
    done = taken_back(towns, one)
    assert stem not in towns.read(second)
    assert done["look_again"] == []
    assert "dead-link" not in {p["code"] for p in towns.run("check", "--json").json}
    taken_back(towns, two)


def test_claims_that_link_to_it_are_named(towns: Base) -> None:
    first = ids(towns)[0]
    assert towns.run("review", "--approve", first).code == 0
    claim = towns.decisions()[0]["claim"]
    linking = towns.claim("roads", "Roads bind towns", body=f"[[{Path(claim).stem}]]")
    towns.commit_all()
    assert towns.run("distill").code == 0
    done = towns.run("undo", Path(claim).stem)
    assert (done.code, f"look again at: {linking}" in done.err) == (0, True)


# -- git -------------------------------------------------------------------------------------------


def test_on_a_branch(towns: Base) -> None:
    towns.write("codex.toml", towns.read("codex.toml") + BRANCH)
    towns.commit_all()
    head = towns.git("rev-parse", "main")
    before = state(towns)
    towns.mark("x")
    assert towns.run("review", "--apply").code == 0
    done = towns.run("undo", "extract/notes")
    assert done.code == 0, done.err
    assert state(towns) == before
    assert towns.git("rev-parse", "main") == head
    assert towns.git("log", "-1", "--format=%s", "extract/notes") == "undo: take back 3 decisions from notes"
    assert towns.git("diff", "--name-only", "main", "extract/notes").splitlines() == [
        "codex/decisions/.gitattributes", LOG,
    ]  # fmt: skip


def test_the_commit_says_who_and_why(towns: Base) -> None:
    first = ids(towns)[0]
    assert towns.run("review", "--approve", first, "--reviewer", "Ada <ada@example.org>").code == 0
    taken_back(towns, first, "--why", "the quote\nsays less", "--reviewer", "Bob <bob@example.org>")
    message = towns.git("log", "-1", "--format=%B")
    assert "Why: the quote says less\n" in message
    for trailer in ("Source: inbox/notes.md", "Reviewed-by: Bob <bob@example.org>", "Generation: 0"):
        assert f"\n{trailer}" in message


def crlf(kb: Base, how: str) -> None:
    """Check everything out again, with CRLF."""
    if how == "autocrlf":
        kb.git("config", "core.autocrlf", "true")
    else:
        kb.write(".gitattributes", "*.md text eol=crlf\n")
        kb.commit_all()
    shutil.rmtree(kb.path("codex"))
    shutil.rmtree(kb.path("inbox"))
    kb.git("checkout", "-q", ".")


@pytest.mark.parametrize("how", ["autocrlf", "attributes"])
@pytest.mark.parametrize("decide", ["--approve", "--add"])
def test_a_checkout_with_other_newlines_is_no_edit(towns: Base, how: str, decide: str) -> None:
    made = waits(towns, judged("enriches", 0), DRAFTS[1])
    before = towns.read(TARGET)
    assert towns.run("review", decide, made[0].id, "--anyway", "--reject", made[1].id).code == 0
    claim = towns.decisions()[0]["claim"]
    crlf(towns, how)
    assert b"\r\n" in towns.path(claim).read_bytes()
    taken_back(towns, made[0].id)
    assert towns.read(TARGET) == before.replace("\n", "\r\n")
    source = towns.read("inbox/notes.md")
    assert "status: processing" in source
    assert "\n" not in source.replace("\r\n", "")
    if decide == "--approve":
        assert not towns.path(claim).exists()


def test_an_edit_in_a_checkout_with_other_newlines_stops_it(towns: Base) -> None:
    first = ids(towns)[0]
    assert towns.run("review", "--approve", first).code == 0
    claim = towns.decisions()[0]["claim"]
    crlf(towns, "autocrlf")
    towns.edit("confidence: ", "# mine\r\nconfidence: ", claim)
    done = towns.run("undo", first, "--json")
    assert done.code == 4
    difference = json.loads(done.err)["error"]["difference"]
    assert [line for line in difference.splitlines()[2:] if line[0] in "+-"] == ["+# mine"]


def test_a_sparse_checkout_hides_no_claim(towns: Base) -> None:
    first = ids(towns)[0]
    assert towns.run("review", "--approve", first).code == 0
    towns.git("sparse-checkout", "set", "inbox", "schemas")
    assert "claim-gone" not in towns.run("check").out
    done = towns.run("undo", first)
    assert (done.code, "is left out by a sparse checkout" in done.err) == (4, True)


def reverted(kb: Base, commit: str) -> None:
    subprocess.run(["git", "revert", "--no-edit", commit], cwd=kb.root, check=True, capture_output=True)


@pytest.mark.parametrize(("first", "then"), [("--approve", "--reject"), ("--reject", "--approve")])
def test_a_revert_by_git_leaves_nothing_that_one_command_does_not_settle(towns: Base, first: str, then: str) -> None:
    one, two, _ = ids(towns)
    assert towns.run("review", first, one).code == 0
    commit = towns.git("rev-parse", "HEAD")
    assert towns.run("review", "--reject", two).code == 0
    undone = subprocess.run(["git", "revert", "--no-edit", commit], cwd=towns.root, capture_output=True, check=False)
    if undone.returncode:  # the packet was changed by both: the person settles it
        towns.git("checkout", commit + "^", "--", "inbox/proposals")
        towns.git("add", "-A")
        towns.git("-c", "core.editor=true", "revert", "--continue")
    assert one in {each["id"] for each in towns.decisions()}, "the union merge keeps the line"
    found = {p["code"]: p for p in towns.run("check", "--json").json}
    if first == "--approve":
        assert found["claim-gone"]["hint"].startswith(f"codex undo {one}")
    assert towns.run("review", then, one).code == 0
    codes = {p["code"] for p in towns.run("check", "--json").json}
    assert not codes & {"two-verdicts", "claim-gone"}
    last = [each["verdict"] for each in towns.decisions() if each["id"] == one]
    assert last[-2:] == ["withdrawn", {"--reject": "rejected", "--approve": "approved"}[then]]


def test_undo_of_what_git_reverted_only_adds_the_line(towns: Base) -> None:
    first = ids(towns)[0]
    before = state(towns)
    assert towns.run("review", "--approve", first).code == 0
    log = towns.read(LOG)
    reverted(towns, "HEAD")
    towns.write(LOG, log)
    towns.commit_all()
    assert state(towns).keys() == before.keys()
    taken_back(towns, first)
    assert state(towns) == before
    assert "claim-gone" not in towns.run("check").out


def test_people_who_disagree_are_settled_by_the_command_that_check_names(towns: Base) -> None:
    first = ids(towns)[0]
    before = state(towns)
    assert towns.run("review", "--approve", first).code == 0
    other = {**towns.decisions()[0], "time": "2099-01-01T00:00:00+00:00", "verdict": "rejected", "claim": None,
             "reason": "vague", "reviewer": "Bob <bob@example.org>"}  # fmt: skip
    towns.write(LOG, towns.read(LOG) + json.dumps(other) + "\n")
    towns.commit_all()
    problem = next(p for p in towns.run("check", "--json").json if p["code"] == "two-verdicts")
    assert problem["hint"].startswith(f"codex undo {first} ")
    taken_back(towns, first)
    assert state(towns) == before
    assert "two-verdicts" not in towns.run("check").out


@pytest.mark.parametrize("how", ["--approve", "--add"])
def test_two_branches_that_both_approve_are_settled_by_the_command_that_check_names(towns: Base, how: str) -> None:
    made = waits(towns, judged("enriches", 0), DRAFTS[1])
    first = made[0].id
    before = state(towns)
    towns.git("checkout", "-qb", "two")
    towns.edit("## [ ] Claim 1 about cities", "## [x] Big towns make workers far more productive than villages do")
    assert towns.run("review", "--apply", "--reviewer", "Bob <bob@example.org>").code == 0
    towns.git("checkout", "-q", "main")
    assert towns.run("review", how, first, "--anyway").code == 0
    towns.git("merge", "-q", "--no-edit", "two")
    assert towns.run("distill").code == 0
    found = {p["code"]: p for p in towns.run("check", "--json").json}
    assert found["two-verdicts"]["hint"].startswith(f"codex undo {first} ")
    assert all(str(each["claim"]) in found["two-verdicts"]["message"] for each in towns.decisions())
    noted = [p["path"] for p in towns.run("check", "--json").json if p["code"] == "no-decision"]
    assert noted == [TARGET]
    taken_back(towns, first)
    assert state(towns) == before


# -- without git, from Python ----------------------------------------------------------------------


def test_without_git(tmp_path: Path, run: Callable[..., Run], encoder: object) -> None:
    kb = make_base(tmp_path / "kb", run, git=False)
    shutil.rmtree(kb.path(".git"))
    kb.claim("cities", "Cities make workers productive", body=TAIL)
    assert kb.run("distill").code == 0
    first, *_ = kb.ingest()
    as_ada = ("--reviewer", "Ada <ada@example.org>")
    before = state(kb)
    assert kb.run("review", "--approve", first["id"], *as_ada).code == 0
    claim = kb.decisions()[0]["claim"]
    text = kb.read(claim)
    kb.edit("Topics:", "Another word.\n\nTopics:", claim)
    assert kb.run("undo", first["id"], *as_ada).code == 4
    kb.write(claim, text)
    assert kb.run("undo", first["id"], *as_ada).code == 0
    assert kb.snapshot().keys() - before.keys() == {LOG, "codex/decisions/.gitattributes"}
    assert {path: data for path, data in state(kb).items() if "proposals" not in path} == {
        path: data for path, data in before.items() if "proposals" not in path
    }
    assert sorted(ids(kb)) == sorted(json.loads(before["inbox/proposals/notes.json"])["proposals"][n]["id"]
                                     for n in range(3))  # fmt: skip


def test_from_python(towns: Base) -> None:
    first = ids(towns)[0]
    with api.open(towns.root) as base:
        [claim] = base.decide(approve=[first]).approved
        towns.edit("confidence:", "last_evaluated: 2026-01-01\nconfidence:", claim)
        with pytest.raises(Edited) as stopped:
            base.undo(first)
        assert "+last_evaluated: 2026-01-01" in stopped.value.difference
        towns.git("checkout", "--", claim)
        done = base.undo(first, "too vague", reviewer="Ada <ada@example.org>")
        assert (done.decisions[0].id, done.removed) == (first, [claim])
        assert base.undo(first).already == [first]
    assert towns.decisions()[-1]["reviewer"] == "Ada <ada@example.org>"


def test_the_proposal_comes_back_from_its_line(towns: Base) -> None:
    made = waits(towns, judged(why="It counts"), notes=("a note",))
    assert towns.run("review", "--reject", made[0].id).code == 0
    with api.open(towns.root) as base:
        [decision] = base.show(made[0].id).decisions
    assert proposal_of(decision) == made[0]


# -- the inverse of adding, purely -----------------------------------------------------------------

QUOTES = ["Boats\nfloat.", "Ice > water", "# no heading", "### Additional Evidence (extend)", "a: [b]"]


@st.composite
def added(draw: st.DrawFn) -> publish.Addition:
    quotes = draw(st.lists(st.sampled_from(QUOTES), min_size=1, max_size=2, unique=True))
    evidence = tuple(Evidence("inbox/a.md", "0" * 64, quote, 0, len(quote)) for quote in quotes)
    kind = draw(st.sampled_from(["extend", "confirm", "challenge"]))
    description = draw(st.sampled_from(["So it is", "Is it?", "x | y*", ""]))
    return publish.Addition(kind, evidence, description, "a", "m", "2026-01-02")


HEADS = ["---\ntype: claim\n---\n", '---\ntype: claim\nevidence: []\nchallenged_by: "Ann"\n---\n', ""]
BODIES = ["# T\n\nSo.\n", "# T\n\nSo.", "# T\n\nSo.\n\n", "# T\n\nSo.\n\n---\n\nRelevant Notes:\n- [[a]]\n", "",
          "So.\nTopics:\n- x\n", "So.\n\n\n---\nTopics:\n- [[a]]"]  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(HEADS), st.sampled_from(BODIES), st.sampled_from(["\n", "\r\n"]),
       st.lists(added(), min_size=1, max_size=3), st.data())  # fmt: skip
def test_what_was_added_is_taken_out_byte_for_byte(
    head: str, body: str, newline: str, additions: list[publish.Addition], data: st.DataObject
) -> None:
    states = [(head + body).replace("\n", newline).encode()]
    for each in additions:
        states.append(publish.add_evidence(states[-1], "c.md", each))
    found = publish.additions_in(states[-1], "c.md")
    assert [each.kind for each in found] == [each.kind for each in additions]
    assert publish.without_evidence(states[-1], "c.md", found[-1], states[:-1]) == states[-2]
    number = data.draw(st.integers(0, len(found) - 1))
    chosen = found[number]
    if found.count(chosen) == 1:
        others = states[0]
        for each in additions[:number] + additions[number + 1 :]:
            others = publish.add_evidence(others, "c.md", each)
        assert publish.without_evidence(states[-1], "c.md", chosen, states[:-1]) == others


def test_an_edited_block_is_not_taken_out() -> None:
    evidence = Evidence("inbox/a.md", "0" * 64, "Boats float.", 0, 12)
    addition = publish.Addition("extend", (evidence,), "So.", "a", "m", "2026-01-02")
    whole = publish.add_evidence(b"---\ntype: claim\n---\n# T\n\nSo.\n", "c.md", addition)
    assert publish.without_evidence(whole, "c.md", addition) == b"---\ntype: claim\n---\n# T\n\nSo.\n"
    for old, new in [(b"> Boats", b"> Ships"), (b"So.\n", b"So.\n\nMine.\n"), (b"### Add", b"#### Add")]:
        edited = whole[: whole.rindex(old)] + new + whole[whole.rindex(old) + len(old) :]
        assert publish.without_evidence(edited, "c.md", addition) is None
