"""The title of a claim is no sentence that can be argued for."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem
from codex_kb.text import proposition

ID = "title"
DEFAULT = "note"


def check(facts: Facts) -> Iterator[Problem]:
    """Why a title is no proposition."""
    for each in facts.claims:
        for fault in proposition.faults(each.claim.title):
            yield Problem(each.claim.path, each.body_line, ID, f'"{each.claim.title}": {fault}',
                          '"this note argues that <title>" must be a sentence')  # fmt: skip
