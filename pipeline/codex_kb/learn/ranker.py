"""What reviewers prefer among the proposals of one source, as a correction of the untaught score.

Over all pairs (approved, rejected) of a source, v minimises

    sum w log(1 + exp(-(SCALE ds + dx·v))) + v'Pv / 2,    w = 1 / number rejected,    P = diag(1 / tau^2)

which is RankNet (Burges et al. 2005, doi:10.1145/1102351.1102363) as a MAP estimate, anchored at the untaught
score s: without evidence v stays 0. x are plain features, scaled to standard deviation 1, and the principal
components of (vector - the source's mean), all scaled by one factor that gives the first standard deviation 1.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SCALE = 0.8
COMPONENTS = 64
TAUS_PLAIN = (0.1, 0.3, 1.0)
TAUS_EMBEDDED = (0.03, 0.3, 1.0)
FOLDS = 5
#: Pairs of one source that are looked at, at most: evenly chosen where there are more.
_MOST_PAIRS = 2_000
_STEPS = 30
_CLOSE = 1e-10


@dataclass(frozen=True)
class Group:
    """The decided proposals of one source.

    `scores` (n,) are untaught, `plain` (n, features), `vectors` (n, dimension) of the titles; `approved` (n,).
    `specialty` names the specialist for it, empty for none.
    """

    source: str
    scores: Floats
    plain: Floats
    vectors: Floats
    approved: npt.NDArray[np.bool_]
    specialty: str = ""

    @property
    def teaches(self) -> bool:
        """Are there both verdicts?"""
        return bool(self.approved.any() and not self.approved.all())


@dataclass(frozen=True)
class Ranker:
    """A learned preference: `plain` (features,) per unit of a feature, `direction` (dimension,) for the vector."""

    plain: Floats
    direction: Floats
    tau_plain: float = 0.0
    tau_embedded: float = 0.0

    def score(self, scores: Floats, plain: Floats, vectors: Floats) -> Floats:
        """The taught scores, in the unit of the untaught; shape (n,). What is equal for a whole source is left out."""
        return scores + (plain @ self.plain + vectors @ self.direction) / SCALE


@dataclass(frozen=True)
class Space:
    """The features as they are learned on: what they are scaled by (features,), and the components (k, dimension)."""

    scale: Floats
    components: Floats

    @classmethod
    def of(cls, groups: Sequence[Group]) -> Space:
        """Fit to the proposals of these sources."""
        plain = np.concatenate([group.plain for group in groups])
        centred = np.concatenate([group.vectors - group.vectors.mean(axis=0) for group in groups])
        deviation = plain.std(axis=0)
        _, sizes, rows = np.linalg.svd(centred, full_matrices=False)
        kept = int(min(COMPONENTS, (sizes > 1e-9 * max(sizes[0], 1e-9)).sum()))
        first = sizes[0] / np.sqrt(len(centred)) if kept else 1.0
        return cls(np.where(deviation > 1e-9, deviation, np.inf), rows[:kept] / first)

    def ranker(self, v: Floats, tau_plain: float, tau_embedded: float) -> Ranker:
        """What v (features + k,) says of a proposal, in its own units."""
        features = len(self.scale)
        return Ranker(v[:features] / self.scale, v[features:] @ self.components, tau_plain, tau_embedded)

    def rows(self, group: Group) -> Floats:
        """A source's proposals; shape (n, features + k)."""
        return np.hstack([group.plain / self.scale, group.vectors @ self.components.T])


@dataclass(frozen=True)
class Pairs:
    """Differences (approved - rejected): `scores` (n,), `rows` (n, d), `weights` (n,)."""

    scores: Floats
    rows: Floats
    weights: Floats

    @classmethod
    def of(cls, groups: Sequence[Group], space: Space) -> Pairs:
        """All pairs of these sources."""
        found = [_pairs(group, space.rows(group)) for group in groups]
        return cls(*(np.concatenate(part) for part in zip(*found, strict=True)))

    def loss(self, v: Floats) -> float:
        """The loss of all pairs."""
        return float(self.weights @ np.logaddexp(0, -(SCALE * self.scores + self.rows @ v)))

    def derivatives(self, v: Floats) -> tuple[Floats, Floats]:
        """The loss's gradient (d,) and Hessian (d, d)."""
        chance = 1 / (1 + np.exp(np.clip(SCALE * self.scores + self.rows @ v, -500, 500)))  # of the wrong order
        curved = self.rows.T @ (self.rows * (self.weights * chance * (1 - chance))[:, None])
        return -self.rows.T @ (self.weights * chance), curved


def _pairs(group: Group, rows: Floats) -> tuple[Floats, Floats, Floats]:
    yes, no = np.flatnonzero(group.approved), np.flatnonzero(~group.approved)
    left, right = (side.ravel() for side in np.meshgrid(yes, no, indexing="ij"))
    step = -(-len(left) // _MOST_PAIRS)
    left, right = left[::step], right[::step]
    weights = np.full(len(left), len(yes) / max(1, len(left)))
    return group.scores[left] - group.scores[right], rows[left] - rows[right], weights


def fit(groups: Sequence[Group]) -> Ranker | None:
    """What these sources' decisions teach; None where fewer than two of them have both verdicts."""
    taught = [group for group in groups if group.teaches]
    if len(taught) < 2:
        return None
    space = Space.of(taught)
    tau_plain, tau_embedded = _scales(taught, space)
    v = solve(Pairs.of(taught, space), precision(space, tau_plain, tau_embedded))
    return space.ranker(v, tau_plain, tau_embedded)


def _scales(groups: Sequence[Group], space: Space) -> tuple[float, float]:
    """The scales whose held-out pairs lose least, by folds over sources."""
    parts = folds(groups)
    sides = [
        (Pairs.of([g for at, other in enumerate(parts) if at != held for g in other], space), Pairs.of(part, space))
        for held, part in enumerate(parts)
    ]

    def lost(taus: tuple[float, float]) -> float:
        stiff = precision(space, *taus)
        return sum(held.loss(solve(rest, stiff)) for rest, held in sides)

    return min(product(TAUS_PLAIN, TAUS_EMBEDDED), key=lost)


def folds(groups: Sequence[Group]) -> list[list[Group]]:
    """Sources in at most FOLDS parts of about the same size, told by their names alone."""
    ordered = sorted(groups, key=lambda group: (zlib.crc32(group.source.encode()), group.source))
    return [ordered[at :: min(FOLDS, len(ordered))] for at in range(min(FOLDS, len(ordered)))]


def precision(space: Space, tau_plain: float, tau_embedded: float) -> Floats:
    """The diagonal of P; shape (features + k,)."""
    return np.concatenate([
        np.full(len(space.scale), tau_plain**-2), np.full(len(space.components), tau_embedded**-2)
    ])  # fmt: skip


def solve(pairs: Pairs, precision: Floats) -> Floats:
    """The v (d,) with the least loss and prior."""

    def value(v: Floats) -> float:
        return pairs.loss(v) + float(v @ (precision * v)) / 2

    def step(v: Floats) -> Floats:
        slope, curved = pairs.derivatives(v)
        return np.asarray(np.linalg.solve(curved + np.diag(precision), precision * v + slope), np.float64)

    return minimum(np.zeros(len(precision)), value, step)


def minimum(start: Floats, value: Callable[[Floats], float], step: Callable[[Floats], Floats]) -> Floats:
    """Where a convex function is least, by Newton's method with halved steps; `step` is what Newton subtracts."""
    v, now = start, value(start)
    for _ in range(_STEPS):
        move, size = step(v), 1.0
        while (then := value(v - size * move)) > now and size > _CLOSE:
            size /= 2
        v = v - size * move
        if now - then <= _CLOSE * max(1.0, abs(now)):
            break
        now = then
    return v
