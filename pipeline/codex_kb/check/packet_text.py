"""A packet's text says what review would refuse."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem

ID = "packet-text"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Marks, fields, quotes and lines of packets that cannot be applied as they were typed."""
    yield from facts.packet_errors
