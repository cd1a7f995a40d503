"""One order beside another, on decisions that neither was trained on.

In each source with both verdicts it is told how often an order puts an approved proposal above a rejected one (AUC);
both orders meet the same decisions, and intervals draw sources again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from codex_kb.learn.audit import Estimate, mean
from codex_kb.learn.examples import SCORE, judges, plain, specialist, title
from codex_kb.learn.generation import Generation
from codex_kb.learn.limits import Floats
from codex_kb.learn.ranker import Ranker
from codex_kb.learn.trial import auc
from codex_kb.records import Decision

#: The vectors (dimension,) of titles.
Vectors = Mapping[str, Floats]


@dataclass(frozen=True)
class BesideGeneral:
    """The AUC of a specialist, that of the general order in the same sources, and how much the first is higher."""

    own: Estimate
    general: Estimate
    gain: Estimate


def beside_parent(
    child: Generation, parent: Generation | None, decisions: Iterable[Decision], vectors: Vectors
) -> Estimate:
    """How much higher the child's AUC is; without a parent it stands beside the untaught order.

    `decisions` are those that neither was trained on.
    """
    gains = []
    for source, some in _telling(decisions):
        one = _auc(child, child.ranker, some, vectors)
        other = _auc(parent, parent.ranker, some, vectors) if parent else _untaught(some)
        gains.append((source, one - other))
    return mean(gains)


def beside_general(
    generation: Generation, decisions: Iterable[Decision], vectors: Vectors, agents: Mapping[str, str]
) -> dict[str, BesideGeneral]:
    """Each specialist of a generation, by name, in its own sources; `agents` are those of domains, by domain.

    `decisions` are those that the generation was not trained on.
    """
    found: dict[str, list[tuple[str, float, float]]] = {name: [] for name in generation.specialists}
    for source, some in _telling(decisions):
        name = specialist(some, agents)
        if name in found:
            own, general = (
                _auc(generation, ranker, some, vectors)
                for ranker in (generation.specialists[name], generation.ranker)
            )  # fmt: skip
            found[name].append((source, own, general))
    return {
        name: BesideGeneral(
            mean([(source, own) for source, own, _ in rows]),
            mean([(source, general) for source, _, general in rows]),
            mean([(source, own - general) for source, own, general in rows]),
        )
        for name, rows in found.items()
    }


def _telling(decisions: Iterable[Decision]) -> Iterator[tuple[str, list[Decision]]]:
    """The decisions of each source in which something was approved and something rejected."""
    sources: dict[str, list[Decision]] = defaultdict(list)
    for each in decisions:
        if judges(each) and SCORE in each.features:
            sources[each.source].append(each)
    return ((source, some) for source, some in sorted(sources.items()) if len({each.verdict for each in some}) > 1)


def _auc(generation: Generation, ranker: Ranker, some: Sequence[Decision], vectors: Vectors) -> float:
    rows = np.array([plain(each.features, generation.names) for each in some]).reshape(len(some), -1)
    scores = ranker.score(_scores(some), rows, np.array([vectors[title(each)] for each in some], float))
    return auc(scores, _approved(some))


def _untaught(some: Sequence[Decision]) -> float:
    return auc(_scores(some), _approved(some))


def _scores(some: Sequence[Decision]) -> Floats:
    return np.array([each.features[SCORE] for each in some])


def _approved(some: Sequence[Decision]) -> np.typing.NDArray[np.bool_]:
    return np.array([each.verdict == "approved" for each in some])
