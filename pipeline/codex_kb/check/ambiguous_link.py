"""A `[[…]]` of a claim may mean several files."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem

ID = "ambiguous-link"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Links that mean several files."""
    for link in facts.links:
        if len(link.means) > 1:
            yield Problem(link.path, link.line, ID, f"[[{link.text}]] may mean {', '.join(link.means)}", "link by path")
