"""How large a share can be, given what was counted: limits that are true as often as they say.

A share of independent decisions has an exact limit (Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404). Items that
were shown with a known chance are weighted by 1 / chance (Horvitz & Thompson 1952, doi:10.2307/2280784). All else is
drawn again source by source, since sentences of one source resemble each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: How often sources are weighted at random for a limit, and how many of these at a time: they need memory.
_WEIGHTINGS = 10_000
_AT_ONCE = 500
#: Fewer sources than these are not drawn again: they say too little about others.
LEAST_SOURCES = 8
_DRAWS = 2_000
#: Where more of the draws than this have no value (nothing was approved), there is no interval.
_MOST_UNDEFINED = 0.1


def at_most(hits: int, of: int, delta: float = 0.1) -> float:
    """The exact upper limit of a share, true in 1 - delta of cases: BetaInv(1 - delta; hits + 1, of - hits).

    Raises:
        ValueError: more hits than there are decisions, or fewer than none.
    """
    from scipy.special import betaincinv  # noqa: PLC0415 (a heavy import)

    _counted(hits, of)
    return 1.0 if hits == of else float(betaincinv(hits + 1, of - hits, 1 - delta))


def at_least(hits: int, of: int, delta: float = 0.1) -> float:
    """The exact lower limit of a share, true in 1 - delta of cases: BetaInv(delta; hits, of - hits + 1).

    Raises:
        ValueError: more hits than there are decisions, or fewer than none.
    """
    _counted(hits, of)
    return 1 - at_most(of - hits, of, delta)


def interval(hits: int, of: int, level: float = 0.9) -> tuple[float, float]:
    """The exact interval of a share, which holds it in at least `level` of cases (Clopper & Pearson 1934).

    Raises:
        ValueError: more hits than there are decisions, or fewer than none.
    """
    delta = (1 - level) / 2
    return at_least(hits, of, delta), at_most(hits, of, delta)


def _counted(hits: int, of: int) -> None:
    if not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of}")


def spent(delta: float, look: int) -> float:
    """What look 1, 2, … may spend of delta, 6 delta / (π² look²): all looks for ever spend delta together.

    Every limit that is printed is then true at once, in 1 - delta of cases (union bound; Σ 1/g² = π²/6).

    Raises:
        ValueError: looks are counted from 1.
    """
    if look < 1:
        raise ValueError(f"look {look}")
    return 6 * delta / (math.pi * look) ** 2


def missing(hits: int, of: int, most: float, delta: float = 0.1) -> int:
    """How many decisions are missing until `at_most` can be `most` or less: as many as it takes without another hit.

    Raises:
        ValueError: no number of decisions gives a limit of 0 or less.
    """
    if most <= 0:
        raise ValueError(f"a limit of {most}")
    low, high = of, max(1, of)
    while at_most(hits, high, delta) > most:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if at_most(hits, middle, delta) <= most else (middle + 1, high)
    return low - of


@dataclass(frozen=True)
class Weighted:
    """A share of all that sources hold, and its upper limit: `share` is NaN where nothing was counted."""

    share: float
    limit: float


def weighted_at_most(
    hits: Sequence[bool] | npt.NDArray[np.bool_],
    counted: Sequence[bool] | npt.NDArray[np.bool_],
    chances: Sequence[float] | Floats,
    sources: Sequence[str],
    delta: float = 0.1,
    seed: int = 0,
) -> Weighted:
    """The upper limit of Σ hits/chance / Σ counted/chance over all that was shown, true in 1 - delta of cases.

    `hits` (n,) are among `counted` (n,), as missed approvals are among approvals. Items that are neither (n holds
    them too) tell how much a hit might have weighed. `chances` (n,) in (0, 1] are those of being shown, given the
    source: 1 for all of a source that was chosen, whatever it holds, to be read alone.

    The sums of whole sources are weighted at random (exponential weights: Bayesian bootstrap, Rubin 1981,
    doi:10.1214/aos/1176345338) together with one source more, which holds nothing but the heaviest hit that could
    have been met; the limit is the 1 - delta quantile of the share (Learned-Miller & Thomas 2019, arXiv:1905.06208,
    for the mean of a bounded variable; here of hits - share x counted). Where every source is one item shown for
    sure this is `at_most`. In simulated histories (benchmarks/histories.py) it holds; without the source more, or
    with the items' plain count, it does not: of what was never met they make nothing.

    Raises:
        ValueError: a chance is not in (0, 1], or a hit is not counted.
    """
    hit, count = np.asarray(hits, bool), np.asarray(counted, bool)
    chance = np.asarray(chances, float)
    if not ((chance > 0) & (chance <= 1)).all() or (hit & ~count).any():
        raise ValueError("a chance is not in (0, 1], or a hit is not among what is counted")
    if not count.any():
        return Weighted(math.nan, 1.0)
    of_source = np.unique(np.asarray(sources), return_inverse=True)[1]
    of_hits = np.bincount(of_source, hit / chance)
    of_all = np.bincount(of_source, count / chance)
    share = float(of_hits.sum() / of_all.sum())
    heaviest = max(float((1 / chance).max()), float(of_hits.max()))
    rows = np.vstack([np.stack([of_hits, of_all], axis=1), [heaviest, heaviest]])
    rng = np.random.default_rng(seed)
    times = range(_WEIGHTINGS // _AT_ONCE)
    sums = np.concatenate([rng.standard_exponential((_AT_ONCE, len(rows))) @ rows for _ in times])
    return Weighted(share, float(np.quantile(sums[:, 0] / sums[:, 1], 1 - delta)))


def bootstrap(
    totals: npt.ArrayLike, statistic: Callable[[Floats], Floats], level: float = 0.9, seed: int = 0
) -> tuple[float, float] | None:
    """The interval of a figure that is made of sums over sources, by drawing whole sources again.

    `totals` (sources, k) are each source's sums; `statistic` turns sums (draws, k) into figures (draws,), as
    ``lambda sums: sums[:, 0] / sums[:, 1]`` does for a ratio. Percentiles are widened as Student's t is beside the
    normal (expanded percentile interval, Hesterberg 2015, doi:10.1080/00031305.2015.1089789).

    None where it cannot be said: fewer than LEAST_SOURCES sources, or figures that are undefined or all the same.
    """
    from scipy.special import ndtr, stdtrit  # noqa: PLC0415 (a heavy import)

    rows = np.asarray(totals, float)
    count = len(rows)
    if count < LEAST_SOURCES:
        return None
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=_DRAWS)
    with np.errstate(divide="ignore", invalid="ignore"):
        figures = statistic(drawn @ rows)
    figures = figures[np.isfinite(figures)]
    if len(figures) < (1 - _MOST_UNDEFINED) * _DRAWS or np.ptp(figures) <= 1e-12:
        return None
    tail = float(ndtr(math.sqrt(count / (count - 1)) * stdtrit(count - 1, (1 - level) / 2)))
    low, high = np.quantile(figures, [tail, 1 - tail])
    return float(low), float(high)
