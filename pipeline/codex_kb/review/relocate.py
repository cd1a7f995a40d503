"""A packet's quotes, found again in a source that changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from codex_kb.records import Packet, Source
from codex_kb.review import reading
from codex_kb.review.marked import LOST, evidence_at
from codex_kb.review.reading import PacketError
from codex_kb.text import ground


def relocated(packet: Packet, source: Source) -> tuple[Packet, list[str]]:
    """The packet with its quotes located in the source as it is now, and the ids of those that lost one."""
    lost = []
    proposals = []
    for proposal in packet.proposals:
        if proposal.repeat_of:  # of another source
            proposals.append(proposal)
            continue
        spans = [ground.locate_again(e, source.body) for e in proposal.evidence]
        if None in spans:
            lost.append(proposal.id)
            proposals.append(proposal)
            continue
        evidence = tuple(evidence_at(source, span) for span in spans if span)
        proposals.append(dataclasses.replace(proposal, evidence=evidence, source_sha256=source.body_sha256))
    moved = dataclasses.replace(packet, source_sha256=source.body_sha256, proposals=tuple(proposals))
    return moved, lost


def lost_quotes(text: str, lost: Sequence[str]) -> list[PacketError]:
    """A comment for each section whose quote no longer stands in the source."""
    return [PacketError(s.line, LOST) for s in reading.parse(text).sections if s.id in lost]
