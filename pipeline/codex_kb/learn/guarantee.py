"""What may be said of the generation in force: at most how much it misses, true in 90 % of knowledge bases.

A limit that is looked at whenever somebody asks is sooner or later false by chance. So the moments at which it may
change are laid down beforehand, in counts: look 1 comes with the first of its `looks`, each further one with twice as
many. A limit is made of what was counted up to the last look; between looks it is repeated, however often it is asked
for. Nothing has to be kept for that, and an audit writes nothing.

The g-th generation may spend 6δ/(π²g²) (the untaught order is the first), and of this its look j the share 6/(π²j²):
together never more than δ, so that all limits that are ever printed are true at once in 1 - δ of cases. A look at each
closing would say nothing of the generation in force: it has shown nothing yet when it takes over.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from codex_kb.learn import limits
from codex_kb.learn.audit import Judged, beyond
from codex_kb.learn.examples import judges
from codex_kb.text.marks import counted

DELTA = 0.1
#: The first look comes when at most so much could be missed if nothing was.
_AIM = 0.2
#: Sources that hold mixed-in sentences, at the first look.
_FIRST_SOURCES = 16


@dataclass(frozen=True)
class Certified:
    """A limit, None before the first look; `hits` of `of` were counted up to the last `look` (from 1, 0 before it).

    `counted` are there by now, and `needed` are missing until the next look.
    """

    limit: float | None
    hits: int
    of: int
    look: int
    counted: int
    needed: int


def first_look(g: int) -> int:
    """How many approvals the first look at the g-th generation waits for."""
    return limits.missing(0, 0, _AIM, _spent(g, 1))


def _spent(g: int, look: int) -> float:
    return limits.spent(limits.spent(DELTA, g), look)


def _looks(first: int, counted: int) -> tuple[int, int, int]:
    """How many looks there were, what was counted at the last, and at the next."""
    look = (counted // first).bit_length()
    return look, first << (look - 1) if look else 0, first << look


def of_proposed(missed: Sequence[bool], g: int) -> Certified:
    """At most which share of approvals the first proposals of the g-th generation miss.

    `missed` tells it of each approval among its own blind decisions, in order of time.
    """
    look, at, following = _looks(first_look(g), len(missed))
    hits = sum(missed[:at])
    limit = limits.at_most(hits, at, _spent(g, look)) if look else None
    return Certified(limit, hits, at, look, len(missed), following - len(missed))


@dataclass(frozen=True)
class Sample:
    """What was shown of one source: for each item whether it would be approved and was not proposed (`hits`), whether
    it would be approved at all (`counted`), and its chance of being shown."""

    hits: tuple[bool, ...]
    counted: tuple[bool, ...]
    chances: tuple[float, ...]


def of_sources(samples: Sequence[Sample], g: int) -> Certified:
    """At most which share of what sources hold and people would approve the g-th generation does not propose.

    `samples` are its own sources in order of time; what is counted for looks is these.
    """
    look, at, following = _looks(_FIRST_SOURCES, len(samples))
    seen = samples[:at]
    limit = None
    if look:
        limit = limits.weighted_at_most(
            [each for sample in seen for each in sample.hits], [each for sample in seen for each in sample.counted],
            [each for sample in seen for each in sample.chances],
            [str(number) for number, sample in enumerate(seen) for _ in sample.hits], _spent(g, look),
        ).limit  # fmt: skip
    return Certified(limit, sum(map(sum, (each.hits for each in seen))), at, look, len(samples),
                     following - len(samples))  # fmt: skip


def sample(rows: Sequence[Judged], added: int) -> Sample:
    """One source's; claims that people added are there for sure, and count once."""
    judged = [row for row in rows if judges(row.decision)]
    approved = [row.approved for row in judged]
    hits = [row.approved and not row.proposed for row in judged]
    chances = [_chance(row) for row in judged]
    return Sample((*hits, *[True] * added), (*approved, *[True] * added), (*chances, *[1.0] * added))


def _chance(row: Judged) -> float:
    """The recorded chance of being shown; what cannot be one is taken for certain."""
    chance = row.decision.shown.get("chance", 1.0)
    return float(chance) if isinstance(chance, int | float) and 0 < chance <= 1 and not row.proposed else 1.0


@dataclass(frozen=True)
class Compounded:
    """What remains over `generations` whose limits are known: of their product, and of 1 minus their sum."""

    generations: int
    product: float
    union: float


def compounded(found: Sequence[float]) -> Compounded | None:
    """Limits put together: at least so much of what the first would find is found by the last. None without limits."""
    if not found:
        return None
    return Compounded(len(found), math.prod(1 - each for each in found), max(0.0, 1 - sum(found)))


@dataclass(frozen=True)
class Guarantee:
    """Both limits of the generation of a number, with `blind` and `explored` decisions of its own.

    `off` names the settings of `[review]` that would show such and are 0. `drift` says how far proposals moved from
    the generation before, in words; empty where that is not known.
    """

    number: int
    proposed: Certified
    sources: Certified
    blind: int
    explored: int
    off: tuple[str, ...] = ()
    drift: str = ""
    compounded: Compounded | None = None

    @property
    def confidence(self) -> float:
        """How often each limit is true."""
        return 1 - DELTA

    @property
    def whole(self) -> bool:
        """Can both limits be said?"""
        return None not in (self.proposed.limit, self.sources.limit)

    @property
    def text(self) -> str:
        """Two plain sentences."""
        return f"{self.of_proposed} {self.of_sources}"

    @property
    def of_proposed(self) -> str:
        """What may be said of the proposals."""
        now = self.proposed
        if now.limit is None:
            return (
                f"How much is missed by whoever reads the first five of ten proposals of generation {self.number} "
                f"cannot be said yet: it takes {counted(now.needed, 'more approval')} among blind decisions"
                f"{self._about}; so far {now.counted} of {self.blind} approved{self._off('blind')}."
            )
        return (
            f"Whoever reads the first five of ten proposals of generation {self.number} misses at most "
            f"{_percent(now.limit)} of what they would approve among the ten ({_percent(self.confidence)} sure, from "
            f"the first {now.of} approvals among {self.blind} blind decisions{self._assumed})."
        )

    @property
    def of_sources(self) -> str:
        """What may be said of all that the sources hold."""
        now = self.sources
        if now.limit is None:
            return (
                f"How much of all that its sources hold is not proposed cannot be said yet: it takes "
                f"{now.counted + now.needed} decided sources with mixed-in sentences; so far "
                f"there {'is' if now.counted == 1 else 'are'} {now.counted}{self._off('explore')}."
            )
        return (
            f"Of all that its sources hold and people would approve, at most {_percent(now.limit)} is not proposed "
            f"({_percent(self.confidence)} sure, from the first {now.of} sources with {self.explored} mixed-in "
            f"sentences{self._assumed})."
        )

    @property
    def _assumed(self) -> str:
        return f", if new sources are like these{f'; {self.drift}' if self.drift else ''}"

    @property
    def _about(self) -> str:
        """What is missing in decisions, at the rate of approval that there is."""
        now = self.proposed
        return f" (about {math.ceil(now.needed * self.blind / now.counted)} blind decisions)" if now.counted else ""

    def _off(self, setting: str) -> str:
        return f"; [review] {setting} in codex.toml is 0, and shows none" if setting in self.off else ""


def _percent(share: float) -> str:
    """A share in words, never less than it is."""
    return f"{math.ceil(100 * share - 1e-9)} %"


def missed_blind(rows: Sequence[Judged]) -> list[bool]:
    """Of each approval among blind decisions, in order of time, whether the first proposals miss it."""
    found = [row for row in rows if row.blind and row.approved and row.place is not None and judges(row.decision)]
    return [beyond(row) for row in sorted(found, key=lambda row: (row.decision.time, row.decision.id))]
