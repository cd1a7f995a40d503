"""All that waits, in a line each: as packets have it now, and since when."""

from __future__ import annotations

import os
import re
import time

from codex_kb.kb import KnowledgeBase
from codex_kb.workflow.queue import queue
from conftest import SENTENCES, Base


def test_each_line_is_as_the_packet_has_it_now(kb: Base) -> None:
    kb.ingest()
    rows = queue(KnowledgeBase(kb.root))
    assert [(each.name, each.source, each.mark, each.domain, each.relation, each.proposer) for each in rows] == [
        ("notes", "inbox/notes.md", "wait", "economics", "new", "extractive")
    ] * 3
    assert {each.title for each in rows} == {text.rstrip(".") for text in SENTENCES}
    kb.mark("x", count=1)
    kb.edit("- domain: economics", "- domain: markets")
    first, *_ = queue(KnowledgeBase(kb.root))
    assert (first.mark, first.domain) == ("approve", "markets")
    kb.path("inbox/proposals/notes.md").unlink()
    assert [each.mark for each in queue(KnowledgeBase(kb.root))] == ["wait"] * 3


def test_it_waits_since_it_was_proposed_as_far_as_that_is_known(kb: Base) -> None:
    kb.ingest()
    record = "inbox/proposals/notes.json"
    [since] = {each.since for each in queue(KnowledgeBase(kb.root))}
    assert abs(time.time() - since) < 3600
    kb.write(record, re.sub(r'"proposed": "[^"]*"', '"proposed": ""', kb.read(record)))  # of an earlier version
    os.utime(kb.path(record), (1000, 1000))
    assert {each.since for each in queue(KnowledgeBase(kb.root))} == {1000}


def test_blind_proposals_tell_nothing(kb: Base) -> None:
    kb.claim("near", SENTENCES[0])
    kb.commit_all()
    kb.ingest()
    record = "inbox/proposals/notes.json"
    assert {each.relation for each in queue(KnowledgeBase(kb.root))} > {"new"}
    kb.write(record, kb.read(record).replace('"blind": false', '"blind": true'))
    assert {each.relation for each in queue(KnowledgeBase(kb.root))} == {"new"}
