"""`codex review` where settings, editors and sources are not the usual ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from codex_kb.text.markdown_file import parse
from conftest import HEAD, SENTENCES, Base, Run, make_base

PACKET = "inbox/proposals/notes.md"


def script(kb: Base, name: str, text: str) -> str:
    path = kb.root.parent / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_git_names_the_editor_where_the_environment_does_not(kb: Base) -> None:
    kb.ingest()
    kb.git("config", "core.editor", script(kb, "approve", r"sed -i '0,/## \[ \]/s//## [x]/' " + '"$1"'))
    assert kb.run("review").code == 0
    assert len(kb.claims()) == 1


def test_an_editor_that_never_mends_ends_and_keeps_the_text(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.ingest()
    monkeypatch.setenv("EDITOR", script(kb, "spoil", r"sed -i '0,/## \[ \]/s//## [?]/' " + '"$1"'))
    done = kb.run("review")
    assert (done.code, kb.claims()) == (1, [])
    assert "## [?]" in kb.read(PACKET)
    assert 'the mark is x, +, - or empty, not "?"' in kb.read(PACKET)


def test_nothing_to_claim_here(kb: Base) -> None:
    kb.write("inbox/notes.md", HEAD + "| only | a table |\n|---|---|\n| 1 | 2 |\n")
    assert kb.run("ingest", "inbox").code == 0
    assert kb.run("proposals", "--json").json == []
    assert "## [ ] Nothing to claim here" in kb.read(PACKET)
    kb.mark("-")
    assert kb.run("review", "--apply").code == 0
    assert kb.path(PACKET).exists(), "a cross there means that there is something to claim after all"
    kb.write(PACKET, kb.read(PACKET).replace("## [-]", "## [x]"))
    assert kb.run("review", "--apply").code == 0
    fields = parse(kb.path("inbox/notes.md").read_bytes(), "notes").fields
    assert (fields["status"], fields["notes"]) == ("null-result", "nothing to claim here")
    assert not kb.path(PACKET).exists()
    assert kb.git("status", "--porcelain") == ""


def test_a_quote_that_no_longer_stands_is_shown_as_such(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = kb.ingest()
    kb.edit(first["evidence"][0]["quote"], "Somebody rewrote this, nothing of the old one is left.", first["source"])
    kb.commit_all()
    lost_quotes = [p["message"] for p in kb.run("check", "--json").json if p["code"] == "lost-quote"]
    assert lost_quotes == [f"inbox/notes.md changed: proposal {first['id']} lost its quote"]
    monkeypatch.setenv("EDITOR", f"cp -t {kb.root.parent}")
    assert kb.run("review").code == 0
    sections = (kb.root.parent / "notes.md").read_text().split("\n## ")
    [lost] = [s for s in sections if first["id"] in s]
    assert "this quote no longer stands" in lost
    assert not any("no longer stands" in s for s in sections if s is not lost)
    refused = kb.run("review", "--approve", first["id"])
    assert (refused.code, "the source changed" in refused.err) == (1, True)
    assert "3 wait" in refused.err
    assert kb.run("review", "--approve", others[0]["id"]).code == 0


def test_what_waits_stays_as_it_was_edited(kb: Base) -> None:
    kb.ingest()
    kb.edit("- reason:", "- reason: not sure, ask Ann")
    kept = kb.read(PACKET).split("\n## ")[1]
    head, first, rest = kb.read(PACKET).split("\n## ", 2)
    kb.write(PACKET, "\n## ".join([head, first, rest.replace("[ ]", "[-]", 1)]))
    assert kb.run("review", "--apply").code == 0
    assert kb.read(PACKET).split("\n## ")[1] == kept


def test_a_packet_that_was_deleted_is_written_anew(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.ingest()
    before = kb.read(PACKET)
    kb.path(PACKET).unlink()
    assert kb.run("review", "--apply").code == 0
    monkeypatch.setenv("EDITOR", "true")
    assert kb.run("review").code == 0
    assert kb.read(PACKET) == before
    assert not kb.path("codex/decisions").exists()


def test_outside_of_git_everything_works_but_commits(tmp_path: Path, run: Callable[..., Run], encoder: object) -> None:
    import shutil  # noqa: PLC0415

    kb = make_base(tmp_path / "kb", run, git=False)
    shutil.rmtree(kb.path(".git"))
    kb.ingest()
    kb.mark("x", count=1)
    assert kb.run("review", "--apply").code == 2
    assert kb.run("review", "--apply", "--reviewer", "Bo").code == 0
    assert len(kb.claims()) == 1


def test_fields_of_another_name_leave_ours_alone(kb: Base) -> None:
    kb.write("codex.toml", '[fields]\nstatus = "codex_status"\ntype = "codex_type"\ndate = "created"\n')
    kb.commit_all()
    head = "---\ntitle: Towns\ntype: Standards Track\nstatus: Final\ncreated: 2020-02-02\nauthor: A\n---\n\n"
    kb.source("notes", head=head)
    assert kb.run("ingest", "inbox").code == 0
    assert "status: Final\n" in kb.read("inbox/notes.md")
    assert "codex_status: processing\n" in kb.read("inbox/notes.md")
    kb.mark("x")
    assert kb.run("review", "--apply").code == 0
    text = kb.read("inbox/notes.md")
    assert "type: Standards Track\nstatus: Final\ncreated: 2020-02-02\n" in text
    assert "codex_status: processed\n" in text
    assert "(2020-02-02)" in kb.read(kb.claims()[0])


def test_commits_go_to_the_branch_that_the_settings_name(kb: Base) -> None:
    kb.write("codex.toml", '[git]\nbranch = "extract/{source}"\nsubject = "{agent}: {n} from {source}"\n'
             'trailers = { "Agent" = "Leo" }\n')  # fmt: skip
    kb.commit_all()
    main = kb.git("rev-parse", "main")
    kb.source("notes")
    assert kb.run("ingest", "inbox").code == 0
    kb.mark("x", count=1)
    assert kb.run("review", "--apply").code == 0
    assert (kb.git("rev-parse", "main"), kb.git("branch", "--show-current")) == (main, "main")
    message = kb.git("log", "-1", "--format=%B", "extract/notes")
    assert message.startswith("extractive: 1 from notes\n")
    assert message.endswith("Agent: Leo")
    assert kb.claims()[0] in kb.git("ls-tree", "-r", "--name-only", "extract/notes")


def test_a_relation_marks_near_duplicates(kb: Base) -> None:
    first, *_ = kb.ingest()
    kb.claim("same", first["title"], description=first["title"])
    kb.source("other", sentences=[first["evidence"][0]["quote"]])
    kb.commit_all()
    assert kb.run("ingest", "inbox/other.md").code == 0
    [again] = [p for p in kb.run("proposals", "--json").json if p["source"] == "inbox/other.md"]
    assert (again["relation"], again["nearest"][0]["path"]) == ("duplicate", "codex/economics/same.md")


def test_show_tells_who_decided_what(kb: Base) -> None:
    first, second, *_ = kb.ingest()
    kb.run("review", "--approve", first["id"], "--reject", f"{second['id']}=vague")
    for name in (first["id"], kb.claims()[0], first["title"], "inbox/notes.md"):
        shown = kb.run("show", name)
        assert (shown.code, "Rita Reviewer" in shown.out) == (0, True), name
    assert "rejected as vague" in kb.run("show", "inbox/notes.md").out
    assert kb.run("show", "nobody").code == 3
    status = json.loads(kb.run("status", "--json").out)
    assert (status["claims"], status["proposals"], status["sources"]) == (1, 1, {"processing": 1})
    assert status["index"] == {"fresh": True, "claims": 1}


def test_where_not_even_the_message_can_be_kept_the_next_run_commits(kb: Base) -> None:
    kb.source("notes")
    hook = kb.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    kb.path(".codex-kb/commit-message").unlink(missing_ok=True)
    kb.path(".codex-kb/commit-message").mkdir()
    refused = kb.run("ingest", "inbox")
    assert (refused.code, "nothing is lost" in refused.err) == (1, True)
    hook.unlink()
    assert kb.run("distill").code == 0
    assert kb.git("status", "--porcelain") == ""
    assert kb.git("log", "--format=%s", "--grep=propose 3 claims")


def test_a_claim_whose_description_is_the_proposal_is_no_duplicate(kb: Base) -> None:
    title = "Large cities raise the productivity of workers because firms and people learn from one another."
    kb.claim("a", "Boats", description=title)
    kb.run("distill")
    (proposal,) = kb.ingest("n", [title])
    assert proposal["nearest"][0]["score"] > 0.85
    assert proposal["relation"] == "enriches"
    assert kb.run("review", "--approve", proposal["id"]).code == 0


def test_the_box_of_a_source_without_proposals_is_not_rejected(kb: Base) -> None:
    kb.source("empty", ["Yes."])
    kb.run("ingest", "inbox")
    packet = kb.read("inbox/proposals/empty.md")
    box = packet.partition("<!-- id: ")[2][:12]
    done = kb.run("review", "--reject", f"{box}=no")
    assert done.code == 1
    assert f"--approve {box} closes the source" in done.err


def test_without_a_terminal_no_editor_is_opened_that_nobody_named(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.ingest()
    monkeypatch.setenv("GIT_EDITOR", "")
    done = kb.run("review")
    assert done.code == 2
    assert "codex review --apply" in done.err


def test_a_domain_that_is_too_long_for_a_folder_is_an_error_in_its_line(kb: Base) -> None:
    kb.ingest()
    kb.mark("x", count=1)
    kb.edit("- domain: economics", f"- domain: {'a' * 300}")
    done = kb.run("review", "--apply")
    assert done.code == 1
    assert "this domain is too long for the name of a folder" in done.err
    assert kb.claims() == []


def test_a_quote_of_a_letter_that_a_person_typed_is_no_evidence(kb: Base) -> None:
    first, second, _ = kb.ingest()
    kb.edit(f"> {first['evidence'][0]['quote']}", "> a")
    kb.mark("x", count=1)
    refused = kb.run("review", "--apply")
    assert (refused.code, "a quote is too short to be evidence: quote the sentence" in refused.err) == (1, True)
    assert kb.claims() == []
    kb.edit("> a\n", f"> {second['evidence'][0]['quote']}\n")
    assert kb.run("review", "--apply", "--anyway").code == 0


@pytest.mark.parametrize("named", [True, False])
def test_a_domain_that_differs_in_case_alone_is_refused(kb: Base, named: bool) -> None:
    first, *_ = kb.ingest()
    kb.claim("towns", "Towns with ports grow faster than towns without ports")
    kb.edit("- domain: economics", "- domain: Economics")
    if not named:
        kb.mark("x", count=1)
    refused = kb.run("review", *(("--approve", first["id"]) if named else ("--apply",)), "--no-commit")
    line = next(n for n, text in enumerate(kb.read(PACKET).splitlines(), 1) if first["title"] in text)
    assert f'{PACKET}:{line}: domain "Economics" is "economics" here: write it so' in refused.err
    assert (refused.code, len(kb.claims())) == (1, 1)
    kb.edit("- domain: Economics", "- domain: economics")
    assert kb.run("review", "--approve", first["id"], "--no-commit").code == 0


def test_show_says_why_and_knows_a_claim_by_its_file(kb: Base) -> None:
    kb.ingest()
    kb.edit("- reason:", "- reason: Ann knows the trial")
    kb.mark("x", count=1)
    assert kb.run("review", "--apply").code == 0
    [path] = kb.claims()
    shown = kb.run("show", path.rpartition("/")[2])
    assert (shown.code, shown.out) == (0, kb.run("show", path.rpartition("/")[2].removesuffix(".md")).out)
    assert "\n  why: Ann knows the trial\n" in shown.out


def test_one_is_counted_as_one(kb: Base) -> None:
    kb.source(sentences=SENTENCES[:1])
    done = kb.run("ingest", "inbox")
    assert "1 file: 1 proposed" in done.err
    assert "1 proposal. next" in done.err
    assert "1 waits in 1 packet," in kb.run("status").out
    kb.claim("a", "Ropes rot in the sun")
    assert "1 claim: 1 embedded" in kb.run("distill").err
