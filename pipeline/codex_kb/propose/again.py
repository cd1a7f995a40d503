"""A few old decisions are asked for again, so that it can be said how often people answer alike.

Which, and when, is told by hashes: a part of a packet's proposals, `[review] repeat`, brings one along, and a coin
decides whether it was approved or rejected.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Sequence

from codex_kb.learn.examples import judges
from codex_kb.propose.mixing import share
from codex_kb.records import Decision, Packet, Proposal
from codex_kb.review.decide import added_as
from codex_kb.review.standing import proposal_of, standing


class Asked:
    """The decisions that may be asked for again; each is, at most once."""

    def __init__(self, decisions: Sequence[Decision], packets: Iterable[Packet]) -> None:
        before = {str(each.shown.get("repeat_of")) for each in decisions}
        before |= {each.repeat_of for packet in packets for each in packet.proposals}
        self._open = {each.id: each for each in standing(decisions).values() if _may_be(each) and each.id not in before}

    def beside(self, chosen: Sequence[Proposal], source: str, part: float) -> Iterator[tuple[Decision, Proposal]]:
        """Decisions about other sources, and what is asked of each, to stand beside what was chosen from a source."""
        for each in chosen:
            if share("repeat", each.id) < part and (found := self._next(each.id, source)):
                del self._open[found.id]
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    yield found, _again(proposal_of(found), source)

    def _next(self, key: str, source: str) -> Decision | None:
        some = [each for each in self._open.values() if each.source != source]
        verdict = "approved" if share("verdict", key) < 1 / 2 else "rejected"
        some = [each for each in some if each.verdict == verdict] or some
        return min(some, key=lambda each: share(key, each.id), default=None)


def _may_be(decision: Decision) -> bool:
    """Was it answered as what it is, by what it says?"""
    odd = decision.missed or decision.proposal.get("unlocated")
    return judges(decision) and not odd and not added_as(decision)


def _again(proposal: Proposal, source: str) -> Proposal:
    """The proposal under an id of its own, with nothing of what is known of it."""
    again = hashlib.sha256(f"again\0{proposal.id}\0{source}".encode()).hexdigest()[:12]
    return dataclasses.replace(
        proposal, id=again, repeat_of=proposal.id, nearest=(), relation="new", target="", why="", debate=(),
        trial="", place=0, blind=False, explored=False, chance=1.0, instructions="", tried="",
    )  # fmt: skip
