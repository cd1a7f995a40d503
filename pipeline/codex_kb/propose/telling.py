"""Which decisions a language model is shown: of those near a source, the ones that tell it most."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from statistics import median

from codex_kb.learn.examples import SCORE
from codex_kb.records import Decision

#: Of so many times the number wanted, the nearest, the most telling are chosen.
_NEAREST = 4


def unforeseen(decisions: Iterable[Decision]) -> set[str]:
    """The ids of decisions that the untaught order would not have foreseen.

    Within what one proposer made of a source, an approval below the middle of the scores, and a rejection above it;
    and a claim that nobody proposed.
    """
    found: set[str] = set()
    scored: dict[tuple[str, str], list[Decision]] = {}
    for each in decisions:
        if each.missed:
            found.add(each.id)
        elif SCORE in each.features:
            scored.setdefault((each.source, each.proposer), []).append(each)
    for some in scored.values():
        middle = median(each.features[SCORE] for each in some)
        for each in some:
            above = each.features[SCORE] - middle
            if (above < 0) if each.verdict == "approved" else (above > 0):
                found.add(each.id)
    return found


def chosen(
    nearest: Sequence[Decision], odd: Collection[str], most: int, room: int, tokens: Callable[[Decision], int]
) -> list[Decision]:  # fmt: skip
    """At most `most` of the decisions, given nearest first, that take `room` tokens together; the most telling first.

    What was not foreseen (`odd`, ids) tells more, and so does a rejection that says why in words of its own.
    """
    found: list[Decision] = []
    for each in sorted(nearest[: _NEAREST * most], key=lambda each: -_tells(each, odd)):
        if len(found) < most and tokens(each) <= room:
            found.append(each)
            room -= tokens(each)
    return found


def _tells(decision: Decision, odd: Collection[str]) -> int:
    in_words = decision.verdict == "rejected" and len(decision.reason.split()) > 1
    return (decision.id in odd) + in_words
