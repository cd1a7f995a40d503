"""Ages as people say them."""

from __future__ import annotations

import pytest

from codex_kb.text.ages import age
from conftest import Base


@pytest.mark.parametrize(("then", "said"), [
    ("2026-03-10T11:30:00+00:00", "0 hours"), ("2026-03-10T09:00:00+00:00", "3 hours"),
    ("2026-03-09T09:00:00+00:00", "1 day"), ("2026-02-20T12:00:00+00:00", "2 weeks"),
    ("2025-12-01T12:00:00+00:00", "3 months"), ("2020-03-10T12:00:00+00:00", "6 years"),
    ("2027-01-01T00:00:00+00:00", "0 hours"), ("", ""), ("soon", ""), ("2026-03-10", ""),
])  # fmt: skip
def test_an_age_is_said_in_its_largest_unit(then: str, said: str) -> None:
    assert age(then, "2026-03-10T12:00:00+00:00") == said


def test_what_waits_says_for_how_long(kb: Base) -> None:
    kb.ingest()
    record = next(p.relative_to(kb.root).as_posix() for p in kb.path("inbox/proposals").rglob("*.json"))
    assert "inbox/notes.md (0 hours)" in kb.run("proposals").out
    then = kb.run("status", "--json").json["oldest"]
    kb.write(record, kb.read(record).replace(then, "2020-01-01T00:00:00+00:00"))
    assert " years)" in kb.run("proposals").out
    assert "the oldest for " in kb.run("status").out
    kb.write(record, kb.read(record).replace("2020-01-01T00:00:00+00:00", ""))  # of a version that did not say
    assert "inbox/notes.md\n" in kb.run("proposals").out
    assert kb.run("status", "--json").json["oldest"] is None
    assert "oldest" not in kb.run("status").out


def test_more_proposals_of_a_source_do_not_make_it_younger(kb: Base) -> None:
    kb.ingest()
    then = kb.run("status", "--json").json["oldest"]
    kb.source("notes", ["Wide boats turn slowly because their keels are long and the water is shallow there."])
    assert kb.run("ingest", "inbox", "--again", "--no-commit").code == 0
    assert kb.run("status", "--json").json["oldest"] == then
