"""A claim that was approved is there no more."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem

ID = "claim-gone"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Approvals that stand, of claims that are gone, as a revert by git leaves them."""
    for decision in facts.gone:
        yield Problem(str(decision.claim), None, ID, f"proposal {decision.id} is approved, but its claim is gone",
                      f"codex undo {decision.id} takes the decision back; or restore the file")  # fmt: skip
