"""What is on record about people: how they answer what they are asked again, what two of them say, who changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from codex_kb.learn import people
from codex_kb.learn.audit import score_of
from codex_kb.learn.examples import TAUGHT, judges
from codex_kb.learn.people import Between, Repeats
from codex_kb.learn.trial import auc
from codex_kb.records import Decision


@dataclass(frozen=True)
class Reviewer:
    """One person: what they decided, how they answered again, and in what they changed, a sentence each."""

    name: str
    decisions: int
    repeats: Repeats
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """Two people who met the same proposals; `disagree` are (id, title) of those that one approved alone."""

    names: tuple[str, str]
    between: Between
    disagree: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class People:
    """All reviewers, the pairs that met, and domains whose taste turned, a sentence each by name."""

    reviewers: tuple[Reviewer, ...] = ()
    pairs: tuple[Pair, ...] = ()
    turned: tuple[tuple[str, str], ...] = ()


def of(decisions: Sequence[Decision], domains: Mapping[str, str]) -> People:
    """What these decisions say, every line that counts; `domains` are theirs, by id."""
    lines = sorted(decisions, key=lambda each: (each.time, each.id))
    answers = _answers(lines)
    counted = [each for each in lines if not each.shown.get("repeat_of")]
    packets = list(_packets(counted))
    by_name = _series(packets, lambda some: some[0].reviewer)
    by_domain = _series(packets, lambda some: domains.get(some[0].id, ""))
    most = people.FALSE_ALARMS / max(1, len(by_name) + len(by_domain))
    turned = {name: said for name, series in by_name.items() if (said := _turn(series, most))}
    reviewers = tuple(
        _reviewer(name, counted, answers, turned.get(name, "")) for name in sorted({each.reviewer for each in lines})
    )
    of_domains = tuple((name, said) for name, series in sorted(by_domain.items()) if (said := _turn(series, most)))
    return People(reviewers, _pairs(answers, lines), of_domains)


def _answers(lines: Iterable[Decision]) -> dict[str, list[Decision]]:
    """Each proposal's answers, repeats among them, in order of time."""
    found: dict[str, list[Decision]] = defaultdict(list)
    for each in lines:
        found[str(each.shown.get("repeat_of") or each.id)].append(each)
    return found


def _reviewer(
    name: str, counted: Iterable[Decision], answers: Mapping[str, Sequence[Decision]], turned: str
) -> Reviewer:
    again = sorted((
        (each.time, before.verdict == "approved", each.verdict == "approved")
        for some in answers.values() for at, each in enumerate(some)
        if each.shown.get("repeat_of") and each.reviewer == name and (before := _before(some[:at], name))
    ))  # fmt: skip
    first, second = [one for _, one, _ in again], [other for _, _, other in again]
    careless = people.careless([one != other for one, other in zip(first, second, strict=True)])
    flags = [turned] if turned else []
    if careless:
        flags.insert(0, f"careless: {careless.differ} of the last {careless.asked} repeats came out otherwise, where "
                        f"{careless.expected:.1f} would be usual (p = {careless.p:.3f})")  # fmt: skip
    count = sum(each.reviewer == name for each in counted)
    return Reviewer(name, count, people.repeats(first, second), tuple(flags))


def _before(some: Sequence[Decision], name: str) -> Decision | None:
    """What a person said last of a proposal."""
    return next((each for each in reversed(some) if each.reviewer == name), None)


def _pairs(answers: Mapping[str, Sequence[Decision]], lines: Iterable[Decision]) -> tuple[Pair, ...]:
    """Two people about one proposal, each by what they said first."""
    titles = {each.id: each.title for each in lines}
    met: dict[tuple[str, str], list[tuple[str, bool, bool]]] = defaultdict(list)
    for proposal, some in answers.items():
        said = {each.reviewer: each.verdict == "approved" for each in reversed(some)}
        for one, other in combinations(sorted(said), 2):
            met[one, other].append((proposal, said[one], said[other]))
    found = []
    for names, both in sorted(met.items()):
        between = people.between([one for _, one, _ in both], [other for _, _, other in both])
        disagree = tuple((both[at][0], titles.get(both[at][0], "")) for at in between.disagree)
        found.append(Pair(names, between, disagree))
    return tuple(found)


def _packets(counted: Iterable[Decision]) -> Iterable[list[Decision]]:
    """What one person decided of one source, in order of time; only where scores were recorded."""
    found: dict[tuple[str, str], list[Decision]] = defaultdict(list)
    for each in counted:
        if judges(each) and not each.missed and _score(each) is not None:
            found[each.source, each.reviewer].append(each)
    return sorted(found.values(), key=lambda some: (some[0].time, some[0].id))


def _score(decision: Decision) -> float | None:
    """By the generation that showed it."""
    return score_of(decision.features, TAUGHT if TAUGHT in decision.features else "")


def _series(packets: Iterable[Sequence[Decision]], name: Callable[[Sequence[Decision]], str]) -> dict[str, list[float]]:
    """How far packets agree with the order that they were shown in (AUC), by a name of theirs."""
    found: dict[str, list[float]] = defaultdict(list)
    for some in packets:
        approved = np.array([each.verdict == "approved" for each in some])
        if approved.any() and not approved.all():
            scores = np.array([_score(each) for each in some], float)
            found[name(some)].append(auc(scores, approved))
    return {name: series for name, series in found.items() if name}


def _turn(series: Sequence[float], most: float) -> str:
    """What changed, in a sentence; empty where nothing did."""
    found = people.turned(series, most)
    if found is None:
        return ""
    return (f"turned: from packet {found.at + 1} of {len(series)} on, decisions agree with the order shown in "
            f"{found.after:.2f} of pairs, before in {found.before:.2f} (p = {found.p:.3f})")  # fmt: skip
