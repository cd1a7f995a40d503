"""One proposal was both approved and rejected."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Decision, Problem

ID = "two-verdicts"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Decisions that differ from the first one about the same proposal."""
    first: dict[str, Decision] = {}
    for decision in facts.decisions:
        earlier = first.setdefault(decision.id, decision)
        if earlier.verdict != decision.verdict:
            yield Problem(decision.source, None, ID,
                          f"proposal {decision.id} was {earlier.verdict} by {earlier.reviewer} and "
                          f"{decision.verdict} by {decision.reviewer}",
                          "settle it, and retire the claim if need be")  # fmt: skip
