"""A few sources are read without proposals first: their packets are empty, say so, and get them afterwards."""

from __future__ import annotations

import json

import pytest

from codex_kb.review import packet
from conftest import Base
from test_generations import document, taught  # noqa: F401 (a fixture)

EMPTY = packet.missed_section()


@pytest.fixture
def alone(taught: Base, monkeypatch: pytest.MonkeyPatch) -> Base:  # noqa: F811
    """Three new sources, of which the first is read alone."""
    monkeypatch.setattr("codex_kb.propose.alone._PART", 1.0)
    taught.run("distill")
    taught.write("codex.toml", "[review]\nblind = 0.0\nexplore = 0.0\nrepeat = 0.0\nalone = 1\n")
    for number in range(30, 33):
        taught.source(f"n{number}", document(number))
    taught.commit_all()
    assert taught.run("ingest", "inbox", "--max-claims", "4").code == 0
    return taught


def test_so_many_a_generation_come_empty_and_say_so(alone: Base) -> None:
    assert {each["source"] for each in alone.run("proposals", "--json").json} == {"inbox/n31.md", "inbox/n32.md"}
    text = alone.read("inbox/proposals/n30.md")
    assert text.count("## [ ]") == 1
    assert "## [ ] Read without proposals: done, show them\n" in text
    assert text.endswith(f"{EMPTY}\n<!-- end -->\n")
    hidden = json.loads(alone.read("inbox/proposals/n30.json"))
    assert (hidden["proposals"], len(hidden["later"])) == ([], 4)
    assert not any(each["title"] in text for each in hidden["later"])
    assert "later" not in alone.run("show", "n30", "--json").json["packet"]
    assert alone.run("ingest", "inbox", "--again").code == 0
    assert alone.read("inbox/proposals/n30.md") == text
    alone.source("n33", document(33))
    alone.run("ingest", "inbox", "--max-claims", "4")
    assert len(alone.run("proposals", "n33", "--json").json) == 4


def test_what_is_claimed_alone_is_on_record_and_then_the_proposals_come(alone: Base) -> None:
    title = "Towns by the sea keep to what they know"
    alone.edit(EMPTY, EMPTY.replace("claim:", f"claim: {title}").replace("\n>\n", f"\n> {document(30)[0]}\n"),
               "inbox/proposals/n30.md")  # fmt: skip
    alone.mark("x", "n30")
    done = alone.run("review", "--apply", "n30")
    assert (done.code, "all decided" in done.err) == (0, False), done.err
    [row] = alone.decisions("n30")
    assert (row["title"], row["missed"], row["shown"]["alone"]) == (title, True, True)
    shown = alone.run("proposals", "n30", "--json").json
    assert len(shown) == 4
    assert "Read without proposals" not in alone.read("inbox/proposals/n30.md")
    assert "status: processing" in alone.read("inbox/n30.md")
    assert alone.git("status", "--porcelain") == ""
    assert alone.run("review", *(f"--reject={each['id']}=trivial" for each in shown)).code == 0
    assert {row["shown"]["alone"] for row in alone.decisions("n30")} == {True}
    assert "status: processed" in alone.read("inbox/n30.md")


def test_who_finds_nothing_alone_makes_no_null_result(alone: Base) -> None:
    box = packet.nothing_id(type("P", (), {"source": "inbox/n30.md", "source_sha256": json.loads(
        alone.read("inbox/proposals/n30.json"))["source_sha256"]}))  # type: ignore[arg-type] # fmt: skip
    assert alone.run("review", "--approve", box).code == 0
    assert len(alone.run("proposals", "n30", "--json").json) == 4
    assert "status: processing" in alone.read("inbox/n30.md")
    assert alone.git("log", "-1", "--format=%s") == "extractive: read without proposals from n30"


def test_a_word_typed_into_the_box_is_an_error_that_shows_it(alone: Base) -> None:
    alone.edit("<!-- Read this", "- reason: too long\n\n<!-- Read this", "inbox/proposals/n30.md")
    alone.mark("x", "n30")
    assert "only a mark belongs here" in alone.run("review", "--apply", "n30").err
