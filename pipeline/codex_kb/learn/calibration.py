"""The chance that a proposal is approved: shown only where it says more than the past rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codex_kb.learn import limits

Floats = npt.NDArray[np.float64]
Answers = Sequence[bool] | npt.NDArray[np.bool_]

_STEEPEST = 10.0
_WIDEST = 60.0


@dataclass(frozen=True)
class Chance:
    """σ(intercept + slope (score - centre) / deviation): `slope` is learned, the intercept follows from a rate."""

    slope: float
    centre: float
    deviation: float

    def at(self, scores: npt.ArrayLike, rate: float) -> Floats:
        """The chances of approval, shape (n,); on average over these scores they are `rate`, in (0, 1)."""
        steep = self.slope * (np.asarray(scores, float) - self.centre) / self.deviation
        return _sigmoid(_intercept(steep, rate) + steep)


def learned(scores: npt.ArrayLike, approved: Answers) -> Chance | None:
    """The chance of approval by score, (n,) each: a logistic curve with one free parameter; None where both verdicts
    are not there or scores are all the same.

    The slope b ≥ 0 minimises log loss + b²/2 for scores scaled to standard deviation 1, with the intercept always
    such that chances are the rate of approval on average (logistic calibration, Platt 1999, with a normal prior in
    place of smoothed targets). Scores that say nothing get slope 0: everywhere the rate.
    """
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 (a heavy import)

    given, answers = np.asarray(scores, float), np.asarray(approved, bool)
    deviation = float(given.std()) if len(given) else 0.0
    if deviation <= 1e-12 or answers.all() or not answers.any():
        return None
    centre, rate = float(given.mean()), float(answers.mean())
    scaled = (given - centre) / deviation

    def lost(slope: float) -> float:
        logits = _intercept(slope * scaled, rate) + slope * scaled
        return float(np.logaddexp(0, np.where(answers, -logits, logits)).sum() + slope**2 / 2)

    best = float(minimize_scalar(lost, bounds=(0.0, _STEEPEST), method="bounded").x)
    return Chance(best if lost(best) < lost(0.0) else 0.0, centre, deviation)


def _intercept(steep: Floats, rate: float) -> float:
    """Where the mean of σ(intercept + steep) is the rate, by halving."""
    low = math.log(rate / (1 - rate)) - float(steep.max())
    high = math.log(rate / (1 - rate)) - float(steep.min())
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _sigmoid(middle + steep).mean() < rate else (low, middle)
    return (low + high) / 2


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -_WIDEST, _WIDEST))))


def past_rate(approved: int, decided: int) -> float:
    """The rate of approval so far, never 0 or 1: (approved + 1) / (decided + 2) (Laplace's rule of succession)."""
    return (approved + 1) / (decided + 2)


@dataclass(frozen=True)
class Beside:
    """The Brier score of chances, and that of the past rate: mean squared errors, in which less is better.

    `gain` is the interval of (rate's - chances'), None where there are too few sources to say.
    """

    brier: float
    of_rate: float
    gain: tuple[float, float] | None

    @property
    def shown(self) -> bool:
        """May people see the chances? Only where they beat the rate beyond chance."""
        return self.gain is not None and self.gain[0] > 0


def beside_rate(
    chances: npt.ArrayLike, rates: npt.ArrayLike, approved: Answers, sources: Sequence[str]
) -> Beside | None:
    """How chances (n,) that were told before these decisions fared beside the past rate, one number or (n,).

    Brier score, Σ (chance - approved)² / n (Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2); the
    interval draws `sources` (n,) again. None without decisions.
    """
    answers = np.asarray(approved, float)
    if not len(answers):
        return None
    errors = (np.asarray(chances, float) - answers) ** 2
    of_rate = (np.broadcast_to(np.asarray(rates, float), answers.shape) - answers) ** 2
    of_source = np.unique(np.asarray(sources), return_inverse=True)[1]
    totals = np.stack([np.bincount(of_source, of_rate - errors), np.bincount(of_source)], axis=1)
    gain = limits.bootstrap(totals, lambda sums: sums[:, 0] / sums[:, 1])
    return Beside(float(errors.mean()), float(of_rate.mean()), gain)
