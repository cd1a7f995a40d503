"""Scores of what was approved, each by what the other sources teach: how proposals that nobody saw yet will be scored.

Only the sentence counts: with features of whole sources more approvals are lost, in order of time, than was said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from codex_kb.learn import ranker
from codex_kb.learn.ranker import Floats, Group, Ranker


@dataclass(frozen=True)
class Scorer:
    """Scores that can be compared between sources and between learners: what was learned adds 0 on average."""

    ranker: Ranker
    mean: float

    def score(self, scores: Floats, plain: Floats, vectors: Floats) -> Floats:
        """The scores of proposals with these untaught scores, features and vectors of titles; shape (n,)."""
        return self.ranker.score(scores, plain, vectors) - self.mean


def scorer(groups: Sequence[Group]) -> Scorer | None:
    """What these sources' decisions teach; None where they say nothing of what is preferred to what."""
    found = ranker.fit(groups)
    if found is None:
        return None
    added = [found.score(group.scores, group.plain, group.vectors) - group.scores for group in groups]
    return Scorer(found, float(np.concatenate(added).mean()))


def approved(groups: Sequence[Group]) -> Floats | None:
    """The held-out scores of all approvals, by folds over sources; None where a fold's others teach nothing."""
    parts = ranker.folds(groups)
    found = []
    for at, held in enumerate(parts):
        made = scorer([group for other, part in enumerate(parts) if other != at for group in part])
        if made is None:
            return None
        found += [made.score(g.scores, g.plain, g.vectors)[g.approved] for g in held]
    return np.concatenate(found) if found else None
