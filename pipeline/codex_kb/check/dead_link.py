"""A `[[…]]` of a claim names no file, title or path."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem

ID = "dead-link"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Links that mean nothing."""
    for link in facts.links:
        if not link.means:
            yield Problem(link.path, link.line, ID, f"[[{link.text}]] names no file, title or path",
                          "mend the name, or remove the link")  # fmt: skip
