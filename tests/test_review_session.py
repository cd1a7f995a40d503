"""A session of `codex review`: run again it is harmless, left it applies nothing, no claim is made twice unsaid."""

from __future__ import annotations

import json
from typing import Any

import pytest

from codex_kb import api
from codex_kb.cli import review as cli_review
from codex_kb.errors import Conflict, NotFound
from codex_kb.kb import KnowledgeBase
from codex_kb.workflow.review import Review
from conftest import SENTENCES, Base

PACKET = "inbox/proposals/notes.md"
SAME = "Prediction markets aggregate dispersed information more accurately than committees of experts do"


def editor(kb: Base, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    path = kb.root.parent / "editor.sh"
    path.write_text(script)
    monkeypatch.setenv("VISUAL", f"sh {path}")


# -- running a command again -----------------------------------------------------------------------


def test_the_same_command_again_says_so_and_changes_nothing(kb: Base) -> None:
    first, second, third = kb.ingest()
    command = ("review", "--approve", first["id"], "--reject", f"{second['id']}=vague")
    assert kb.run(*command).code == 0
    before = kb.snapshot()
    again = kb.run(*command)
    assert (again.code, kb.snapshot()) == (0, before)
    assert f"already approved: {first['id']}" in again.err
    assert f"already rejected: {second['id']}" in again.err
    assert kb.run(*command, "--reject", third["id"]).code == 0
    assert len(kb.decisions()) == 3


def test_what_was_decided_otherwise_or_is_unknown_leaves_the_others(kb: Base) -> None:
    first, second, third = kb.ingest()
    assert kb.run("review", "--approve", first["id"]).code == 0
    other = kb.run("review", "--reject", first["id"], "--reject", second["id"])
    assert (other.code, f"{first['id']} was approved by Rita Reviewer" in other.err) == (4, True)
    unknown = kb.run("review", "--approve", "ffffffffffff", "--approve", third["id"])
    assert (unknown.code, "no proposal ffffffffffff waits" in unknown.err) == (3, True)
    assert [d["verdict"] for d in kb.decisions()] == ["approved", "rejected", "approved"]
    with api.open(kb.root) as base:
        faults = base.decide(approve=["ffffffffffff", second["id"]], reviewer="Ada <ada@example.org>").faults
        assert [type(fault) for fault in faults] == [NotFound, Conflict]


def test_the_last_decision_in_time_counts(kb: Base) -> None:
    first, *_ = kb.ingest()
    assert kb.run("review", "--approve", first["id"]).code == 0
    [decision] = kb.decisions()
    log = "codex/decisions/notes.jsonl"
    withdrawn = {**decision, "verdict": "withdrawn", "time": "2999-01-01T00:00:00+00:00"}
    kb.write(log, f"{json.dumps(withdrawn)}\n{kb.read(log)}")
    assert kb.run("review", "--approve", first["id"], "--no-commit").code == 3
    kb.write(log, kb.read(log) + json.dumps({**withdrawn, "verdict": "rejected", "time": "2999-01-02"}) + "\n")
    assert kb.run("review", "--approve", first["id"], "--no-commit").code == 4
    assert kb.run("review", "--reject", first["id"], "--no-commit").code == 0


def test_the_beginning_of_an_id_never_means_another_the_second_time(kb: Base) -> None:
    ids = [each["id"] for each in kb.ingest()]
    assert kb.run("review", "--reject", ids[0]).code == 0
    log = "codex/decisions/notes.jsonl"
    kb.write(log, kb.read(log).replace(ids[0], f"{ids[1][:6]}ffffff"))
    again = kb.run("review", "--reject", ids[1][:6], "--no-commit")
    assert (again.code, "may mean" in again.err, len(kb.decisions())) == (2, True, 1)


# -- the editor ------------------------------------------------------------------------------------


def test_an_editor_that_is_left_with_an_error_ends_the_session(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.ingest("notes")
    kb.ingest("other", sentences=["Wheat prices in London fell after the repeal of the Corn Laws in 1846."])
    editor(kb, monkeypatch, f'echo . >> {kb.root.parent}/opened; sed -i "s/## \\[ \\]/## [x]/" "$1"; exit 3')
    done = kb.run("review")
    assert done.code == 1
    assert "the editor ended with 3: session ended; nothing in notes was applied" in done.err
    assert (kb.root.parent / "opened").read_text() == ".\n"
    assert kb.claims() == []


def test_before_anything_is_applied_one_line_says_what(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.ingest()
    editor(kb, monkeypatch, 'sed -i "0,/## \\[ \\]/s//## [x]/; 0,/## \\[ \\]/s//## [-]/" "$1"')
    done = kb.run("review")
    assert done.err.index("notes: 1 approved, 1 rejected, 1 wait") < done.err.index("approved: codex/")


@pytest.mark.parametrize("answer", [True, False])
def test_what_is_not_agreed_to_is_not_applied(kb: Base, answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.ingest()
    asked: list[str] = []

    def edit(path: Any) -> int:
        path.write_text(path.read_text().replace("## [ ]", "## [x]", 1))
        return 0

    def agreed(line: str) -> bool:
        asked.append(line)
        return answer

    Review(KnowledgeBase(kb.root), "Ada <ada@example.org>").edit((), edit, agreed)
    assert asked == ["notes: 1 approved, 0 rejected, 2 wait"]
    assert len(kb.claims()) == answer
    assert ("## [x]" in kb.read(PACKET)) is not answer


def test_a_terminal_is_asked_and_no_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    asked: list[object] = []
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.confirm", lambda *_, default, **__: asked.append(default) or default)
    assert cli_review._agreed("notes: 1 approved") is False
    assert cli_review._sure("notes: 1 approved") is True
    assert asked == [False]


def test_what_changed_while_it_was_asked_about_is_not_applied(kb: Base) -> None:
    kb.ingest()

    def edit(path: Any) -> int:
        path.write_text(path.read_text().replace("## [ ]", "## [x]", 1))
        return 0

    def agreed(_: str) -> bool:
        kb.mark("x")
        return True

    done = Review(KnowledgeBase(kb.root), "Ada <ada@example.org>").edit((), edit, agreed)
    assert [type(fault) for fault in done.faults] == [Conflict]
    assert kb.claims() == []


# -- copies of a packet ----------------------------------------------------------------------------


@pytest.mark.parametrize("copy", ["notes (conflicted copy)", "notes 2"])
def test_a_copy_of_a_packet_is_a_problem_and_never_decided(kb: Base, copy: str) -> None:
    kb.ingest()
    kb.mark("x", count=1)
    for suffix in ("md", "json"):
        kb.write(f"inbox/proposals/{copy}.{suffix}", kb.read(f"inbox/proposals/notes.{suffix}"))
    kb.commit_all()
    copies = [p["path"] for p in kb.run("check", "--json").json if p["code"] == "packet-copy"]
    assert copies == [f"inbox/proposals/{copy}.json", f"inbox/proposals/{copy}.md"]
    assert len(kb.run("proposals", "--json").json) == 3
    done = kb.run("review", "--apply")
    assert (done.code, f"inbox/proposals/{copy}.md: not the packet of its source" in done.err) == (0, True)
    assert len(kb.claims()) == len(kb.decisions()) == 1


def test_two_sources_of_one_stem_have_packets_of_their_own(kb: Base) -> None:
    kb.ingest("notes")
    kb.source("deep/notes", sentences=["Wheat prices in London fell after the repeal of the Corn Laws in 1846."])
    assert kb.run("ingest", "inbox").code == 0
    assert {p["source"] for p in kb.run("proposals", "--json").json} == {"inbox/notes.md", "inbox/deep/notes.md"}
    assert "packet-copy" not in {p["code"] for p in kb.run("check", "--json").json}


# -- nothing is claimed twice unsaid ---------------------------------------------------------------


def twice(kb: Base) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two packets that hold the same sentence, both written before there was a claim."""
    first, *_ = kb.ingest("notes", SENTENCES[:1])
    [second] = kb.ingest("other", SENTENCES[:1])
    return first, second


def test_an_approval_that_has_become_a_duplicate_waits_with_the_claim(kb: Base) -> None:
    _, second = twice(kb)
    kb.mark("x")
    kb.mark("x", "other")
    done = kb.run("review", "--apply")
    [claim] = kb.claims()
    assert (done.code, f"{second['id']} says nearly what {claim} says" in done.err) == (1, True)
    assert [p["id"] for p in kb.run("proposals", "--json").json] == [second["id"]]
    text = kb.read("inbox/proposals/other.md")
    assert f"<!-- near: {claim} " in text
    assert f"- adds to: [[{claim.rpartition('/')[2].removesuffix('.md')}]]\n- as: confirm\n" in text
    assert "## [ ] " in text
    assert kb.run("review", "--apply").code == 0
    assert len(kb.claims()) == 1


def test_show_says_that_it_is_held_and_what_is_near_by_now(kb: Base) -> None:
    _, second = twice(kb)
    assert "held" not in kb.run("show", second["id"]).out
    kb.mark("x")
    kb.mark("x", "other")
    kb.run("review", "--apply")
    [claim] = kb.claims()
    shown = kb.run("show", second["id"]).out
    assert f"held: {claim} says nearly the same" in shown
    assert f"codex review --add {second['id']}" in shown
    assert "relation: duplicate" in shown
    assert "Nearest claims:\n  1.00" in shown
    value = kb.run("show", second["id"], "--json").json
    assert (value["held"], value["nearest"][0]["path"]) == ([claim], claim)
    assert second["nearest"] == []  # as the record still has it


def test_plus_after_the_notice_adds_to_the_claim(kb: Base) -> None:
    twice(kb)
    for name in ("notes", "other"):
        kb.mark("x", name)
    kb.run("review", "--apply")
    kb.mark("+", "other")
    assert kb.run("review", "--apply").code == 0
    [claim] = kb.claims()
    assert "Evidence (confirm)" in kb.read(claim)


def test_a_second_x_after_the_notice_makes_a_claim(kb: Base) -> None:
    twice(kb)
    for name in ("notes", "other"):
        kb.mark("x", name)
    kb.run("review", "--apply")
    kb.mark("x", "other")
    assert kb.run("review", "--apply").code == 0
    assert len(kb.claims()) == 2


def test_by_id_a_duplicate_waits_however_often_and_anyway_makes_it_a_claim(kb: Base) -> None:
    first, second = twice(kb)
    both = ("review", "--approve", first["id"], "--approve", second["id"])
    assert [kb.run(*both).code for _ in range(2)] == [1, 1]
    assert len(kb.claims()) == kb.read("inbox/proposals/other.md").count("<!-- near: ") == 1
    assert kb.run("review", "--approve", second["id"], "--anyway").code == 0
    assert len(kb.claims()) == 2


def test_two_in_one_packet_that_come_to_say_the_same(kb: Base) -> None:
    first, second, _ = kb.ingest()
    text = kb.read(PACKET).replace(f"## [ ] {second['title']}", f"## [x] {first['title']}")
    kb.write(PACKET, text.replace(f"<!-- id: {second['id']} -->\n", ""))
    kb.mark("x", count=1)
    done = kb.run("review", "--apply")
    assert (done.code, len(kb.claims())) == (1, 1), done.err
    kb.mark("-")
    assert kb.run("review", "--apply").code == 0
    assert len(kb.claims()) == 1


def test_a_retired_claim_is_no_reason_to_wait(kb: Base) -> None:
    first, *_ = kb.ingest()
    kb.claim("old", SAME, status="retired")
    kb.commit_all()
    assert kb.run("review", "--approve", first["id"]).code == 0
    assert len(kb.claims()) == 2


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 3", 1), ("touch", 0)])
def test_a_session_that_decides_nothing_leaves_the_files_as_they_were(
    kb: Base, monkeypatch: pytest.MonkeyPatch, script: str, code: int
) -> None:
    first, *_ = kb.ingest()
    kb.claim("markets", first["title"], description=first["title"])
    kb.edit(first["evidence"][0]["quote"], "Somebody rewrote this, nothing of the old one is left.", first["source"])
    kb.commit_all()
    before = kb.snapshot()
    editor(kb, monkeypatch, f'{script} "$1"\n' if script == "touch" else f"{script}\n")
    assert kb.run("review").code == code
    assert kb.snapshot() == before
    kb.mark("?")
    kb.commit_all()
    before = kb.snapshot()
    line = kb.read(PACKET).splitlines().index(f"## [?] {first['title']}") + 1
    faulty = kb.run("review").err
    assert code or f'{PACKET}:{line}: the mark is x, +, - or empty, not "?"' in faulty
    assert kb.snapshot() == before


def test_what_is_nearest_is_looked_up_when_a_packet_opens(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = kb.ingest()
    assert "No claim is near" in kb.read(PACKET)
    kb.edit("- reason:", "- reason: ask Ann")
    kb.claim("markets", first["title"], description=first["title"])
    kb.commit_all()
    editor(kb, monkeypatch, f'cp "$1" {kb.root.parent}/seen.md\n')
    assert kb.run("review").code == 0
    assert kb.git("status", "--porcelain") == "", "nothing was decided, nothing is changed"
    section = (kb.root.parent / "seen.md").read_text().split("\n## ")[1]
    assert "3. Is it new? Nearest claims (duplicate):\n   - 1.00 [[markets]]\n4. Does" in section
    assert "- reason: ask Ann" in section
    editor(kb, monkeypatch, 'sed -i "s/^- reason: ask Ann/- reason: asked/" "$1"\n')
    assert kb.run("review").code == 0
    shown = kb.run("proposals", "--json").json[0]
    assert (shown["relation"], shown["nearest"][0]["path"]) == ("duplicate", "codex/economics/markets.md")
    kb.mark("x", count=1)
    assert kb.run("review", "--apply").code == 0, "it was shown"
