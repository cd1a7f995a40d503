"""A claim says nothing beyond its title."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem

ID = "no-description"
DEFAULT = "note"


def check(facts: Facts) -> Iterator[Problem]:
    """Claims without a description, which is allowed."""
    for each in facts.claims:
        if not each.claim.description:
            yield Problem(each.claim.path, 1, ID, "description is missing",
                          "add a line that says more than the title, where there is more to say")  # fmt: skip
