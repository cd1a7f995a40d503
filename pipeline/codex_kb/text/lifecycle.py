"""The first stage: which of the files found are sources to work on, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from codex_kb.text.fields import NULL_RESULT, PROCESSED, PROCESSING, UNPROCESSED, status_of, text

#: Types that are something else than a source; any other type, and none, is one.
NOT_SOURCES = frozenset({
    "claim", "conviction", "analysis", "framework", "insight", "tension", "pattern", "moc", "map", "topic-map",
    "entity", "sector", "belief", "position", "musing", "proposals",
})  # fmt: skip

#: The life cycle; a source of any other status is skipped.
STATUSES = (UNPROCESSED, PROCESSING, PROCESSED, NULL_RESULT)


@dataclass(frozen=True, slots=True)
class Row:
    """What happened to one file: proposed, skipped, refused or unchanged."""

    path: str
    status: str
    claims: int = 0
    reason: str = ""
    line: int | None = None
    hint: str = ""


def verdict(fields: Mapping[str, Any], waiting: bool, again: bool) -> tuple[str, str]:
    """(status, reason) of a readable file: "proposed" is a source to work on now.

    `waiting`: a packet of its proposals waits for review. `again`: work on it once more.
    """
    kind = text(fields.get("type")).lower()
    if kind in NOT_SOURCES:
        return "skipped", f"type {kind} is not a source"
    status = status_of(fields)
    if again and status in STATUSES:
        return "proposed", ""
    if waiting:
        return "unchanged", "its proposals wait for review"
    if status == UNPROCESSED:
        return "proposed", ""
    return "skipped", f"status {text(fields.get('status'))}"
