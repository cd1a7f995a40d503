"""A file among the claims has no type, so it is not read as one."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem

ID = "no-type"
DEFAULT = "note"


def check(facts: Facts) -> Iterator[Problem]:
    """Files that may have been meant as claims."""
    for path in facts.untyped:
        yield Problem(path, 1, ID, "has no type, so it is not read as a claim", "if it is one, add a line: type: claim")
