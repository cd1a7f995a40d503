"""A proposal that waits lost its quote or its source."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.layout import PACKETS
from codex_kb.records import Problem
from codex_kb.text import ground

ID = "packets"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Quotes that no longer stand in the source of a packet, and sources that are gone."""
    for packet in facts.packets:
        path = f"{PACKETS}/{packet.name}.md"
        body = facts.bodies.get(packet.source)
        if body is None:
            yield Problem(path, 1, "missing-source", f"the source of these proposals: {facts.missing[packet.source]}",
                          "restore it, or delete packet and record")  # fmt: skip
            continue
        for proposal in packet.proposals:
            here = () if proposal.repeat_of else proposal.evidence  # what is asked again is of another source
            if any(ground.locate_again(evidence, body) is None for evidence in here):
                yield Problem(path, None, "lost-quote",
                              f"{packet.source} changed: proposal {proposal.id} lost its quote",
                              "codex review shows it: quote it anew or reject")  # fmt: skip
