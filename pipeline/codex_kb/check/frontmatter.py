"""A file cannot be read, or its frontmatter has faults."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem

ID = "frontmatter"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Files that were refused, and faults of those that were read."""
    yield from facts.refused
    for source in facts.sources:
        yield from source.problems
    for each in facts.claims:
        yield from each.claim.problems
