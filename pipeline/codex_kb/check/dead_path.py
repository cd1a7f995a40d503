"""A `[…](…)` of a claim names no file of the knowledge base."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem

ID = "dead-path"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Relative links that lead nowhere."""
    for path, line, named in facts.dead_paths:
        yield Problem(path, line, ID, f"({named}) names no file here, seen from this claim's folder",
                      "mend the path, or remove the link")  # fmt: skip
