"""People decided differently about one proposal, or made two claims of it."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Decision, Problem

ID = "two-verdicts"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Proposals about which two lines disagree that both count."""
    for proposal, lines in facts.decisions.items():
        last = lines[-1]
        other = next((line for line in lines if _what(line) != _what(last)), None)
        if other is not None:
            yield Problem(last.source, None, ID, f"proposal {proposal} {_told(other, last)}",
                          f"codex undo {proposal} takes both back, then decide again")  # fmt: skip


def _what(line: Decision) -> tuple[object, ...]:
    return line.verdict, line.claim, line.proposal.get("added_as")


def _told(other: Decision, last: Decision) -> str:
    if other.verdict == last.verdict:
        return f"{_became(other)} and {_became(last)}"
    return f"was {other.verdict} by {other.reviewer} and {last.verdict} by {last.reviewer}; the later counts"


def _became(line: Decision) -> str:
    return f"{'was added to' if line.proposal.get('added_as') else 'became'} {line.claim} by {line.reviewer}"
