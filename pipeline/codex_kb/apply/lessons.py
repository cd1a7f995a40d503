"""What decisions teach, as an act: a generation closed, and the one that is relied on put in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from codex_kb import acts
from codex_kb.acts import Act
from codex_kb.apply import log
from codex_kb.disk import gate
from codex_kb.disk.generations import EVENTS, Generations
from codex_kb.disk.transaction import Change, change
from codex_kb.errors import NotFound, UsageError
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import GENERATIONS
from codex_kb.learn import course, examples, generation, specialists, trial
from codex_kb.learn.course import Event
from codex_kb.learn.generation import Generation
from codex_kb.learn.specialists import Pooled
from codex_kb.learn.stand import Stand
from codex_kb.learn.trial import Record
from codex_kb.records import Decision, Problem
from codex_kb.review.standing import WITHDRAWN, later, standing
from codex_kb.text.marks import counted

_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Learned:
    """How the generations stand, and the act that closes the one that is due, if any."""

    stand: Stand
    act: Act | None = None


def learned(kb: KnowledgeBase, now: bool = False) -> Learned:
    """Close a generation where there are enough new lessons, or some and `now`. Writes nothing.

    Raises:
        RefusedFile: a generation's files hold none.
    """
    known = Generations(kb.layout.root)
    decisions = list(standing(log.everything(kb)).values())
    lessons = _lessons(decisions)
    heads, before = known.heads, _before(known)
    changed = len(lessons.keys() ^ before)
    record = trial.record(each for each in decisions if each.time > known.course.since)
    number = heads[-1].number if heads else 0
    so_far = Stand(number, course.number(known.course.in_force), len(before), changed,
                   record.packets, record.gain, record.low)  # fmt: skip
    if not changed or (changed < kb.settings.learn.every and not now):
        return Learned(so_far)
    made = _taught(kb, lessons, heads, before)
    if made is None:
        return Learned(so_far)
    return _closed(kb, known, made, record, so_far)


def untaught(kb: KnowledgeBase) -> int:
    """How many decisions came or were taken back since the newest generation. Raises RefusedFile."""
    return len(_lessons(standing(log.everything(kb)).values()).keys() ^ _before(Generations(kb.layout.root)))


def _lessons(decisions: Iterable[Decision]) -> dict[str, Decision]:
    return {examples.key(each): each for each in decisions if examples.teaches(each)}


def _before(known: Generations) -> set[str]:
    """What the newest generations were made from."""
    return set().union(*(known.lessons(head.name) for head in known.heads))


def _taught(
    kb: KnowledgeBase, lessons: Mapping[str, Decision], heads: Sequence[Generation], before: set[str]
) -> Generation | None:
    """The generation that these lessons make; None where they say nothing of what is preferred to what."""
    keys = lessons.keys()
    made = _fitted(kb, list(lessons.values()))
    if made is None:
        return None
    names, found = made
    number = 1 + max((head.number for head in heads), default=0)
    parents = tuple(head.name for head in heads)
    return Generation(
        number, generation.name_of(number, parents, keys, kb.encoder.name), parents, tuple(sorted(keys - before)),
        tuple(sorted(before - keys)), len(keys), kb.encoder.name, names, found.general, found.specialists,
    )  # fmt: skip


def _fitted(kb: KnowledgeBase, lessons: Sequence[Decision]) -> tuple[tuple[str, ...], Pooled] | None:
    """The features that lessons tell, and what they teach."""
    names = examples.names(lessons)
    titles = list(dict.fromkeys(map(examples.title, lessons)))
    vectors = dict(zip(titles, kb.encoder.encode(titles), strict=True)) if titles else {}
    found = specialists.fit(examples.groups(lessons, names, vectors, kb.settings.agent_of))
    return (names, found) if found else None


def check(kb: KnowledgeBase) -> list[Problem]:
    """What proves that a newest generation is not what its decisions teach: it is made again from them.

    Raises:
        RefusedFile: a generation's files hold none.
    """
    known = Generations(kb.layout.root)
    made = [each for each in log.everything(kb) if each.verdict != WITHDRAWN and examples.teaches(each)]
    of = {examples.key(each): each for each in sorted(made, key=lambda each: each.time)}
    return [problem for head in known.heads if (problem := _wrong(kb, head, known.lessons(head.name), of))]


def _wrong(kb: KnowledgeBase, head: Generation, keys: set[str], of: Mapping[str, Decision]) -> Problem | None:
    path = f"{GENERATIONS}/{head.name}/{generation.FACTS}"
    if head.encoder != kb.encoder.name:
        return Problem(path, 1, "wrong-generation", "was made with another [index] model", "codex distill --now")
    if missing := keys - of.keys():
        return Problem(path, 1, "wrong-generation", f"learned from {counted(len(missing), 'decision')} not on record",
                       "git pull, or git checkout codex/decisions")  # fmt: skip
    again = _fitted(kb, [each for key, each in of.items() if key in keys])
    if again is None or not _same(head, *again):
        return Problem(path, 1, "wrong-generation", "is not what its decisions teach",
                       "git checkout it; or codex distill --rollback 0, and delete it")  # fmt: skip
    return None


def _same(head: Generation, names: tuple[str, ...], found: Pooled) -> bool:
    """Are the weights those of the generation, within 1e-4?"""
    if (names, head.specialists.keys()) != (head.names, found.specialists.keys()):
        return False
    orders = [(head.ranker, found.general), *((each, found.of(name)) for name, each in head.specialists.items())]
    pairs = [pair for a, b in orders for pair in ((a.plain, b.plain), (a.direction, b.direction))]
    return all(
        one.shape == other.shape and bool(np.abs(one - other).max(initial=0.0) <= _TOLERANCE) for one, other in pairs
    )


def _closed(kb: KnowledgeBase, known: Generations, made: Generation, record: Record, before: Stand) -> Learned:
    """The act that writes a generation, and what happened to it."""
    time = kb.now()
    happened = [Event(time, course.CLOSED, made.name)]
    if not known.course.pinned and (known.course.relied_on or record.relied_on):
        happened.append(Event(later(time, time), course.IN_FORCE, made.name))
    after = course.course([*known.events, *happened])
    number = course.number(after.in_force)
    said = "in force" if after.in_force == made.name else f"on trial beside generation {number}"
    act = _act(kb, known, happened, made, (
        f"codex: generation {made.number} from {counted(made.lessons, 'decision')}",
        f"What: {counted(len(made.learned), 'new decision')}, {len(made.unlearned)} taken back; {said}.\n"
        f"Why: what was decided teaches what is proposed next.",
    ))  # fmt: skip
    now = before._replace(number=made.number, in_force=number, lessons=made.lessons, waiting=0, closed=True)
    return Learned(now, act)


def put(kb: KnowledgeBase, number: int, pin: bool, by: str) -> Act | None:
    """The act that puts a generation in force, 0 for the untaught order, on a person's word; None where it is so.

    Raises:
        RefusedFile: a generation's files hold none.
        NotFound: there is no such generation.
        UsageError: it is later than the one in force, so that nothing is rolled back.
    """
    known = Generations(kb.layout.root)
    found = [each.name for each in known.all.values() if each.number == number] if number else []
    if number and not found:
        raise NotFound(f"no generation {number}", path=GENERATIONS, hint="codex audit lists them")
    in_force = course.number(known.course.in_force)
    if number > in_force and not pin:
        raise UsageError(f"generation {number} is later than {in_force}, which is in force: that is no rollback",
                         hint=f"codex distill --pin {number} puts it in force")  # fmt: skip
    name = found[-1] if number else ""
    event = Event(kb.now(), course.PINNED if pin else course.ROLLED_BACK, name, by)
    if replace(course.course([*known.events, event]), since=known.course.since) == known.course:
        return None
    return _act(kb, known, [event], None, (
        f"codex: {'pin' if pin else 'go back to'} generation {number}",
        f"What: generation {number} {'stays' if pin else 'is'} in force.\nWhy: {by} said so.",
    ))  # fmt: skip


def _act(
    kb: KnowledgeBase, known: Generations, happened: Sequence[Event], made: Generation | None, told: tuple[str, str]
) -> Act:
    root = kb.layout.root
    before = gate.read_if_there(root, EVENTS)
    lines = (before or b"") + course.to_lines(happened)
    files = generation.to_files(made).items() if made else ()
    number = course.number(course.course([*known.events, *happened]).in_force)
    return Act(
        (*(change(root, f"{GENERATIONS}/{made.name}/{name}", data) for name, data in files if made),
         Change(EVENTS, before, lines)),
        acts.message(kb.settings.git, *told, {"Generation": str(number)}),
    )  # fmt: skip
