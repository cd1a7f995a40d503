"""Two claims have the same title."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem
from codex_kb.text.wikilinks import name_key

ID = "duplicate"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Claims that say the same in the same words."""
    first: dict[str, str] = {}
    for each in facts.claims:
        path = each.claim.path
        earlier = first.setdefault(name_key(each.claim.title), path)
        if earlier != path:
            yield Problem(path, 1, ID, f"has the title of {earlier}", "merge the two, retire one")
