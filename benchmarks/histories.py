"""Is what an audit prints true? Simulated histories with seeds, in which the truth is known; a line each.

    .venv/bin/python -m benchmarks.histories

HISTORIES knowledge bases of GENERATIONS generations, looked at after every decision. New sources are drawn like those
before, and sources differ: the truth is that of all sources that could come, not of those that were read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from codex_kb.learn import calibration, drift, guarantee, limits, people, triage

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

HISTORIES = 200
GENERATIONS = 6
DELTA = 0.1
ALPHA = 0.05
PACKET = 10
#: Sentences of sources, and how many sources of each size there are to draw from.
_SIZES = (40, 100, 250)
_OF_SIZE = 5_000
#: The share of sources that are read alone.
_ALONE = 1 / 30
#: How much higher scores of approved proposals are on average, and the deviation of a source's scores from others'.
_HIGHER = 1.5
_SOURCE = 0.3


def main() -> None:
    """Simulate everything and print it."""
    parts = (blind, weighted, drawn_again, set_aside, careless, turned, drifted, random_decisions)
    for part in parts:
        print(f"{part.__name__.replace('_', ' ')}: {part()}", flush=True)


def _rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng([20_240_612, *seed])


@dataclass(frozen=True)
class Pool:
    """All sources that could come, (sources,) each: how many sentences are worth approving at which places.

    `first` are places 1-5, `second` 6-10, `rest` those that are not proposed, of `unseen` sentences.
    """

    first: Counts
    second: Counts
    rest: Counts
    unseen: Counts

    def drawn(self, rng: np.random.Generator, count: int) -> Pool:
        """So many sources of it."""
        at = rng.integers(len(self.first), size=count)
        return Pool(self.first[at], self.second[at], self.rest[at], self.unseen[at])


def _pool(rate: float, generation: int) -> Pool:
    """Most sources hold little and a few hold much (beta); each generation ranks better than the one before."""
    rng, parts = _rng(1, generation), []
    for size in _SIZES:
        rich = rng.beta(0.5, 0.5 * (1 - rate) / rate, (_OF_SIZE, 1))
        approved = rng.random((_OF_SIZE, size)) < rich
        score = rng.normal(size=approved.shape) + (0.8 + 0.2 * generation) * approved
        listed = np.take_along_axis(approved, np.argsort(-score, axis=1), axis=1)
        first, second = listed[:, : PACKET // 2].sum(axis=1), listed[:, PACKET // 2 : PACKET].sum(axis=1)
        parts.append((first, second, listed[:, PACKET:].sum(axis=1), np.full(_OF_SIZE, size - PACKET)))
    return Pool(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def blind() -> str:
    """What `codex audit` prints of approvals missed by the first five of ten, looked at after every decision."""
    said = []
    for rate, sources in ((0.02, 100), (0.1, 100), (0.1, 500)):
        true, wide = np.ones((2, HISTORIES), bool), []
        for at, pool in enumerate(_pool(rate, generation) for generation in range(GENERATIONS)):
            truth = pool.second.sum() / (pool.first + pool.second).sum()
            for history in range(HISTORIES):
                rng = _rng(2, history, at)
                new = pool.drawn(rng, sources)
                found, missed = rng.binomial(new.first, 0.1), rng.binomial(new.second, 0.1)
                flags = np.repeat(np.tile([False, True], sources), np.stack([found, missed], axis=1).ravel()).tolist()
                first = guarantee.first_look(at + 1)
                looks = [first << look for look in range(10) if first << look <= len(flags)]
                printed = [guarantee.of_proposed(flags[:count], at + 1) for count in looks]
                always = [limits.at_most(sum(flags[:count]), count, DELTA) for count in range(first, len(flags) + 1)]
                true[0, history] &= all(each.limit is not None and truth <= each.limit for each in printed)
                true[1, history] &= all(truth <= each for each in always)
                wide.append((printed[-1].limit or 1.0) - truth if printed else math.nan)
        spent, unspent = true.mean(axis=1)
        printed_by = float(np.isfinite(wide).mean())
        said.append(f"{spent:.3f} (δ not spent {unspent:.3f}; printed for {printed_by:.2f} of generations, "
                    f"{_median(wide)} above the truth) with {sources} sources of rate {rate:g}")  # fmt: skip
    return "all limits of six generations true in " + ", ".join(said)


def _median(wide: list[float]) -> str:
    """The median of what is known."""
    known = [each for each in wide if math.isfinite(each)]
    return f"{np.median(known):.2f}" if known else "nothing"


def _shown(rng: np.random.Generator, new: Pool) -> tuple[Bools, Bools, Floats, Counts]:
    """Hits, what is counted, chances and sources of what is shown of these: ten proposals and one other sentence
    each, or everything of a source that is read alone, which has nothing to do with what it holds.
    """
    alone = rng.random(len(new.rest)) < _ALONE
    met = np.where(alone, new.rest, rng.random(len(new.rest)) < new.rest / new.unseen).astype(int)
    found = new.first + new.second
    at = np.arange(len(found))
    source = np.concatenate([np.repeat(at, found), np.repeat(at, met), at])
    hit = np.repeat([False, True, False], [found.sum(), met.sum(), len(at)])
    counted = np.repeat([True, True, False], [found.sum(), met.sum(), len(at)])
    each = np.where(alone, 1.0, 1 / new.unseen)
    chance = np.concatenate([np.ones(found.sum()), np.repeat(each, met), each])
    return hit, counted, chance, source


def weighted() -> str:
    """What `codex audit` prints of all that sources hold, beside drawing sources again and plain counts."""
    said = []
    for rate, sources in ((0.005, 32), (0.02, 32), (0.1, 64)):
        true, wide = np.ones((3, HISTORIES), bool), []
        for at, pool in enumerate(_pool(rate, generation) for generation in range(GENERATIONS)):
            truth = pool.rest.sum() / (pool.first + pool.second + pool.rest).sum()
            for history in range(HISTORIES):
                rng = _rng(3, history, at)
                shown = _shown(rng, pool.drawn(rng, sources))
                samples = _samples(*shown)
                looks = [guarantee.of_sources(samples[:count], at + 1) for count in (16, 32, 64) if count <= sources]
                again, plain = _otherwise(*shown, limits.spent(DELTA, at + 1))
                true[0, history] &= all(each.limit is not None and truth <= each.limit for each in looks)
                true[1:, history] &= again is None or truth <= again[1], truth <= plain
                wide.append((looks[-1].limit or 0.0) - truth)
        spent, again_, plain_ = true.mean(axis=1)
        said.append(f"{spent:.3f} (drawn again {again_:.3f}, plain counts {plain_:.3f}; {np.median(wide):.2f} "
                    f"above the truth) with {sources} sources of rate {rate:g}")  # fmt: skip
    return "all limits of six generations true in " + ", ".join(said)


def _samples(hits: Bools, counted: Bools, chances: Floats, of_source: Counts) -> list[guarantee.Sample]:
    """What was shown, source by source."""
    found = []
    for source in range(int(of_source.max()) + 1):
        rows = of_source == source
        found.append(guarantee.Sample(tuple(hits[rows].tolist()), tuple(counted[rows].tolist()),
                                      tuple(chances[rows].tolist())))  # fmt: skip
    return found


def _otherwise(
    hits: Bools, counted: Bools, chances: Floats, of_source: Counts, delta: float
) -> tuple[tuple[float, float] | None, float]:
    """The interval by drawing sources again, and the limit of plain counts."""
    totals = np.stack([np.bincount(of_source, part / chances) for part in (hits, counted)], axis=1)
    again = limits.bootstrap(totals, _ratio, 1 - 2 * delta)
    return again, limits.at_most(int(hits.sum()), int(counted.sum()), delta)


def _ratio(sums: Floats) -> Floats:
    return np.asarray(sums[:, 0] / np.maximum(sums[:, 1], 1e-12))


def drawn_again() -> str:
    """Intervals of the precision of the first five, by drawing sources again."""
    said = []
    for sources in (10, 30, 100):
        pool, true = _pool(0.1, 3), []
        truth = pool.first.sum() / (PACKET // 2 * len(pool.first))
        for history in range(HISTORIES * GENERATIONS):
            new = pool.drawn(_rng(4, history), sources)
            totals = np.stack([new.first, np.full(sources, PACKET // 2)], axis=1)
            between = limits.bootstrap(totals, _ratio)
            if between:
                true.append(between[0] <= truth <= between[1])
        said.append(f"{np.mean(true):.3f} with {sources} sources (said in {len(true) / HISTORIES / GENERATIONS:.2f})")
    return "a 90 % interval holds in " + ", ".join(said)


def set_aside() -> str:
    """Triage in order of time, and risk control over packets, for which a packet without approvals lost nothing."""
    missed, saved, over_packets = np.zeros((3, HISTORIES, GENERATIONS))
    spending = np.zeros((HISTORIES, GENERATIONS))
    for history in range(HISTORIES):
        rng, packets = _rng(5, history), []
        for look in range(GENERATIONS):
            for _ in range(50):
                approved = rng.random(PACKET) < (rng.random() < 0.4) * 0.25
                packets.append((rng.normal(size=PACKET) + _HIGHER + _SOURCE * rng.normal())[approved])
            scores = np.concatenate(packets)
            at = triage.threshold(scores, ALPHA)
            if at:
                missed[history, look] = _below(at.below, _HIGHER)
                saved[history, look] = 0.9 * (0.9 * _below(at.below, 0) + 0.1 * missed[history, look])
                over_packets[history, look] = _below(_risk_over_packets(packets, ALPHA), _HIGHER)
            spent = triage.threshold(scores, ALPHA, limits.spent(DELTA, look + 1))
            spending[history, look] = _below(spent.below, _HIGHER) if spent else 0
    true, all_true = missed <= ALPHA, (spending <= ALPHA).all(axis=1)
    return (f"at most {ALPHA} missed in {true.mean():.3f} of looks, at all six in {true.all(axis=1).mean():.3f} "
            f"(δ spent {all_true.mean():.3f}); missed {missed.mean():.3f}, saved {saved.mean():.3f}; risk control over "
            f"packets misses {over_packets.mean():.3f}")  # fmt: skip


def _below(threshold: float, mean: float) -> float:
    """The share of scores that lies below; they are normal, sources included."""
    return NormalDist(mean, math.hypot(1, _SOURCE)).cdf(threshold)


def _risk_over_packets(packets: list[Floats], alpha: float) -> float:
    """The highest threshold with Σ (share of a packet's approvals below) + 1 ≤ alpha (packets + 1)."""
    scores = np.concatenate(packets)
    weights = np.concatenate([np.full(len(packet), 1 / max(1, len(packet))) for packet in packets])
    order = np.argsort(scores)
    lost = np.cumsum(weights[order])
    allowed = int((lost + 1 <= alpha * (len(packets) + 1)).sum())
    return float(scores[order][min(allowed, len(order) - 1)])


def careless() -> str:
    """A reviewer with an error of 0.03, and 0.3 after decision 300; 3 % of decisions are repeats of earlier ones."""
    named = dict.fromkeys((0.03, 0.3), 0)
    many = 20 * HISTORIES
    for error, history in product(named, range(many)):
        rng = _rng(6, history)
        asked = np.arange(40, 300, 33).tolist() + np.arange(333, 961, 33).tolist()
        differs = []
        for at in asked:
            first = rng.integers(at)
            errors = [0.03 if when < 300 else error for when in (first, at)]
            differs.append(bool((rng.random() < errors[0]) != (rng.random() < errors[1])))
        named[error] += people.careless(differs) is not None
    return f"named after 20 repeats in {named[0.3] / many:.3f}, a careful one in {named[0.03] / many:.3f}"


def turned() -> str:
    """One of four domains whose taste turns after 20 of its 40 packets: AUC of a packet with three approvals of ten."""
    found: list[bool] = []
    false: list[bool] = []
    for history in range(HISTORIES):
        rng = _rng(7, history)
        for domain in range(4):
            higher = np.where((np.arange(40) >= 20) & (domain == 0), -_HIGHER, _HIGHER) / 2
            yes, no = rng.normal(size=(40, 3)) + higher[:, None], rng.normal(size=(40, 7))
            auc = (yes[:, :, None] > no[:, None, :]).mean(axis=(1, 2))
            (false if domain else found).append(people.turned(auc, people.FALSE_ALARMS / 4, history) is not None)
    return f"named in {np.mean(found):.3f}, one that did not turn in {np.mean(false):.4f}"


def drifted() -> str:
    """Vectors of 20 sources of ten before and 20 after, that lie together by source; shifted by half a deviation."""
    said = dict.fromkeys((0.0, 0.5), 0)
    for shift, history in product(said, range(HISTORIES)):
        rng = _rng(8, history)
        sides = [rng.normal(size=(20, 1, 16)) + rng.normal(size=(20, 10, 16)) + move for move in (0, shift)]
        names = [str(at // 10) for at in range(200)]
        between = drift.drift(sides[0].reshape(200, 16), names, sides[1].reshape(200, 16), names)
        said[shift] += between is not None and between.drifted
    found, false = said[0.5] / HISTORIES, said[0.0] / HISTORIES
    return f"said where there is some in {found:.3f}, where there is none in {false:.3f}"


def random_decisions() -> str:
    """Decisions that have nothing to do with scores: are chances shown?"""
    shown: list[bool] = []
    planted: list[bool] = []
    for history in range(HISTORIES):
        rng = _rng(9, history)
        for higher, into in ((0.0, shown), (_HIGHER, planted)):
            approved = rng.random(600) < 0.1
            scores = rng.normal(size=600) + higher * approved
            curve = calibration.learned(scores[:300], approved[:300])
            if curve is None:
                continue
            rate = calibration.past_rate(int(approved[:300].sum()), 300)
            names = [str(at // PACKET) for at in range(300)]
            beside = calibration.beside_rate(curve.at(scores[300:], rate), rate, approved[300:], names)
            into.append(beside is not None and beside.shown)
    return f"chances shown in {np.mean(shown):.3f}, where scores mean something in {np.mean(planted):.3f}"


if __name__ == "__main__":
    main()
