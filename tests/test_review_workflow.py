"""`codex review`: packets become claims, decisions and commits; what cannot be understood changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codex_kb.text.markdown_file import parse
from conftest import Base

PACKET = "inbox/proposals/notes.md"


def test_approving_makes_a_claim_with_its_evidence_and_commit(kb: Base) -> None:
    first, *_ = kb.ingest()
    kb.mark("x", count=1)
    done = kb.run("review", "--apply")
    assert done.code == 0
    [path] = kb.claims()
    [line] = [line for line in kb.read(path).split("\n") if line.startswith("evidence: ")]
    [evidence] = json.loads(line.removeprefix("evidence: "))
    body = parse(kb.path("inbox/notes.md").read_bytes(), "notes").body
    assert body[evidence["start"] : evidence["end"]] == evidence["quote"] == first["evidence"][0]["quote"]
    message = kb.git("log", "-1", "--format=%B")
    assert message.startswith("extractive: add 1 claim from notes\n\nWhat: ")
    for line in ("Why: ", "Connections: ", "Source: inbox/notes.md", "Proposed-by: extractive",
                 "Reviewed-by: Rita Reviewer <rita@example.org>", "Generation: 0"):  # fmt: skip
        assert f"\n{line}" in message
    assert kb.git("status", "--porcelain") == ""
    assert "status: processing" in kb.read("inbox/notes.md")


def test_a_claim_without_a_description_has_none(kb: Base) -> None:
    (first, *_) = kb.ingest()
    assert first["description"] == ""
    assert any("there is no description" in note for note in first["notes"])
    assert kb.run("review", "--approve", first["id"]).code == 0
    text = kb.read(kb.claims()[0])
    assert "description" not in text
    assert "Stated in" not in text
    assert f"# {first['title']}\n\n> " in text
    found = kb.run("check", "codex", "--json")
    assert (found.code, [(p["code"], p["severity"]) for p in found.json]) == (0, [("no-description", "note")])


def test_deciding_everything_closes_the_source(kb: Base) -> None:
    kb.ingest()
    kb.mark("x", count=1)
    kb.mark("-", count=1)
    text = kb.read(PACKET)
    kb.write(PACKET, text[: text.index("## [ ]")] + "<!-- end -->\n")
    done = kb.run("review", "--apply")
    assert (done.code, "sections deleted: 1" in done.err) == (0, True)
    assert sorted(d["reason"] for d in kb.decisions()) == ["", "no reason given", "removed"]
    assert not kb.path(PACKET).exists()
    assert not kb.path("inbox/proposals/notes.json").exists()
    fields = parse(kb.path("inbox/notes.md").read_bytes(), "notes").fields
    assert (fields["status"], fields["processed_by"]) == ("processed", "extractive")
    assert fields["claims_extracted"] == [Path(kb.claims()[0]).stem]


def test_rejecting_everything_is_a_null_result(kb: Base) -> None:
    kb.ingest()
    kb.mark("-")
    kb.write(PACKET, kb.read(PACKET).replace("- reason:", "- reason: vague"))
    assert kb.run("review", "--apply").code == 0
    fields = parse(kb.path("inbox/notes.md").read_bytes(), "notes").fields
    assert (fields["status"], fields["notes"]) == ("null-result", "nothing approved: 3 vague")
    assert kb.claims() == []


def test_edits_are_recorded_beside_what_was_proposed(kb: Base) -> None:
    first, *_ = kb.ingest()
    kb.edit("## [ ] " + first["title"], "## [x] Markets beat committees because they aggregate")
    kb.edit(f"- confidence: {first['confidence']}", "- confidence: proven")
    assert kb.run("review", "--apply", "--reviewer", "Bo <bo@x.org>").code == 0
    [decision] = kb.decisions()
    assert (decision["title"], decision["reviewer"]) == (
        "Markets beat committees because they aggregate",
        "Bo <bo@x.org>",
    )
    assert (decision["proposal"]["title"], decision["proposal"]["confidence"]) == (first["title"], first["confidence"])
    assert "confidence: proven" in kb.read(decision["claim"])


@pytest.mark.parametrize(
    ("old", "new"),
    [("- domain: economics", "- domain: ../x"), ("- confidence: ", "- confidence: very "), ("> ", "> Not ")],
)
def test_a_faulty_packet_is_refused_and_left_alone(kb: Base, old: str, new: str) -> None:
    kb.ingest()
    kb.mark("x", count=1)
    kb.edit(old, new)
    before = kb.snapshot()
    done = kb.run("review", "--apply")
    assert (done.code, f"{PACKET}:" in done.err) == (1, True)
    assert kb.snapshot() == before


def test_by_id_by_beginning_and_not_both(kb: Base) -> None:
    first, second, third = kb.ingest()
    assert kb.run("review", "--approve", "ffffffffffff").code == 3
    assert kb.run("review", "--approve", first["id"], "--reject", first["id"]).code == 2
    assert kb.run("review", "--approve", first["id"][:8], "--reject", f"{second['id']}=trivial").code == 0
    assert [d["verdict"] for d in sorted(kb.decisions(), key=lambda d: d["verdict"])] == ["approved", "rejected"]
    assert [p["id"] for p in kb.run("proposals", "--json").json] == [third["id"]]


def test_what_waits_is_counted_over_all_sources(kb: Base) -> None:
    first, *others = kb.ingest()
    kb.ingest("other")
    done = kb.run("review", "--approve", first["id"])
    everything = kb.run("proposals", "--json").json
    assert len(everything) > len(others) > 0
    assert f"{len(everything)} wait" in done.err
    assert "next: codex review" in done.err


def test_the_beginning_of_an_id_is_enough_for_show(kb: Base) -> None:
    ids = [each["id"] for each in kb.ingest()]
    chosen = ids[0]
    length = next(n for n in range(1, 13) if sum(each.startswith(chosen[:n]) for each in ids) == 1)
    assert chosen in kb.run("show", chosen[:length]).out
    kb.run("review", "--reject", f"{chosen}=vague")
    assert "vague" in kb.run("show", chosen[:length]).out
    assert kb.run("show", "").code == 3


def test_what_the_user_changed_elsewhere_stays(kb: Base) -> None:
    kb.write("a.txt", "one")
    kb.commit_all()
    kb.ingest()
    kb.write("a.txt", "two")
    kb.write("b.txt", "staged")
    kb.git("add", "b.txt")
    kb.mark("x", count=1)
    assert kb.run("review", "--apply").code == 0
    assert kb.git("status", "--porcelain").split("\n") == ["M a.txt", "A  b.txt"]


def test_a_dirty_source_stops_with_4_unless_no_commit(kb: Base) -> None:
    kb.ingest()
    kb.mark("x")
    kb.edit("title: Notes on towns", "title: Notes on cities", "inbox/notes.md")
    before = kb.snapshot()
    assert kb.run("review", "--apply").code == 4
    assert kb.snapshot() == before
    head = kb.git("rev-parse", "HEAD")
    assert kb.run("review", "--apply", "--no-commit").code == 0
    assert (kb.git("rev-parse", "HEAD"), len(kb.claims())) == (head, 3)


def test_a_quote_that_moved_has_right_offsets_and_a_lost_one_is_refused(kb: Base) -> None:
    kb.ingest()
    kb.edit("---\n\nPrediction", "---\n\nA new first line.\n\nPrediction", "inbox/notes.md")
    kb.commit_all()
    kb.mark("x", count=1)
    assert kb.run("review", "--apply").code == 0
    assert not [p for p in kb.run("check", "--json").json if p["code"] in ("moved-quote", "lost-quote")]
    kb.edit("Large", "Small", "inbox/notes.md")
    kb.edit("Randomized", "Other", "inbox/notes.md")
    kb.commit_all()
    kb.mark("x")
    assert kb.run("review", "--apply").code == 1
    assert len(kb.claims()) == 1


def test_an_editor_sees_the_errors_and_mends_them(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.ingest()
    script = kb.root.parent / "editor.sh"
    script.write_text(
        'if grep -q "<!-- ! " "$1"; then sed -i "s/\\[y\\]/[x]/" "$1"; else sed -i "0,/## \\[ \\]/s//## [y]/" "$1"; fi'
    )
    monkeypatch.setenv("EDITOR", "false")
    monkeypatch.setenv("VISUAL", f"sh {script}")
    assert kb.run("review").code == 0
    assert len(kb.claims()) == 1
    assert "<!-- ! " not in kb.read(PACKET)


def test_an_editor_that_fails_applies_nothing(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.ingest()
    kb.mark("x")
    monkeypatch.setenv("EDITOR", "false")
    assert "the editor ended with 1: session ended; nothing in notes was applied" in kb.run("review").err
    assert kb.claims() == []


@pytest.mark.parametrize("domain", ["index", "decisions", "Generations"])
def test_a_domain_with_the_name_of_our_folder_is_refused_at_the_mark(kb: Base, domain: str) -> None:
    first, *_ = kb.ingest()
    kb.edit("- domain: economics", f"- domain: {domain}")
    refused = kb.run("review", "--approve", first["id"])
    assert (refused.code, "is the name of a folder of ours" in refused.err) == (1, True)
    assert kb.claims() == []


def test_a_domain_that_begins_like_our_folder_is_one_everywhere(kb: Base) -> None:
    first, *_ = kb.ingest()
    kb.edit("- domain: economics", "- domain: index-funds")
    assert kb.run("review", "--approve", first["id"]).code == 0
    assert kb.run("status", "--json").json["claims"] == 1
    assert kb.run("search", first["title"], "--json").json[0]["domain"] == "index-funds"
    assert not [p for p in kb.run("check", "--json").json if p["severity"] == "error"]
