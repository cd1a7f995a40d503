"""`codex undo`: decisions are taken back, each by a line of its own; files become as if they had not been."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from codex_kb import layout as places
from codex_kb.acts import perform, writing
from codex_kb.apply import log
from codex_kb.apply.undo import taken_back
from codex_kb.errors import NotFound, UsageError
from codex_kb.index import opened as indexes
from codex_kb.index.names import find_claim
from codex_kb.kb import KnowledgeBase
from codex_kb.records import Decision
from codex_kb.review.decide import added_as
from codex_kb.review.standing import WITHDRAWN, standing
from codex_kb.review.waiting import full_id, ids_of


@dataclass
class Undone:
    """What was taken back; `already` are the ids of what was withdrawn before."""

    #: The decisions as they stood.
    decisions: list[Decision] = field(default_factory=list)
    already: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    #: Claims that evidence was taken out of.
    changed: list[str] = field(default_factory=list)
    #: Claims that link to one that is gone, or depend on one that changed.
    look_again: list[str] = field(default_factory=list)


def undo(kb: KnowledgeBase, named: str, reviewer: str, why: str = "") -> Undone:
    """Take back what an id, a claim (path, stem or title) or a commit means; one commit a source.

    What stops one decision stops all, before anything is written.

    Raises:
        NotFound: no decision is meant.
        UsageError: several may be.
        Edited: a claim was edited since; its difference is in there.
        Conflict: a claim has other evidence since, was moved, or another run is under way.
    """
    with writing(kb, "undo"):
        lines = log.everything(kb)
        stands = standing(lines)
        ids = _meant(kb, named, lines)
        done = Undone([stands[each] for each in ids if each in stands], [each for each in ids if each not in stands])
        of_source: dict[str, list[str]] = {}
        for decision in done.decisions:
            of_source.setdefault(decision.source, []).append(decision.id)
        if len(of_source) > 1:
            for source, some in of_source.items():
                taken_back(kb, source, some, reviewer, why)
        for source, some in of_source.items():
            taken = taken_back(kb, source, some, reviewer, why)
            perform(kb, taken.act)
            done.removed += taken.removed
            done.changed += taken.changed
            done.look_again += [path for path in taken.look_again if path not in done.look_again]
        return done


def _meant(kb: KnowledgeBase, named: str, lines: Sequence[Decision]) -> list[str]:
    """The ids of the decisions that a name means: an id first, then a claim, then a commit."""
    wanted = named.strip()
    if not wanted:
        raise UsageError("nothing is named", hint="codex undo ID, CLAIM or COMMIT")
    with contextlib.suppress(NotFound):
        return [full_id(wanted, {each.id for each in lines})]
    waiting = [each for packet in kb.store.readable_packets()[0] for each in ids_of(packet)]
    with contextlib.suppress(NotFound):
        raise UsageError(f"{full_id(wanted, waiting)} waits: nothing is decided about it", hint="codex review")
    if path := _claim(kb, wanted, lines):
        return [_about(path, lines)]
    commit = kb.repository.commit_of(wanted) if kb.repository else ""
    if not commit:
        raise NotFound("no decision, claim or commit has this name", path=named, hint="codex show CLAIM; git log")
    return _of_commit(kb, commit, lines)


def _claim(kb: KnowledgeBase, wanted: str, lines: Sequence[Decision]) -> str:
    """The path of the claim that is meant, though its file be gone; empty where there is none."""
    names = {wanted}
    with contextlib.suppress(UsageError):
        names.add(kb.layout.relative(Path(wanted)))
    folded = wanted.casefold()
    found = {
        each.claim
        for each in lines
        if each.claim
        and (each.claim in names or PurePosixPath(each.claim).stem.casefold() == folded
             or (each.title.casefold() == folded and not added_as(each)))
    }  # fmt: skip
    if len(found) > 1:
        raise UsageError(f"{wanted} may mean {', '.join(sorted(found))}", hint="name the path")
    if found:
        return found.pop()
    with contextlib.closing(indexes.load(kb, announce=False)) as index:
        try:
            return find_claim(kb, index.catalog, wanted)
        except NotFound:
            return ""


def _about(path: str, lines: Sequence[Decision]) -> str:
    """The id of the decision behind a claim: the one that made it, else the only one that added to it."""
    about = [each for each in lines if each.claim == path]
    if not about:
        raise NotFound("no decision stands behind this claim", path=path, hint="git rm it, or retire it")
    counting = [each for each in standing(lines).values() if each.claim == path]
    made = [each for each in counting if not added_as(each)] or counting
    if len(made) > 1:
        raise UsageError(f"several decisions stand behind {path}: {', '.join(each.id for each in made)}",
                         hint="name the id")  # fmt: skip
    return (made or about)[-1].id


def _of_commit(kb: KnowledgeBase, commit: str, lines: Sequence[Decision]) -> list[str]:
    """The ids that a commit decided, if what it decided stands or was withdrawn since."""
    assert kb.repository is not None
    added = log.decisions_in(line.encode() for line in kb.repository.added_lines(commit, places.DECISIONS))
    decided = {each.id: each.time for each in added if each.verdict != WITHDRAWN}
    if not decided:
        raise NotFound(f"commit {commit[:12]} decided nothing about a proposal", hint=f"git revert {commit[:12]}")
    stands = standing(lines)
    return [each for each, time in decided.items() if each not in stands or stands[each].time == time]
