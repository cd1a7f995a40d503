"""What a run of review did, and what one packet's marks are about to do, as every door says it."""

from __future__ import annotations

from dataclasses import dataclass, field

from codex_kb.errors import CodexError
from codex_kb.records import Packet
from codex_kb.review import decide
from codex_kb.review.decide import Outcome


@dataclass
class Reviewed:
    """What a run of review did."""

    approved: list[str] = field(default_factory=list)
    #: (claim, how) of what was added to claims that are there.
    added: list[tuple[str, str]] = field(default_factory=list)
    #: Claims that depend on one that was challenged.
    look_again: list[str] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    #: (id, how) of what was decided the same way before.
    already: list[tuple[str, str]] = field(default_factory=list)
    #: How many proposals wait now, from every source.
    waiting: int = 0
    #: (title, verdict) of what was decided before and asked again.
    again: list[tuple[str, str]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    faults: list[CodexError] = field(default_factory=list)

    @property
    def removed(self) -> list[str]:
        """Titles of the proposals whose sections were deleted."""
        return [title for title, reason in self.rejected if reason == decide.REMOVED]


def told(waiting: Packet, outcome: Outcome) -> str:
    """What is about to be applied, in one line; what is asked again is not told from the rest."""
    verdicts = [each.verdict for each in outcome.repeated]
    approved = len(outcome.approved) + verdicts.count("approved")
    rejected = len(outcome.rejected) + verdicts.count("rejected")
    added = f"{len(outcome.added)} added, " if outcome.added else ""
    reasons = [*(each.reason for each in outcome.rejected), *(each.reason for each in outcome.repeated)]
    removed = reasons.count(decide.REMOVED)
    deleted = f" ({removed} by deletion)" if removed else ""
    were = "was" if len(outcome.missed) == 1 else "were"
    missed = f"{len(outcome.missed)} added that {were} missed, " if outcome.missed else ""
    return (f"{waiting.name}: {approved} approved, {added}{missed}{rejected} rejected"
            f"{deleted}, {len(outcome.waiting)} wait")  # fmt: skip
