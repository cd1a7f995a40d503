"""A source's status is none of the life cycle, so ingest skips it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem
from codex_kb.text import fields as names
from codex_kb.text import lifecycle

ID = "unknown-status"
DEFAULT = "note"


def check(facts: Facts) -> Iterator[Problem]:
    """Sources with another status, and which one may have been meant."""
    their = facts.names.get("status", "status")
    for source in facts.sources:
        status = names.status_of(source.fields)
        if status not in lifecycle.STATUSES:
            meant = difflib.get_close_matches(status, lifecycle.STATUSES, 1)
            hint = f"is {meant[0]} meant?" if meant else f"the life cycle is {', '.join(lifecycle.STATUSES)}"
            yield Problem(source.path, source.lines.get(their, 1), ID,
                          f"{their}: {names.text(source.fields.get('status'))} is none of the life cycle: "
                          "ingest skips this source", hint)  # fmt: skip
