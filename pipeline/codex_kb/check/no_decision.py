"""No recorded decision stands behind a claim: a person wrote it by hand."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem

ID = "no-decision"
DEFAULT = "note"


def check(facts: Facts) -> Iterator[Problem]:
    """Claims that were written by hand, which is allowed and worth knowing."""
    for each in facts.claims:
        if each.claim.path not in facts.decided:
            yield Problem(each.claim.path, 1, ID, "no recorded decision stands behind this claim",
                          "nothing to do if a person wrote it")  # fmt: skip
