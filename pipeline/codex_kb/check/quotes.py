"""A quote behind a claim does not stand in its source at its place."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Evidence, Problem
from codex_kb.text import ground

ID = "quotes"
DEFAULT = "error"

_SHOWN = 60


def check(facts: Facts) -> Iterator[Problem]:
    """Quotes that moved, are gone, or whose source is."""
    for each in facts.claims:
        for item in each.evidence:
            yield from _faults(each.claim.path, each.lines.get("evidence", 1), item, facts.bodies.get(item.source))


def _faults(path: str, line: int, item: Evidence, body: str | None) -> Iterator[Problem]:
    """What is wrong with one quote; a body of None is a source that is gone."""
    shown = item.quote if len(item.quote) <= _SHOWN else item.quote[:_SHOWN] + "…"
    if body is None:
        yield Problem(path, line, "missing-source", f"{item.source} is gone or cannot be read",
                      "restore it, or mend the path in evidence")  # fmt: skip
    elif item.quote and ground.placed(item, body):
        return
    elif item.quote in body and item.quote:
        start = body.index(item.quote)
        yield Problem(path, line, "moved-quote", f'"{shown}" has moved in {item.source}',
                      f"set start to {start} and end to {start + len(item.quote)} in evidence")  # fmt: skip
    else:
        yield Problem(path, line, "lost-quote", f'"{shown}" no longer stands in {item.source}',
                      "restore the quote here or the text there, or retire the claim")  # fmt: skip
