"""What a packet shows beside what was chosen, so that it can be measured: some blind, some that nobody chose.

Hashes decide, so that the same source gives the same packet: which proposals are blind (shown without hints), which of
the candidates that were not chosen are mixed in, and where both stand among the others.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

from codex_kb.records import Proposal


def share(what: str, key: str) -> float:
    """A number from 0 to 1 that depends on nothing but these texts."""
    return int.from_bytes(hashlib.sha256(f"{what}\0{key}".encode()).digest()[:7]) / 2**56


def explored(left: int, chosen: int, part: float) -> int:
    """How many of the `left` candidates are mixed in beside those chosen: a part of these, at least one."""
    return min(left, max(1, round(part * chosen))) if part > 0 else 0


def sample(keys: Sequence[str], count: int) -> list[int]:
    """The places of `count` of these keys, each as likely as any other."""
    return sorted(range(len(keys)), key=lambda at: share("explored", keys[at]))[:count]


def mixed(
    chosen: Sequence[Proposal], others: Sequence[Proposal], repeats: Sequence[Proposal], blind: float
) -> list[Proposal]:  # fmt: skip
    """The packet's proposals in their order; `others` were not chosen: they are blind where some of those chosen are.

    `repeats` are asked again, and blind as often as those chosen.
    """
    hidden = {each.id for each in (*chosen, *repeats) if share("blind", each.id) < blind}
    hidden |= {each.id for each in others if blind}
    shown = [each for each in chosen if each.id not in hidden]
    elsewhere = [*(each for each in chosen if each.id in hidden), *others, *repeats]
    for each in sorted(elsewhere, key=lambda p: share("order", p.id)):
        at = int(share("place", each.id) * (len(shown) + 1))
        shown.insert(at, dataclasses.replace(each, blind=each.id in hidden))
    return [dataclasses.replace(each, place=place) for place, each in enumerate(shown, 1)]
