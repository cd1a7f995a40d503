"""What a generation misses, told from decisions that it was not trained on.

A generation's own decisions are those about packets that it filled, alone or by turns while it was on trial; its order
of a packet is that of the scores that it was recorded with. Sentences that were mixed in stand outside of that order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from codex_kb.learn import calibration, limits
from codex_kb.learn.calibration import Beside, Chance
from codex_kb.learn.examples import SCORE, TAUGHT, judges
from codex_kb.learn.limits import Floats
from codex_kb.records import Decision, Proposal

#: Who stops after so many proposals of a source may miss something; and how many of them a packet usually has.
FIRST, PACKET = 5, 10
#: In so many parts, in order of time, chances are learned from the parts before.
_PARTS = 10
#: Chances are set beside what came of them in so many groups.
_GROUPS = 5


@dataclass(frozen=True)
class Estimate:
    """A figure made of `of` decisions or packets, and its 90 % interval; None for what is not known."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    of: int = 0


@dataclass(frozen=True)
class Judged:
    """One decision as the generation's that showed it: its `place` in the generation's order, from 1, where known.

    `told` are the chance of approval and the past rate, as they were known before the decision.
    """

    decision: Decision
    domain: str
    place: int | None
    told: tuple[float, float] | None = None

    @property
    def approved(self) -> bool:
        """Was it approved?"""
        return self.decision.verdict == "approved"

    @property
    def proposed(self) -> bool:
        """Was it proposed, and not mixed in?"""
        return not self.decision.shown.get("explored")

    @property
    def blind(self) -> bool:
        """Was it proposed, and shown without hints?"""
        return self.proposed and bool(self.decision.shown.get("blind"))


@dataclass(frozen=True)
class Figures:
    """What the own decisions of a generation say, those of one domain or all.

    `missed` is the share of approvals beyond the first FIRST in its order; of blind decisions where `blind`, whose
    interval is exact. `precision` is that of the first PACKET, `effort` decisions per approved claim, `place` that of
    approvals on average, `added` how many claims people added; `beside` are chances of approval beside the past rate.
    """

    decisions: int
    approvals: int
    missed: Estimate
    blind: bool
    precision: Estimate
    effort: Estimate
    place: Estimate
    added: int
    beside: Beside | None


def owners(each: Decision | Proposal, in_force: Mapping[int, str]) -> tuple[str, ...]:
    """The names of the generations that showed this, "" for the untaught order; `in_force` names them by number.

    While one is on trial beside the untaught order a packet is of both.
    """
    own = in_force.get(each.generation) if each.generation else ""
    trial = str(_how(each).get("trial", ""))
    if trial:
        return (trial,) if own else ("", trial)
    return () if own is None else (own,)


def _how(each: Decision | Proposal) -> Mapping[str, object]:
    """How it was, or is, shown."""
    if isinstance(each, Decision):
        return each.shown
    return {"trial": each.trial, "place": each.place, "blind": each.blind, "explored": each.explored}


def score_of(features: Mapping[str, float], name: str) -> float | None:
    """The score by the generation of a name."""
    return features.get(TAUGHT if name else SCORE)


def places(name: str, shown: Iterable[Decision | Proposal]) -> dict[str, int]:
    """The place of each proposal, by id, in the order of a generation among those of its packet that it knows.

    `shown` are decided and waiting ones. Where scores are not recorded, nothing is known of packets with a blind one.
    """
    packets: dict[tuple[str, str], dict[str, _Item]] = defaultdict(dict)
    for each in shown:
        item = _item(each, name)
        if not item.explored:
            packets[item.packet].setdefault(each.id, item)
    found: dict[str, int] = {}
    for packet in packets.values():
        found |= _ordered(packet)
    return found


@dataclass(frozen=True)
class _Item:
    packet: tuple[str, str]
    score: float | None
    place: int
    blind: bool
    explored: bool


def _item(each: Decision | Proposal, name: str) -> _Item:
    shown = _how(each)
    place, trial = shown.get("place"), str(shown.get("trial", ""))
    blind, explored = bool(shown.get("blind")), bool(shown.get("explored"))
    return _Item((each.source, trial), score_of(each.features, name), place if isinstance(place, int) else 0, blind,
                 explored)  # fmt: skip


def _ordered(packet: Mapping[str, _Item]) -> dict[str, int]:
    scores = {key: each.score for key, each in packet.items() if each.score is not None}
    if len(scores) == len(packet):
        ordered = sorted(packet, key=lambda key: (-scores[key], packet[key].place))
    elif any(each.blind or not each.place for each in packet.values()):
        return {}
    else:
        ordered = sorted(packet, key=lambda key: packet[key].place)
    return {key: place for place, key in enumerate(ordered, 1)}


@dataclass(frozen=True)
class Before:
    """What the decisions before those of these ids tell: the curve of approval by score, and the past rate."""

    ids: frozenset[str]
    curve: Chance
    rate: float


def before(decisions: Iterable[Decision]) -> list[Before]:
    """Decisions in parts, in the order of time, each with what all before it tell; of the first nothing is known."""
    counted = [each for each in decisions if judges(each) and SCORE in each.features]
    scores = np.array([each.features.get(TAUGHT, each.features[SCORE]) for each in counted])
    approved = np.array([each.verdict == "approved" for each in counted], bool)
    found = []
    for start, end in pairwise(np.linspace(0, len(counted), _PARTS + 1).astype(int)[1:]):
        curve = calibration.learned(scores[:start], approved[:start])
        if curve is not None:
            rate = calibration.past_rate(int(approved[:start].sum()), int(start))
            found.append(Before(frozenset(each.id for each in counted[start:end]), curve, rate))
    return found


def told(own: Sequence[Decision], known: Iterable[Before], name: str) -> dict[str, tuple[float, float]]:
    """The chance of approval and the past rate of a generation's own decisions, by id, as those before tell them."""
    found: dict[str, tuple[float, float]] = {}
    for each in known:
        scores = {d.id: score for d in own if d.id in each.ids and (score := score_of(d.features, name)) is not None}
        chances = each.curve.at(list(scores.values()), each.rate) if scores else ()
        found |= {key: (float(chance), each.rate) for key, chance in zip(scores, chances, strict=True)}
    return found


def figures(rows: Sequence[Judged], added: int) -> Figures:
    """What these decisions say; those that do not judge the proposal (duplicates, say) count as effort alone."""
    judged = [row for row in rows if judges(row.decision)]
    placed = [row for row in judged if row.place is not None and row.proposed]
    blind = any(row.blind and row.approved for row in placed)
    approvals = [row for row in placed if row.approved and (row.blind or not blind)]
    first = [row for row in placed if (row.place or 0) <= PACKET]
    return Figures(
        len(rows), sum(row.approved for row in judged),
        exact([beyond(row) for row in approvals]) if blind else share(approvals, beyond), blind,
        share(first, lambda row: row.approved), effort(rows),
        mean([(row.decision.source, float(row.place or 0)) for row in placed if row.approved]), added,
        _beside(judged),
    )  # fmt: skip


def beyond(row: Judged) -> bool:
    """Would it be missed by whoever stops after the first FIRST?"""
    return (row.place or 0) > FIRST


def exact(hits: Sequence[bool]) -> Estimate:
    """The share of hits among independent decisions, with its exact interval."""
    if not hits:
        return Estimate()
    return Estimate(sum(hits) / len(hits), *limits.interval(sum(hits), len(hits)), of=len(hits))


def share(rows: Sequence[Judged], hit: Callable[[Judged], bool]) -> Estimate:
    """The share of rows that are hits; its interval draws sources again."""
    return mean([(row.decision.source, float(hit(row))) for row in rows])


def mean(values: Sequence[tuple[str, float]]) -> Estimate:
    """The mean of (source, value); its interval draws sources again."""
    return ratio([(source, (value, 1.0)) for source, value in values])


def effort(rows: Sequence[Judged]) -> Estimate:
    """Decisions per approved claim; its interval draws sources again."""
    return ratio([(row.decision.source, (1.0, float(row.approved))) for row in rows])


def ratio(values: Sequence[tuple[str, tuple[float, float]]]) -> Estimate:
    """The sum of the first over that of the second, of (source, both); its interval draws sources again."""
    above, below = (sum(both[at] for _, both in values) for at in (0, 1))
    return Estimate(above / below, *_drawn(_totals(values)), of=len(values)) if below else Estimate(of=len(values))


def _totals(values: Iterable[tuple[str, tuple[float, float]]]) -> Floats:
    """The sums of each source, (sources, 2)."""
    sums: dict[str, Floats] = defaultdict(lambda: np.zeros(2))
    for source, both in values:
        sums[source] += both
    return np.array([sums[source] for source in sorted(sums)])


def _drawn(totals: Floats) -> tuple[float | None, float | None]:
    return limits.bootstrap(totals, lambda sums: sums[:, 0] / sums[:, 1]) or (None, None)


def _beside(rows: Iterable[Judged]) -> Beside | None:
    known = [(row, row.told) for row in rows if row.told]
    return calibration.beside_rate(
        [told[0] for _, told in known], [told[1] for _, told in known], [row.approved for row, _ in known],
        [row.decision.source for row, _ in known],
    )  # fmt: skip


def reliability(rows: Iterable[Judged]) -> tuple[tuple[float, Estimate], ...]:
    """Chances that were told, in groups of about as many, on average, and the share that was approved of each group.

    The intervals are exact where decisions are independent.
    """
    known = sorted((row.told[0], row.approved) for row in rows if row.told and judges(row.decision))
    groups = [each for each in np.array_split(np.array(known, float), _GROUPS) if len(each)] if known else []
    return tuple((float(each[:, 0].mean()), exact([bool(yes) for yes in each[:, 1]])) for each in groups)
