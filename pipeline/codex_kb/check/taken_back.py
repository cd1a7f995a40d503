"""A claim says which proposal was approved for it, and that decision was taken back."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem

ID = "taken-back"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Claims whose decision was withdrawn, as a revert by git brings them back."""
    for path, proposal in facts.taken_back:
        yield Problem(path, 1, ID, f"the decision about proposal {proposal} was taken back, and its claim is here",
                      "git rm -f it, or git revert the undo")  # fmt: skip
