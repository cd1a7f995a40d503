"""A record of what was not proposed cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem

ID = "candidates"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Files that hold no candidates; those who look at them leave them out."""
    yield from facts.faulty_candidates
