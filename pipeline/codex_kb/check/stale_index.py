"""The index does not agree with the claims, or is damaged."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem

ID = "stale-index"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Where index and claims disagree."""
    yield from facts.index
