"""New instructions tried half by half: each source is told the old ones or the new ones, and approvals are compared."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from codex_kb.learn.examples import chosen
from codex_kb.learn.limits import LEAST_SOURCES, Floats, bootstrap
from codex_kb.records import Decision

OLD, NEW = "old", "new"
Advice = Literal["take over", "keep", "wait"]

#: Where more sources than this are needed beyond those that are there, the two hardly differ.
_MOST = 1000


class Told(NamedTuple):
    """The instructions for one source; where new ones are tried, which half it is in, and the name of the trial."""

    instructions: str
    half: str = ""
    trial: str = ""


def told(instructions: str, trying: str, source: str) -> Told:
    """What is told for a source: where new instructions are tried, a hash of its path draws the half."""
    if not trying:
        return Told(instructions)
    trial = name_of(instructions, trying)
    half = half_of(trial, source)
    return Told(trying if half == NEW else instructions, half, trial)


def name_of(instructions: str, trying: str) -> str:
    """8 hex digits of the old and the new instructions: other words are another trial."""
    return hashlib.sha256(f"{instructions}\0{trying}".encode()).hexdigest()[:8]


def half_of(trial: str, source: str) -> str:
    """Which half of a trial a source is in."""
    return NEW if hashlib.sha256(f"{trial}\0{source}".encode()).digest()[0] % 2 else OLD


@dataclass(frozen=True, slots=True)
class Half:
    """What came of the sources of one half."""

    sources: int
    approvals: int
    decided: int

    @property
    def a_source(self) -> float | None:
        """Approvals a source; None without a source."""
        return self.approvals / self.sources if self.sources else None

    @property
    def share(self) -> float | None:
        """The share of decisions that are approvals; None without a decision."""
        return self.approvals / self.decided if self.decided else None


@dataclass(frozen=True, slots=True)
class Difference:
    """New minus old, None where one of them is not known, with its 90 % interval by sources, where it can be said."""

    value: float | None
    between: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Compared:
    """Both halves of a trial; `needed` is about how many more sources it takes, 0 where the advice is not to wait."""

    old: Half
    new: Half
    a_source: Difference
    share: Difference
    advice: Advice
    needed: int = 0


def compared(
    decisions: Iterable[Decision], trial: str, empty: Collection[str] = (), waiting: Collection[str] = ()
) -> Compared:  # fmt: skip
    """Both halves of a trial, from decisions that stand.

    `empty` are sources from which nothing was proposed, `waiting` those that are not decided yet: they do not count.
    """
    sums: dict[str, list[int]] = {each: [0, 0] for each in empty}
    for each in decisions:
        if each.shown.get("tried") == trial and chosen(each):
            counted = sums.setdefault(each.source, [0, 0])
            counted[0] += each.verdict == "approved"
            counted[1] += 1
    rows = {source: counted for source, counted in sums.items() if source not in waiting}
    # Of each source: is it old, approvals, decisions; the same for new.
    totals = np.zeros((len(rows), 6))
    for row, (source, counted) in zip(totals, sorted(rows.items()), strict=True):
        at = 3 * (half_of(trial, source) == NEW)
        row[at : at + 3] = (1, *counted)
    old, new = (Half(*map(int, part)) for part in np.split(totals.sum(axis=0), 2))
    enough = min(old.sources, new.sources) >= LEAST_SOURCES
    a_source = _difference(old.a_source, new.a_source, bootstrap(totals, _a_source) if enough else None)
    share = _difference(old.share, new.share, bootstrap(totals, _share) if enough else None)
    return Compared(old, new, a_source, share, *_advice(old, new, a_source))


def _a_source(sums: Floats) -> Floats:
    return sums[:, 4] / sums[:, 3] - sums[:, 1] / sums[:, 0]


def _share(sums: Floats) -> Floats:
    return sums[:, 4] / sums[:, 5] - sums[:, 1] / sums[:, 2]


def _difference(old: float | None, new: float | None, between: tuple[float, float] | None) -> Difference:
    return Difference(None if old is None or new is None else new - old, between)


def _advice(old: Half, new: Half, difference: Difference) -> tuple[Advice, int]:
    """What to do by approvals a source; an interval shrinks with the root of the number of sources."""
    lacking = max(LEAST_SOURCES - old.sources, LEAST_SOURCES - new.sources)
    if lacking > 0 or difference.value is None:
        return "wait", 2 * lacking
    # All sources of a half are alike where there is no interval: the halves do not overlap, or are the same.
    low, high = difference.between or (difference.value, difference.value)
    if low > 0:
        return "take over", 0
    if high < 0 or difference.value == 0:
        return "keep", 0
    sources = old.sources + new.sources
    needed = sources * (((high - low) / 2 / difference.value) ** 2 - 1)
    return ("wait", max(1, math.ceil(needed))) if needed <= _MOST else ("keep", 0)
