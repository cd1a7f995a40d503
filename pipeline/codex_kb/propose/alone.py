"""A few sources a generation are read without proposals first, so that it can be said what a person finds alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from codex_kb.propose.mixing import share
from codex_kb.records import Decision, Packet

#: The part of new sources that may be read alone: those of a generation are spread over it.
_PART = 0.2


class Alone:
    """Which sources come without proposals first: so many a generation, told by a hash of each."""

    def __init__(self, many: int, generation: int, decisions: Sequence[Decision], packets: Iterable[Packet]) -> None:
        self._many = many
        self._generation = generation
        self._taken = {d.source for d in decisions if d.shown.get("alone") and d.generation == generation}
        for packet in packets:
            if packet.generation == generation and any(each.alone for each in (*packet.proposals, *packet.later)):
                self._taken.add(packet.source)

    def takes(self, source: str, proposed: bool, known: bool) -> bool:
        """Is this source read alone? Only where something is proposed, and nobody has seen anything of it."""
        chosen = share(f"alone {self._generation}", source) < _PART
        if known or not proposed or not chosen or len(self._taken) >= self._many:
            return False
        self._taken.add(source)
        return True


def first(packet: Packet) -> Packet:
    """The packet as it comes first, its proposals kept for later."""
    later = tuple(dataclasses.replace(each, alone=True) for each in packet.proposals)
    return dataclasses.replace(packet, proposals=(), later=later)
