"""People decided differently about one proposal."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem

ID = "two-verdicts"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Proposals about which two lines disagree that both count."""
    for proposal, lines in facts.decisions.items():
        last = lines[-1]
        other = next((line for line in lines if line.verdict != last.verdict), None)
        if other is not None:
            yield Problem(last.source, None, ID,
                          f"proposal {proposal} was {other.verdict} by {other.reviewer} and "
                          f"{last.verdict} by {last.reviewer}; the later counts",
                          f"codex undo {proposal} takes both back, then decide again")  # fmt: skip
