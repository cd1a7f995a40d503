"""A copy of a packet or of its record stands beside it."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.records import Problem

ID = "packet-copy"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Files among the packets that are not the packet of their source."""
    for path in facts.packet_copies:
        yield Problem(path, None, ID, "is not the packet of its source, and is never applied",
                      "take what you typed over into the packet itself, then delete this file")  # fmt: skip
