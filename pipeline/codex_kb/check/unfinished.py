"""An earlier run was cut off while it wrote."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.layout import LOCAL
from codex_kb.records import Problem

ID = "unfinished"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """A run that left its journal."""
    if facts.unfinished:
        yield Problem(LOCAL, None, ID, "an earlier run was cut off while writing",
                      "any command that writes finishes it, for example codex distill")  # fmt: skip
