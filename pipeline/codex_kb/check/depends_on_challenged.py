"""A claim depends on one that is challenged or retired."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Claim, Problem
from codex_kb.text.wikilinks import depends_on, names_of

ID = "depends-on-challenged"
DEFAULT = "note"

_RETIRED = "retired"


def check(facts: Facts) -> Iterator[Problem]:
    """Claims that depend on one that is challenged or retired, unless they are retired themselves."""
    why: dict[str, str] = {}
    for claim in (each.claim for each in facts.claims):
        if state := _state(claim):
            why |= dict.fromkeys(names_of(claim.path, claim.title), f"{claim.path}, which is {state}")
    for each in facts.claims:
        if _state(each.claim) != _RETIRED:
            for reason in sorted({why[name] for name in depends_on(each.claim.fields) & why.keys()}):
                yield Problem(each.claim.path, each.lines.get("depends_on", 1), ID, f"depends on {reason}",
                              "look whether it still stands")  # fmt: skip


def _state(claim: Claim) -> str:
    if claim.status.lower() == _RETIRED:
        return _RETIRED
    return "challenged" if claim.fields.get("challenged_by") else ""
