"""Are these vectors like those of before? A source's sentences are alike, so it changes places whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Below this chance, drift is said, and triage is off.
DRIFTED = 0.01
#: Vectors that are compared, of each side, at most; evenly chosen where there are more.
_MOST = 3_000
_DRAWS = 1_999


@dataclass(frozen=True)
class Drift:
    """The energy `distance` of two sets, 0 where they are alike; `p` is the chance of as much among like sources."""

    distance: float
    p: float

    @property
    def drifted(self) -> bool:
        """Is it more than chance?"""
        return self.p < DRIFTED


def drift(
    before: npt.ArrayLike, sources_before: Sequence[str], after: npt.ArrayLike, sources_after: Sequence[str],
    seed: int = 0,
) -> Drift | None:  # fmt: skip
    """How far two sets of vectors, (n, dimension) and (m, dimension), lie apart; None with one source on a side.

    The energy distance is 2E|X-Y| - E|X-X'| - E|Y-Y'| (Székely & Rizzo 2013, doi:10.1016/j.jspi.2013.03.018). Here X'
    comes from another source than X, and sources weigh the same: neither how long sources are nor how alike their
    sentences are makes a distance. Its chance comes from giving whole sources to either side at random, as many as
    each had; the same seed gives the same chance. Five sources on each side are needed for p below 0.01: fewer can
    change places in too few ways.

    Raises:
        ValueError: a vector without a source.
    """
    left, right = _even(before, sources_before), _even(after, sources_after)
    if min(len(set(left[1])), len(set(right[1]))) < 2:
        return None
    means, is_left = _between_sources(left, right)
    rng = np.random.default_rng(seed)
    sides = np.vstack([is_left, rng.permuted(np.tile(is_left, (_DRAWS, 1)), axis=1)])
    distances = _distances(means, sides)
    as_far = int((distances[1:] >= distances[0] - 1e-12).sum())
    return Drift(max(0.0, float(distances[0])), (1 + as_far) / (_DRAWS + 1))


def _even(vectors: npt.ArrayLike, sources: Sequence[str]) -> tuple[Floats, list[str]]:
    rows = np.asarray(vectors, float)
    if len(rows) != len(sources):
        raise ValueError(f"{len(rows)} vectors beside {len(sources)} sources")
    step = max(1, -(-len(rows) // _MOST))
    return rows[::step], list(sources[::step])


def _between_sources(left: tuple[Floats, list[str]], right: tuple[Floats, list[str]]) -> tuple[Floats, Floats]:
    """Mean distances between the vectors of two sources (s, s), 0 within one, and 1 for each of the left side (s,).

    A source that is on both sides counts as two.
    """
    from scipy.spatial.distance import cdist  # noqa: PLC0415 (a heavy import)

    keys = [(0, name) for name in left[1]] + [(1, name) for name in right[1]]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    rows = np.concatenate([left[0], right[0]])[order]
    ordered = [keys[at] for at in order]
    starts = np.array([at for at, key in enumerate(ordered) if at == 0 or key != ordered[at - 1]])
    ends = [*starts[1:], len(rows)]
    sizes = np.diff([*starts, len(rows)])
    sums = np.array([
        np.add.reduceat(cdist(rows[start:end], rows).sum(axis=0), starts)
        for start, end in zip(starts, ends, strict=True)
    ])  # fmt: skip
    means = sums / np.outer(sizes, sizes)
    np.fill_diagonal(means, 0.0)
    return means, np.array([1.0 - ordered[start][0] for start in starts])


def _distances(means: Floats, sides: Floats) -> Floats:
    """The energy distance for every way of giving sources to sides (draws, s), each with as many; (draws,)."""
    rest = 1 - sides
    n, m = sides[0].sum(), rest[0].sum()
    across = ((sides @ means) * rest).sum(axis=1) / (n * m)
    inside = ((sides @ means) * sides).sum(axis=1) / (n * (n - 1)), ((rest @ means) * rest).sum(axis=1) / (m * (m - 1))
    return np.asarray(2 * across - inside[0] - inside[1])
