"""Why people reject: reasons grouped, and what could be said to a language model because of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from codex_kb.learn.examples import chosen
from codex_kb.records import Decision
from codex_kb.text.marks import one_line

#: A reason is worth a sentence from so many decisions on, and from this share of all.
LEAST, SHARE = 5, 0.1
#: Characters of a reason that are repeated.
_MOST = 200
_EXAMPLES = 2
#: Deleting a section gives no reason.
_NO_REASON = frozenset({"", "removed"})
_SENTENCES = {
    "trivial": "Leave out what is trivial: what nobody would dispute.",
    "vague": "Leave out what is vague: each title says what, how much or when, so that it can be wrong.",
    "unsupported": "Leave out what the quotes do not say: each quote alone shows that its title holds.",
    "wrong": "Leave out what the source says but does not show to be so.",
    "duplicate": "Leave out what a known claim says already, in other words too.",
    "two claims in one": "Put one claim into each title: split what joins two.",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Rejections with one reason, titles of the latest, and the sentence that could be told; is it worth one?"""

    reason: str
    count: int
    titles: tuple[str, ...]
    sentence: str
    enough: bool


def counts(decision: Decision) -> bool:
    """Does the decision say what people think of what was proposed? What is blind is there to measure."""
    return chosen(decision) and not decision.shown.get("blind")


def given(decision: Decision) -> str:
    """The reason of a rejection in one line; empty where there is none."""
    if decision.verdict != "rejected":
        return ""
    reason = one_line(decision.reason).rstrip(".!;: ")[:_MOST]
    return "" if reason.casefold() in _NO_REASON else reason


def groups(decisions: Sequence[Decision]) -> list[Group]:
    """The reasons that decisions give, in the order of time, the most frequent first; case does not tell two apart."""
    of: dict[str, list[Decision]] = {}
    for each in decisions:
        if reason := given(each):
            of.setdefault(reason.casefold(), []).append(each)
    enough = max(LEAST, SHARE * len(decisions))
    found = [_group(key, some, len(some) >= enough) for key, some in of.items()]
    return sorted(found, key=lambda group: (-group.count, group.reason))


def _group(key: str, some: Sequence[Decision], enough: bool) -> Group:
    reason = given(some[-1])
    titles = tuple(one_line(each.title) for each in some[-_EXAMPLES:])
    sentence = _SENTENCES.get(key, f"People reject claims with the reason \u201c{reason}\u201d: leave such claims out.")
    return Group(reason, len(some), titles, sentence, enough)


def with_sentences(instructions: str, sentences: Iterable[str]) -> str:
    """Instructions with further sentences; on lines of their own where the others stand so."""
    between = "\n" if "\n" in instructions.strip() else " "
    return between.join(filter(None, [instructions.rstrip(), *sentences]))
