"""How far people agree: with themselves, with each other, and with how they decided before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codex_kb.learn import limits

Floats = npt.NDArray[np.float64]
Answers = Sequence[bool] | npt.NDArray[np.bool_]

#: The error of a careful reviewer's answer, against which carelessness is told.
USUAL_ERROR = 0.03
#: How often a careful reviewer or an even domain is named all the same, at most.
FALSE_ALARMS = 0.023
#: The last repeats that are looked at. Of 19, four that differ have a chance of 0.022; of 20 they have 0.026.
WINDOW = 19
#: Packets on each side of a turn, at least.
_LEAST_SIDE = 5
_DRAWS = 1_999


@dataclass(frozen=True)
class Repeats:
    """How often a repeated decision came out the same, and the error of an answer that follows from it.

    `agreement` and `error` are None without repeats. `error_between` holds the error in 90 % of cases; as people
    remember what they said, the whole interval is a lower bound.
    """

    same: int
    asked: int
    agreement: float | None
    agreement_between: tuple[float, float]
    error: float | None
    error_between: tuple[float, float]


def repeats(first: Answers, again: Answers, level: float = 0.9) -> Repeats:
    """What repeated decisions say of their answers: `first` (n,) and `again` (n,) of the same proposals.

    Two answers with independent errors ε, the same for approvals and rejections, agree with a = (1-ε)² + ε², so that
    ε = (1 - √(2a-1)) / 2 (Dawid & Skene 1979, doi:10.2307/2346806, with one rate of error). Below a = 0.5, ε is 0.5.

    Raises:
        ValueError: they are not the same number.
    """
    one, other = _paired(first, again)
    same, asked = int((one == other).sum()), len(one)
    low, high = limits.interval(same, asked, level) if asked else (0.0, 1.0)
    agreement = same / asked if asked else None
    error = None if agreement is None else error_of(agreement)
    return Repeats(same, asked, agreement, (low, high), error, (error_of(high), error_of(low)))


def error_of(agreement: float) -> float:
    """The error ε of an answer whose repeats agree so often: (1 - √(2a-1)) / 2, and 0.5 below a = 0.5."""
    return (1 - math.sqrt(max(0.0, 2 * agreement - 1))) / 2


@dataclass(frozen=True)
class Careless:
    """A reviewer whose last repeats differ too often: `differ` of `asked`, where `expected` of them would be usual.

    `p` is the chance that as many differ by usual errors alone.
    """

    differ: int
    asked: int
    expected: float
    p: float


def careless(differs: Answers, usual: float = USUAL_ERROR) -> Careless | None:
    """Do a reviewer's last repeats differ more often than usual errors explain? None where they do not.

    `differs` (n,), in order of time, tells of each repeat whether it was answered otherwise than at first. The last
    WINDOW are tested against 2ε(1-ε), exactly (binomial); where there are as many earlier ones, they raise what is
    usual for this reviewer to their lower 90 % limit.
    """
    from scipy.special import bdtrc  # noqa: PLC0415 (a heavy import)

    told = np.asarray(differs, bool)
    before, last = told[:-WINDOW], told[-WINDOW:]
    rate = 2 * usual * (1 - usual)
    if len(before) >= WINDOW:
        rate = max(rate, limits.at_least(int(before.sum()), len(before)))
    differ = int(last.sum())
    p = float(bdtrc(differ - 1, len(last), rate)) if differ else 1.0
    return Careless(differ, len(last), rate * len(last), p) if p <= FALSE_ALARMS else None


@dataclass(frozen=True)
class Turn:
    """A fall of what was even before: from `before` to `after`, on average, beginning with value number `at`.

    `p` is the chance of as sharp a fall where the order in time means nothing.
    """

    at: int
    before: float
    after: float
    p: float


def turned(values: npt.ArrayLike, most: float = FALSE_ALARMS, seed: int = 0) -> Turn | None:
    """Where a domain's taste turned, or a reviewer's: None unless the values fell once with p ≤ `most`.

    `values` (n,) say of each packet, in order of time, how far its decisions agree with the generation that could
    not have learned from them: the share of (approved, rejected) pairs in the right order, say. Of all splits with
    5 values on each side the sharpest standardised fall √(ij/n) (mean before - mean after) is taken, and compared
    with that of the values in random orders (permutation test of a change, Antoch & Hušková 2001,
    Statistics & Probability Letters 53). With d domains, give `most` / d.
    """
    series = np.asarray(values, float)
    if len(series) < 2 * _LEAST_SIDE:
        return None
    orders = np.random.default_rng(seed).permuted(np.tile(series, (_DRAWS, 1)), axis=1)
    falls = _falls(series[None])[0]
    p = (1 + int((_falls(orders).max(axis=1) >= falls.max() - 1e-12).sum())) / (_DRAWS + 1)
    if p > most:
        return None
    at = _LEAST_SIDE + int(falls.argmax())
    return Turn(at, float(series[:at].mean()), float(series[at:].mean()), p)


def _falls(series: Floats) -> Floats:
    """The standardised fall at every split; (rows, n) to (rows, splits)."""
    count = series.shape[1]
    left = np.arange(_LEAST_SIDE, count - _LEAST_SIDE + 1)
    sums = series.cumsum(axis=1)
    before = sums[:, left - 1] / left
    after = (sums[:, -1:] - sums[:, left - 1]) / (count - left)
    return np.asarray(np.sqrt(left * (count - left) / count) * (before - after))


@dataclass(frozen=True)
class Between:
    """Two reviewers of the same proposals: Cohen's `kappa`, its interval, and where they `disagree` (positions).

    `kappa` is None where both always gave one and the same answer: chance alone agrees as much.
    """

    asked: int
    kappa: float | None
    between: tuple[float, float] | None
    disagree: tuple[int, ...]


def between(one: Answers, other: Answers) -> Between:
    """How far two reviewers agree beyond chance; `one` (n,) and `other` (n,) answered the same proposals.

    κ = (p_o - p_e) / (1 - p_e), with p_o the share that agrees and p_e what chance would (Cohen 1960,
    doi:10.1177/001316446002000104). The interval draws proposals again.

    Raises:
        ValueError: they are not the same number.
    """
    from sklearn.metrics import cohen_kappa_score  # noqa: PLC0415 (a heavy import)

    left, right = _paired(one, other)
    disagree = tuple(int(at) for at in np.flatnonzero(left != right))
    if len(np.unique([left, right])) < 2:
        return Between(len(left), None, None, disagree)
    cells = np.stack([left & right, left & ~right, ~left & right, ~left & ~right], axis=1)
    return Between(len(left), float(cohen_kappa_score(left, right)), limits.bootstrap(cells, _kappa), disagree)


def _kappa(cells: Floats) -> Floats:
    """Kappa of tables (draws, 4): both approve, one alone, the other alone, neither."""
    yes, one, other, no = (cells / cells.sum(axis=1, keepdims=True)).T
    chance = (yes + one) * (yes + other) + (no + one) * (no + other)
    return np.asarray((yes + no - chance) / (1 - chance))


def _paired(one: Answers, other: Answers) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    left, right = np.asarray(one, bool), np.asarray(other, bool)
    if left.shape != right.shape:
        raise ValueError(f"{len(left)} answers beside {len(right)}")
    return left, right
