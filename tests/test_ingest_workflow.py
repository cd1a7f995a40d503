"""`codex ingest`: every file once, the same proposals each time, and nothing written in a dry run."""

from __future__ import annotations

import re

import pytest

from conftest import SENTENCES, Base

KEYS = {"path", "status", "claims", "reason", "line", "hint"}


def test_every_file_is_listed_once_with_its_reason(kb: Base) -> None:
    kb.source("good")
    kb.write("inbox/bad.md", b"---\ntitle: \xff\n---\n")
    kb.write("inbox/claim.md", "---\ntype: claim\n---\n\nx\n")
    done = kb.run("ingest", "inbox", "--json")
    assert (done.code, done.json["proposals"]) == (1, 3)
    assert all(set(row) == KEYS for row in done.json["sources"])
    status = {row["path"]: row["status"] for row in done.json["sources"]}
    assert status == {"inbox/good.md": "proposed", "inbox/bad.md": "refused", "inbox/claim.md": "skipped"}
    assert len(status) == len(done.json["sources"])
    assert "status: processing" in kb.read("inbox/good.md")


def test_a_dry_run_writes_nothing(kb: Base) -> None:
    kb.source()
    before, state = kb.snapshot(), kb.git("status", "--porcelain")
    assert kb.run("ingest", "inbox", "--dry-run", "--json").json["sources"][0]["status"] == "proposed"
    assert (kb.snapshot(), kb.git("status", "--porcelain")) == (before, state)
    assert not kb.path(".codex-kb/index").exists()


def test_a_second_run_changes_nothing_and_packets_are_no_sources(kb: Base) -> None:
    kb.ingest()
    before, head = kb.snapshot(), kb.git("rev-parse", "HEAD")
    rows = {row["path"]: row for row in kb.run("ingest", "inbox", "--json").json["sources"]}
    assert rows["inbox/notes.md"]["status"] == "unchanged"
    assert rows["inbox/proposals/notes.md"]["reason"] == "type proposals is not a source"
    told = kb.run("ingest", "inbox/").err
    assert ("1 file: 1 unchanged" in told, "type proposals" in told) == (True, False)
    assert "1 file: 1 skipped" in kb.run("ingest", "inbox/proposals/notes.md").err
    assert (kb.snapshot(), kb.git("rev-parse", "HEAD")) == (before, head)


def test_again_holds_back_what_was_rejected_and_keeps_ids(kb: Base) -> None:
    first, *others = kb.ingest()
    kb.run("review", "--reject", f"{first['id']}=vague")
    done = kb.run("ingest", "inbox", "--again")
    assert "1 proposal held back" in done.err
    assert [p["id"] for p in kb.run("proposals", "--json").json] == [p["id"] for p in others]


def test_a_model_that_is_not_there_is_said_in_a_dry_run_too(kb: Base) -> None:
    kb.source()
    for options in ((), ("--dry-run",)):
        done = kb.run("ingest", "inbox", "--model", "gpt5", *options)
        assert done.code == 2
        assert "unknown model gpt5" in done.err
        assert "openai:NAME" in done.err


def test_what_is_wrong_in_a_frontmatter_is_said_with_its_line(kb: Base) -> None:
    broken = '---\ntype: source\ntitle: "never closed\nstatus: unprocessed\n---\n\n'
    for number in range(10):
        kb.source(f"broken{number}", head=broken)
    kb.source("whole")
    done = kb.run("ingest", "inbox", "--dry-run")
    assert done.code == 0
    assert "inbox/broken0.md:3: read as far as it goes: not valid YAML" in done.err
    assert "and 2 more with faulty frontmatter" in done.err
    assert "whole.md" not in done.err
    limited = kb.run("ingest", "inbox", "--dry-run", "--limit", "1")
    assert limited.err.count("read as far as it goes") == 1


def test_limits_count_sources_and_claims(kb: Base) -> None:
    for name in ("a", "b"):
        kb.source(name)
    done = kb.run("ingest", "inbox", "--limit", "1", "--max-claims", "2", "--json").json
    assert [row["status"] for row in done["sources"]] == ["proposed", "skipped"]
    assert done["proposals"] == 2


def test_the_same_source_gives_the_same_packet(kb: Base) -> None:
    kb.ingest()
    packet = kb.read("inbox/proposals/notes.md")
    kb.git("reset", "-q", "--hard", "HEAD~1")
    kb.ingest(sentences=SENTENCES)
    assert kb.read("inbox/proposals/notes.md") == packet


def test_an_address_is_no_file_and_stays_as_it_was_typed(kb: Base) -> None:
    done = kb.run("ingest", "https://example.org/a.md")
    assert done.code == 3
    assert "https://example.org/a.md: sources are Markdown files and folders" in done.err
    assert "save it as Markdown below inbox/" in done.err


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("tool.py", b'"""A tool that counts how many words people read."""\n\nprint(1)\n'),
        ("page.html", b"<p>Large cities raise the productivity of workers who learn from one another.</p>\n"),
        ("notes.txt", b"Large cities raise the productivity of workers who learn from one another.\n"),
        ("table.csv", b"city,workers\nParis,2000000\n"),
        ("paper.PDF", b"%PDF-1.4\n1 0 obj <</Title (Large cities raise the productivity of workers.)>> endobj\n"),
    ],
)
def test_a_file_that_is_not_markdown_is_refused_and_left_as_it_is(kb: Base, name: str, data: bytes) -> None:
    kb.write(f"inbox/{name}", data)
    kb.source("good")
    head = kb.git("rev-parse", "HEAD")
    done = kb.run("ingest", f"inbox/{name}", "--json")
    (row,) = done.json["sources"]
    assert (done.code, row["path"], row["status"]) == (1, f"inbox/{name}", "refused")
    assert "not Markdown" in row["reason"]
    assert f"{name.partition('.')[0]}.md" in row["hint"]
    assert (kb.path(f"inbox/{name}").read_bytes(), kb.git("rev-parse", "HEAD")) == (data, head)
    assert [each["path"] for each in kb.run("ingest", "inbox", "--json").json["sources"]] == ["inbox/good.md"]


def test_markdown_is_known_by_its_ending_in_any_case(kb: Base) -> None:
    kb.path(kb.source()).rename(kb.path("inbox/Notes.MARKDOWN"))
    assert kb.run("ingest", "inbox/Notes.MARKDOWN", "--json").json["proposals"] == 3


def test_toml_fields_are_read_and_such_a_source_is_refused(kb: Base) -> None:
    head = "+++\ntitle = 'Notes on towns'\nsummary = 'Large cities raise the productivity of workers.'\n+++\n\n"
    path = kb.source("towns", head=head)
    kb.source("good")
    before = kb.read(path)
    for options in ("--dry-run", "--again"):
        done = kb.run("ingest", "inbox", options, "--json")
        rows = {row["path"]: row for row in done.json["sources"]}
        assert (done.code, rows[path]["status"], rows[path]["line"]) == (1, "refused", 1)
        assert "TOML" in rows[path]["reason"]
        assert "`---`" in rows[path]["hint"]
    assert kb.read(path) == before


def test_frontmatter_that_cannot_be_edited_is_refused_before_a_model_is_asked(kb: Base) -> None:
    path = kb.source("towns", head="---\n{type: source, status: unprocessed}\n---\n\n")
    before = kb.read(path)
    done = kb.run("ingest", "inbox", "--dry-run", "--json")
    assert (done.code, done.json["sources"][0]["status"], kb.read(path)) == (1, "refused", before)


def test_lines_of_quotes_are_those_of_the_source_as_it_is_afterwards(kb: Base) -> None:
    kb.write("inbox/bare.md", "\n\n".join(SENTENCES) + "\n")
    kb.commit_all()
    assert kb.run("ingest", "inbox/bare.md").code == 0
    lines = kb.read("inbox/bare.md").splitlines()
    packet = kb.read("inbox/proposals/bare.md")
    places = [int(each) for each in re.findall(r"Quote: bare\.md, line (\d+)", packet)]
    assert places
    assert {lines[place - 1] for place in places} <= {*SENTENCES}


def test_how_to_mark_packets_stands_once_beside_them_and_is_no_packet(kb: Base) -> None:
    kb.ingest()
    how = "inbox/proposals/how-to-review.md"
    assert "- `x` approve" in kb.read(how)
    assert how in kb.git("show", "--name-only", "--format=", "HEAD").split()
    assert f"[how-to-review.md]({how.rpartition('/')[2]})" in kb.read("inbox/proposals/notes.md")
    kb.write(how, "Our own rules.\n")
    kb.commit_all()
    kb.ingest("more")
    assert kb.read(how) == "Our own rules.\n"
    assert "how-to-review" not in kb.run("proposals").out + kb.run("review", "--apply").err
    assert [row for row in kb.run("check", "--json").json if "how-to-review" in row["path"]] == []


@pytest.mark.parametrize("where", ["nowhere", "../../../outside.md", "/dev/zero", "how-to-review.md"])
def test_a_link_in_the_place_of_how_to_mark_packets_stops_nobody(kb: Base, where: str) -> None:
    how = kb.path("inbox/proposals/how-to-review.md")
    how.parent.mkdir(parents=True, exist_ok=True)
    how.symlink_to(where)
    kb.source("notes")
    kb.commit_all()
    assert kb.run("ingest", "inbox/notes.md").code == 0
    assert kb.run("review", "-p", stdin="yVVy").code == 0
    assert (len(kb.claims()), how.is_symlink()) == (1, True)
    assert not (kb.root.parent / "outside.md").exists()


def test_a_link_that_leads_round_in_a_circle_is_refused_and_the_rest_is_read(kb: Base) -> None:
    kb.source("notes")
    kb.path("inbox/circle.md").symlink_to("circle.md")
    done = kb.run("ingest", "inbox")
    assert (done.code, "1 proposed, 1 refused" in done.err) == (1, True), done.err
    assert "inbox/circle.md: refused: cannot be read" in done.err


def test_a_batch_of_sources_is_one_commit_that_lists_them(kb: Base) -> None:
    kb.write("codex.toml", "[git]\nbatch = 2\n")
    for name in "abc":
        kb.source(name)
    kb.commit_all()
    assert kb.run("ingest", "inbox").code == 0
    assert kb.git("log", "-2", "--format=%s").splitlines() == [
        "extractive: propose 3 claims from c",
        "extractive: propose 6 claims from 2 sources",
    ]
    body = kb.git("log", "-1", "--skip=1", "--format=%B")
    assert "- inbox/a.md: 3 claims\n- inbox/b.md: 3 claims\n" in body
    assert "Proposed-by: extractive\nGeneration: 0" in body
    assert kb.git("status", "--porcelain") == ""


def test_a_source_that_is_refused_costs_its_batch_nothing(kb: Base) -> None:
    kb.write("codex.toml", "[git]\nbatch = 3\n")
    for name in "abc":
        kb.source(name)
    kb.commit_all()
    kb.write("inbox/b.md", kb.read("inbox/b.md") + "\nmine\n")
    done = kb.run("ingest", "inbox", "--json")
    rows = {row["path"]: row for row in done.json["sources"]}
    assert done.code == 4
    assert [rows[f"inbox/{name}.md"]["status"] for name in "abc"] == ["proposed", "refused", "proposed"]
    assert "not committed" in rows["inbox/b.md"]["reason"]
    assert kb.git("log", "-2", "--format=%s").splitlines() == [
        "extractive: propose 3 claims from c", "extractive: propose 3 claims from a"
    ]  # fmt: skip


def test_sources_of_two_branches_are_no_batch(kb: Base) -> None:
    kb.write("codex.toml", '[git]\nbatch = 9\nbranch = "extract/{source}"\n')
    for name in "ab":
        kb.source(name)
    kb.commit_all()
    assert kb.run("ingest", "inbox").code == 0
    for name in "ab":
        assert kb.git("log", "-1", "--format=%s", f"extract/{name}") == f"extractive: propose 3 claims from {name}"


def test_progress_says_how_fast_it_goes_and_what_failed(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codex_kb.cli.common.Bar._SECONDS", 0.0)
    for number in range(6):
        kb.source(f"s{number}")
    kb.commit_all()
    kb.write("inbox/s1.md", kb.read("inbox/s1.md") + "\nmine\n")
    said = kb.run("ingest", "inbox").err
    assert re.search(r"^proposing: 1 of 6, \d+ a minute$", said, re.MULTILINE)
    assert re.search(r"^proposing: 6 of 6, \d+ a minute, 1 failed$", said, re.MULTILINE)
