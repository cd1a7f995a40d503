"""A line of a record of decisions is no decision."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem

ID = "decision"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Lines that could not be read."""
    yield from facts.faulty_decisions
