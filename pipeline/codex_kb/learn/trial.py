"""May a learner be relied on? Decided by packets that it and the untaught order filled by turns.

Such packets (team-draft interleaving, Radlinski, Kurup & Joachims 2008, doi:10.1145/1458082.1458092) favour neither:
in those that one order filled alone the other looks better than it is. In each the area under the ROC curve of the
taught scores is set against that of the untaught ones (paired, within the packet); a learner is relied on once the
one-sided 90 % lower limit of the mean difference (Student's t) is above 0, over at least 5 packets with both verdicts.
All generations of a knowledge base are of one learner: the record outlives each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from codex_kb.learn.examples import SCORE, TAUGHT, teaches
from codex_kb.learn.ranker import Floats
from codex_kb.records import Decision

LEAST = 5
CONFIDENCE = 0.9


@dataclass(frozen=True)
class Record:
    """How the taught order did beside the untaught one: packets with both verdicts, the mean gain and its low limit."""

    packets: int = 0
    gain: float | None = None
    low: float | None = None

    @property
    def relied_on(self) -> bool:
        """May the learner's generations take over?"""
        return self.packets >= LEAST and self.low is not None and self.low > 0


def record(decisions: Iterable[Decision]) -> Record:
    """What these decisions say; those that were not on trial are left out."""
    packets: dict[tuple[str, str], list[Decision]] = {}
    for each in decisions:
        if each.shown.get("trial") and teaches(each) and {SCORE, TAUGHT} <= each.features.keys():
            packets.setdefault((each.source, str(each.shown["trial"])), []).append(each)
    gains = [gain for some in packets.values() if (gain := _gain(some)) is not None]
    if len(gains) < 2:
        return Record(len(gains), gains[0] if gains else None)
    from scipy import stats  # noqa: PLC0415

    mean, error = float(np.mean(gains)), float(np.std(gains, ddof=1)) / len(gains) ** 0.5
    return Record(len(gains), mean, mean - float(stats.t.ppf(CONFIDENCE, len(gains) - 1)) * error)


def _gain(some: Sequence[Decision]) -> float | None:
    approved = np.array([each.verdict == "approved" for each in some])
    if approved.all() or not approved.any():
        return None
    taught, untaught = (np.array([each.features[name] for each in some]) for name in (TAUGHT, SCORE))
    return auc(taught, approved) - auc(untaught, approved)


def auc(scores: Floats, approved: np.typing.NDArray[np.bool_]) -> float:
    """The chance that an approved one is scored above a rejected one; equal scores count half."""
    above = scores[approved][:, None] - scores[~approved][None, :]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))
