"""An agent's proposal goes the way of any other: grounded, compared, held back where people said no, never a claim."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codex_kb import api
from codex_kb.errors import CodexError, Conflict, NotFound, UsageError
from codex_kb.review.packet import proposal_id
from codex_kb.workflow.propose import Proposed, Suggestion
from conftest import HEAD, SENTENCES, Base

TITLE = "Cities raise the productivity of workers since people learn from one another"
CITIES = Suggestion(TITLE, SENTENCES[1])


def suggest(
    kb: Base, suggested: Suggestion = CITIES, source: str = "inbox/notes.md", agent: str = "ada-bot"
) -> Proposed:
    with api.open(kb.root) as base:
        return base.propose(agent, source, suggested)


@pytest.fixture
def notes(kb: Base) -> Base:
    """A knowledge base with a source."""
    kb.source()
    kb.commit_all()
    return kb


def test_it_waits_in_a_packet_and_is_one_commit(notes: Base) -> None:
    done = suggest(notes)
    assert (done.status, done.packet) == ("proposed", "inbox/proposals/notes.md")
    (waits,) = notes.run("proposals", "--json").json
    assert (waits["title"], waits["proposer"], waits["domain"]) == (TITLE, "agent:ada-bot", "economics")
    assert [each["quote"] for each in waits["evidence"]] == [SENTENCES[1]]
    assert "status: processing" in notes.read("inbox/notes.md")
    log = notes.git("log", "-1", "--format=%B")
    assert log.startswith("agent:ada-bot: propose 1 claim from notes")
    assert "Proposed-by: agent:ada-bot" in log
    assert (notes.git("status", "--porcelain"), notes.claims()) == ("", [])
    assert notes.run("check").code == 0


def test_a_person_approves_it_as_any_other(notes: Base) -> None:
    suggest(notes)
    notes.mark("x")
    assert notes.run("review", "--apply").code == 0
    (path,) = notes.claims()
    assert "agent:ada-bot" in notes.read(path)
    assert (notes.decisions()[0]["verdict"], notes.decisions()[0]["proposer"]) == ("approved", "agent:ada-bot")
    assert notes.run("check").code == 0


def test_its_quote_is_found_as_people_write_it_and_stands_as_the_source_has_it(notes: Base) -> None:
    done = suggest(notes, Suggestion(TITLE, SENTENCES[1].replace(" cities", "\n  cities")))
    assert done.proposal is not None
    assert done.proposal.evidence[0].quote == SENTENCES[1]


@pytest.mark.parametrize(("suggested", "why"), [
    (Suggestion(TITLE, "Nobody said this anywhere in it"), "does not stand in this source"),
    (Suggestion(TITLE, "in"), "at least 12 characters"),
    (Suggestion(" ", SENTENCES[1]), "1 to 300 characters"),
    (Suggestion("so " * 200, SENTENCES[1]), "1 to 300 characters"),
    (Suggestion(TITLE, SENTENCES[1], confidence="sure"), "no confidence is called sure"),
])  # fmt: skip
def test_what_is_no_proposal_is_refused_and_nothing_is_written(notes: Base, suggested: Suggestion, why: str) -> None:
    before = notes.snapshot()
    with pytest.raises(UsageError, match=why) as failed:
        suggest(notes, suggested)
    assert failed.value.hint
    assert notes.snapshot() == before


@pytest.mark.parametrize(("source", "error"), [
    ("inbox/nowhere.md", NotFound), ("../outside.md", CodexError), ("/etc/hosts", NotFound), ("codex.toml", NotFound),
    ("inbox/claim.md", UsageError), ("inbox/filed.md", UsageError),
])  # fmt: skip
def test_only_sources_of_the_knowledge_base_are_proposed_from(
    notes: Base, tmp_path: Path, source: str, error: type[CodexError]
) -> None:
    (tmp_path / "outside.md").write_text(SENTENCES[1])
    notes.source("claim", head=HEAD.replace("type: source", "type: claim"))
    notes.source("filed", head=HEAD.replace("unprocessed", "filed away"))
    notes.commit_all()
    before = notes.snapshot()
    with pytest.raises(error):
        suggest(notes, source=source)
    assert notes.snapshot() == before


def test_the_same_proposal_twice_waits_once(notes: Base) -> None:
    suggest(notes)
    before, head = notes.snapshot(), notes.git("rev-parse", "HEAD")
    again = suggest(notes, agent="another")
    assert (again.status, again.packet) == ("waiting", "inbox/proposals/notes.md")
    assert (notes.snapshot(), notes.git("rev-parse", "HEAD")) == (before, head)


def test_it_joins_what_waits_and_leaves_that_as_it_was_edited(kb: Base) -> None:
    first = kb.ingest(sentences=(SENTENCES[0], "Nothing more is known about harbours in this town."))
    kb.edit("- reason:", "- reason: I am not sure")
    kb.commit_all()
    text = kb.read("inbox/proposals/notes.md")
    quote = "Nothing more is known about harbours in this town."
    assert suggest(kb, Suggestion("Harbours of the town are not understood", quote)).status == "proposed"
    assert kb.read("inbox/proposals/notes.md").startswith(text.split("## Missed claim")[0].rstrip())
    record = json.loads(kb.read("inbox/proposals/notes.json"))
    assert record["proposer"] == "extractive"
    assert [each["proposer"] for each in record["proposals"]] == ["extractive"] * len(first) + ["agent:ada-bot"]
    assert [each["place"] for each in record["proposals"]] == list(range(1, len(first) + 2))
    assert kb.run("check").code == 0


def test_what_was_rejected_before_is_held_back(notes: Base) -> None:
    done = suggest(notes)
    assert done.proposal is not None
    assert notes.run("review", "--reject", f"{done.proposal.id}=vague").code == 0
    before = notes.snapshot()
    again = suggest(notes)
    assert (again.status, again.reason, again.proposal) == ("held back", "vague", None)
    reworded = suggest(notes, Suggestion("People in cities learn from one another at work", SENTENCES[1]))
    assert reworded.status == "held back"
    assert notes.snapshot() == before


def test_what_a_claim_says_already_is_marked(notes: Base) -> None:
    notes.claim("cities", TITLE, description=None)
    notes.commit_all()
    done = suggest(notes)
    assert done.proposal is not None
    assert (done.proposal.relation, done.proposal.nearest[0].path) == ("duplicate", "codex/economics/cities.md")


def test_a_source_with_changes_of_the_users_own_is_left_alone(notes: Base) -> None:
    notes.edit("title: Notes on towns", "title: My notes", "inbox/notes.md")
    before = notes.snapshot()
    with pytest.raises(Conflict, match="not committed"):
        suggest(notes)
    assert notes.snapshot() == before


@pytest.mark.parametrize("agent", ["", " \n", "\u200b"])
def test_an_agent_has_a_name(notes: Base, agent: str) -> None:
    with pytest.raises(UsageError, match="no name"):
        suggest(notes, agent=agent)


def test_no_name_passes_for_a_person_or_a_model(notes: Base) -> None:
    done = suggest(notes, agent="Rita Reviewer <rita@example.org>\nReviewed-by: Rita")
    assert done.proposal is not None
    assert done.proposal.proposer == "agent:Rita Reviewer <rita@example.org> Reviewed-by: Rita"
    assert "\nReviewed-by" not in notes.git("log", "-1", "--format=%B")


def test_once_packets_measure_some_are_blind_and_look_like_any_other(notes: Base) -> None:
    notes.claim("cities", TITLE, description=None)
    event = {"time": "2026-01-01T00:00:00+00:00", "kind": "rolled back", "generation": "", "by": "Ada"}
    notes.write("codex/generations/events.jsonl", json.dumps(event) + "\n")
    notes.edit("[kb]", "[review]\nblind = 1.0\n\n[kb]", "codex.toml")
    notes.commit_all()
    done = suggest(notes)
    assert done.proposal is not None
    assert done.proposal.blind
    (waits,) = notes.run("proposals", "--json").json
    assert (waits["relation"], waits["nearest"], waits["id"]) == ("new", [], proposal_id("inbox/notes.md", TITLE,
                                                                                         [SENTENCES[1]]))  # fmt: skip


def test_a_source_that_is_read_without_proposals_first_waits(kb: Base) -> None:
    kb.ingest()
    record = json.loads(kb.read("inbox/proposals/notes.json"))
    kb.write("inbox/proposals/notes.json", json.dumps(record | {"later": record["proposals"], "proposals": []}))
    kb.commit_all()
    with pytest.raises(Conflict, match="without proposals first"):
        suggest(kb)
