"""Specialists by partial pooling: what a domain prefers beyond what all prefer.

    v_domain = v + u_domain,    v ~ N(0, 1/P),    u_domain ~ N(0, 1/Q)

with the loss of `ranker`, its P, and a Q of the same form; v and all u are found together, so that a domain of few
decisions stays near the general order and one of many goes its own way. The scales of Q are chosen by the evidence in
Laplace's approximation (MacKay 1992, doi:10.1162/neco.1992.4.3.415), against the model that has no specialists:

    log E = -loss(v, u) - prior(v, u) - log det H / 2 + log det P, Q / 2,    H the Hessian at the minimum.

H is an arrow: each u meets v alone, so that each is eliminated by itself (Schur complement).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from codex_kb.learn import ranker
from codex_kb.learn.ranker import Floats, Group, Pairs, Ranker, Space

#: Sources with both verdicts that a specialist needs.
LEAST = 2


@dataclass(frozen=True)
class Pooled:
    """The general order, and the specialists' by name; none where one order serves all."""

    general: Ranker
    specialists: Mapping[str, Ranker] = field(default_factory=dict)

    def of(self, name: str) -> Ranker:
        """The order for a specialty: the general one where it has none of its own."""
        return self.specialists.get(name, self.general)


@dataclass(frozen=True)
class _Found:
    """A minimum: `general` (d,), `own` (specialists, d), and the log of its evidence."""

    general: Floats
    own: Floats
    evidence: float


def fit(groups: Sequence[Group]) -> Pooled | None:
    """What these sources' decisions teach; None where fewer than two of them have both verdicts."""
    general = ranker.fit(groups)
    if general is None:
        return None
    taught = [group for group in groups if group.teaches]
    counts = Counter(group.specialty for group in taught if group.specialty)
    names = sorted(name for name, count in counts.items() if count >= LEAST)
    if len(names) < 2:
        return Pooled(general)
    space = Space.of(taught)
    stiff = ranker.precision(space, general.tau_plain, general.tau_embedded)
    parts = [Pairs.of([g for g in taught if g.specialty == name], space) for name in names]
    rest = [g for g in taught if g.specialty not in names]
    shared = [Pairs.of(rest, space)] if rest else []
    alone = _solve([*shared, *parts], [], stiff, stiff)
    scales = product(ranker.TAUS_PLAIN, ranker.TAUS_EMBEDDED)
    best = max((_solve(shared, parts, stiff, ranker.precision(space, *each)) for each in scales),
               key=lambda found: found.evidence)  # fmt: skip
    if best.evidence <= alone.evidence:
        return Pooled(general)
    taus = general.tau_plain, general.tau_embedded
    made = {name: space.ranker(best.general + own, *taus) for name, own in zip(names, best.own, strict=True)}
    return Pooled(space.ranker(best.general, *taus), made)


def _solve(shared: Sequence[Pairs], parts: Sequence[Pairs], stiff: Floats, loose: Floats) -> _Found:
    """The minimum by Newton's method with halved steps; `shared` pairs know v alone, each of `parts` has its own u.

    `stiff` and `loose` (d,) are the diagonals of P and Q.
    """

    def value(at: Floats) -> float:
        v, own = at[0], at[1:]
        lost = [p.loss(v) for p in shared] + [p.loss(v + u) for p, u in zip(parts, own, strict=True)]
        return float(sum(lost) + v @ (stiff * v) / 2 + (own * own @ loose).sum() / 2)

    def step(at: Floats) -> Floats:
        move, moves, _ = _newton(shared, parts, at[0], at[1:], stiff, loose)
        return np.vstack([move, moves])

    found = ranker.minimum(np.zeros((1 + len(parts), len(stiff))), value, step)
    _, _, curvature = _newton(shared, parts, found[0], found[1:], stiff, loose)
    prior = np.log(stiff).sum() + len(parts) * np.log(loose).sum()
    return _Found(found[0], found[1:], float(-value(found) - curvature / 2 + prior / 2))


def _newton(
    shared: Sequence[Pairs], parts: Sequence[Pairs], v: Floats, own: Floats, stiff: Floats, loose: Floats
) -> tuple[Floats, Floats, float]:
    """The step of v (d,), those of the u (specialists, d), and the log determinant of the Hessian."""
    slope, schur, log_det = stiff * v, np.diag(stiff), 0.0
    for pairs in shared:
        down, curved = pairs.derivatives(v)
        slope, schur = slope + down, schur + curved
    right, kept = slope, []
    for pairs, u in zip(parts, own, strict=True):
        down, curved = pairs.derivatives(v + u)
        block = curved + np.diag(loose)
        solved = np.linalg.solve(block, np.column_stack([curved, down + loose * u]))
        schur = schur + curved - curved @ solved[:, :-1]
        right = right + down - curved @ solved[:, -1]
        kept.append(solved)
        log_det += np.linalg.slogdet(block)[1]
    step = np.asarray(np.linalg.solve(schur, right), np.float64)
    steps = np.zeros_like(own)
    for at, solved in enumerate(kept):
        steps[at] = solved[:, -1] - solved[:, :-1] @ step
    return step, steps, float(log_det + np.linalg.slogdet(schur)[1])
