"""Decisions as what can be learned from: which count, in which numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from codex_kb.learn.ranker import Floats, Group
from codex_kb.records import Decision

#: What is said of a proposal that may be as good as another: nothing of what the reviewer wants.
_SAYS_NOTHING = frozenset({"duplicate", "removed"})
#: How a decision came about that says nothing of the proposer's choice.
_OTHERWISE = ("explored", "repeat_of", "bulk")
#: The untaught score, and the one of the generation that filled the packet too.
SCORE, TAUGHT = "score", "taught"


def judges(decision: Decision) -> bool:
    """Does this say whether the proposal is wanted? A repeat says how sure its answer is, one in bulk nothing."""
    judged = decision.verdict == "approved" or decision.reason not in _SAYS_NOTHING
    return judged and not (decision.shown.get("repeat_of") or decision.shown.get("bulk"))


def chosen(decision: Decision) -> bool:
    """Was it the proposer's choice, judged by itself? Claims of people, what was mixed in, repeats and bulk are not."""
    return not decision.missed and not any(decision.shown.get(name) for name in _OTHERWISE)


def teaches(decision: Decision) -> bool:
    """Is this a lesson? What was blind or mixed in measures, and is never learned from."""
    return judges(decision) and not (decision.shown.get("blind") or decision.shown.get("explored"))


def key(decision: Decision) -> str:
    """What a lesson is known by: the proposal's id and what was decided, which is another lesson decided otherwise."""
    return decision.id + ("+" if decision.verdict == "approved" else "-")


def names(decisions: Iterable[Decision]) -> tuple[str, ...]:
    """The plain features that decisions tell, in order."""
    return tuple(sorted({name for each in decisions for name in each.features} - {SCORE, TAUGHT}))


def title(decision: Decision) -> str:
    """What is embedded of a decision: the title as it was proposed."""
    return str(decision.proposal.get("title", "")) or decision.title


def plain(features: Mapping[str, float], named: Sequence[str]) -> list[float]:
    """Features in order; one that is not told is 0."""
    return [features.get(name, 0.0) for name in named]


def groups(
    decisions: Iterable[Decision], named: Sequence[str], vectors: Mapping[str, Floats], agents: Mapping[str, str]
) -> list[Group]:
    """The decisions of each source; `vectors` has the vector (dimension,) of each title, `agents` who has a domain."""
    of: dict[str, list[Decision]] = {}
    for each in decisions:
        of.setdefault(each.source, []).append(each)
    return [_group(source, some, named, vectors, agents) for source, some in sorted(of.items())]


def specialty(domain: str, agents: Mapping[str, str]) -> str:
    """Who judges a domain: the agent that has it, or the domain itself; empty where there is none."""
    name = domain.strip().casefold()
    return agents.get(name, name)


def specialist(some: Iterable[Decision], agents: Mapping[str, str]) -> str:
    """Who judges a source: told by the first domain among its proposals."""
    domains = (str(each.proposal.get("domain") or "") for each in some)
    return specialty(next(filter(None, domains), ""), agents)


def _group(
    source: str, some: Sequence[Decision], named: Sequence[str], vectors: Mapping[str, Floats],
    agents: Mapping[str, str],
) -> Group:  # fmt: skip
    return Group(
        source,
        np.array([each.features.get(SCORE, 0.0) for each in some]),
        np.array([plain(each.features, named) for each in some]).reshape(len(some), len(named)),
        np.array([vectors[title(each)] for each in some], np.float64),
        np.array([each.verdict == "approved" for each in some]),
        specialist(some, agents),
    )
