"""What stands of the decisions on record: about each proposal the last line in time counts."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable

from codex_kb.records import Decision, Evidence, Hit, Proposal, Turn, Verdict
from codex_kb.review.decide import CHOSEN
from codex_kb.text.json_of_others import items, record, texts

WITHDRAWN: Verdict = "withdrawn"


def standing(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """The decision that stands about each proposal, by id, in the order of time; those withdrawn are out."""
    last = {decision.id: decision for decision in _in_time(decisions)}
    found = (decision for decision in last.values() if decision.verdict != WITHDRAWN)
    return {decision.id: decision for decision in _in_time(found)}


def counting(decisions: Iterable[Decision]) -> dict[str, list[Decision]]:
    """The lines about each proposal that none has taken back, in the order of time; several where people disagree."""
    found: dict[str, list[Decision]] = {}
    for decision in _in_time(decisions):
        found[decision.id] = [] if decision.verdict == WITHDRAWN else [*found.get(decision.id, ()), decision]
    return {proposal: lines for proposal, lines in found.items() if lines}


def _in_time(decisions: Iterable[Decision]) -> list[Decision]:
    return sorted(decisions, key=lambda decision: decision.time)


def withdrawn(decision: Decision, reviewer: str, why: str, now: str) -> Decision:
    """The line that takes a decision back; it is later than the decision, whatever the clock says."""
    return dataclasses.replace(decision, time=later(now, decision.time), reviewer=reviewer, verdict=WITHDRAWN,
                               reason=why, claim=None, shown={})  # fmt: skip


def later(now: str, than: str) -> str:
    """Now, or where another clock was ahead the first moment after `than`."""
    if now > than:
        return now
    try:
        return (datetime.datetime.fromisoformat(than) + datetime.timedelta(microseconds=1)).isoformat()
    except (ValueError, OverflowError):  # no time, or the last there is: what is sorted after it
        return f"{than}+"


def quotes_of(decision: Decision) -> set[str]:
    """The quotes that were proposed."""
    entries = decision.proposal.get("evidence")
    found = entries if isinstance(entries, list) else []
    return {str(each.get("quote")) for each in found if isinstance(each, dict)}


def proposal_of(decision: Decision) -> Proposal:
    """The proposal as it was put before the reviewer, hints and debate included.

    Raises:
        ValueError, KeyError, TypeError: the line does not tell it.
    """
    said, shown = decision.proposal, decision.shown
    known = {"source": decision.source, "source_sha256": decision.source_sha256}
    told = {name: str(said.get(name, "")) for name in ("title", "description", "domain", "confidence", "target", "why")}
    chosen = {name: shown[name] for name in CHOSEN if name in shown}
    return record(
        Proposal, {**told, **chosen, "relation": str(said.get("relation", "new"))},
        id=decision.id,
        **known,
        evidence=tuple(record(Evidence, {**known, **each}) for each in items(said.get("evidence", []))),
        nearest=tuple(record(Hit, each) for each in items(shown.get("nearest", []))),
        proposer=decision.proposer,
        generation=decision.generation,
        notes=texts(shown.get("notes", [])),
        unlocated=texts(said.get("unlocated", [])),
        debate=tuple(record(Turn, each, side=each["side"]) for each in items(shown.get("debate", []))),
        features=decision.features,
        missed=decision.missed,
    )  # fmt: skip
