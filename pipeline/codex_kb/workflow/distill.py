"""`codex distill`: the index brought in line with the claims, and a generation with the decisions; or proved to be."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from codex_kb import layout as places
from codex_kb.index import settled
from codex_kb.learn.stand import Stand
from codex_kb.text.marks import counted

if TYPE_CHECKING:
    from codex_kb.index.local import Look
    from codex_kb.kb import KnowledgeBase
    from codex_kb.records import Problem

#: Under what name it is kept how the generations stand, and the folders that this depends on.
_LEARNED, _TEACHES = "learned", (places.DECISIONS, places.GENERATIONS)
#: So many files are one commit: the journal that makes them one change stays small.
_COMMITTED_AT_ONCE = 5000


class Distilled(NamedTuple):
    """What a run of distill did, in claims; and in what way the generations stand, with the one that was closed."""

    embedded: int
    removed: int
    unchanged: int
    claims: int
    learned: Stand


class Indexed(NamedTuple):
    """What became of the index, in claims."""

    embedded: int
    removed: int
    unchanged: int
    claims: int


def distill(kb: KnowledgeBase, full: bool = False, now: bool = False, engine: str | None = None) -> Distilled:
    """Embed what changed, remove what went, commit the index; `full` embeds everything anew, `engine` says who embeds.

    Then close a generation, where enough was decided since the last one, or anything and `now`.
    """
    found = None if full else settled.look(kb)
    if found and found.nothing_to_do:
        indexed = Indexed(0, 0, found.claims, found.claims)
    else:
        indexed = _bring_up_to_date(kb, full, found.look if found else None, engine)
    return Distilled(*indexed, _learn(kb, now))


def put(kb: KnowledgeBase, number: int, pin: bool, reviewer: str) -> bool:
    """Put a generation in force, 0 for the untaught order; pinned, it stays until another is put there.

    False where it is so already, and nothing is written.

    Raises:
        NotFound: there is no such generation.
        UsageError: it is later than the one in force, and not to be pinned.
    """
    from codex_kb import acts  # noqa: PLC0415
    from codex_kb.apply import lessons  # noqa: PLC0415

    with acts.writing(kb, "distill"):
        act = lessons.put(kb, number, pin, reviewer)
        if act:
            acts.perform(kb, act)
    return act is not None


def _learn(kb: KnowledgeBase, now: bool) -> Stand:
    """Close a generation where one is due. Where no decision came since the last look nothing is read."""
    from codex_kb.disk import looked  # noqa: PLC0415

    known = looked.again(kb.layout.root, _LEARNED, _TEACHES)
    if known and not (now and known["waiting"]):
        return Stand(**known)
    from codex_kb import acts  # noqa: PLC0415
    from codex_kb.apply import lessons  # noqa: PLC0415

    with acts.writing(kb, "distill"):
        done = lessons.learned(kb, now)
        if done.act:
            acts.perform(kb, done.act)
    looked.keep(kb.layout.root, _LEARNED, _TEACHES, done.stand._replace(closed=False)._asdict())
    return done.stand


def check(kb: KnowledgeBase, full: bool = False) -> list[Problem]:
    """What proves that index and claims, or generation and decisions, disagree.

    Every file is read, some texts of claims (`full`: all) are embedded anew, and so are those that taught.
    """
    from codex_kb.apply import lessons  # noqa: PLC0415
    from codex_kb.index import committed  # noqa: PLC0415

    return [*committed.check(kb, full), *lessons.check(kb)]


def _bring_up_to_date(kb: KnowledgeBase, full: bool, look: Look | None, engine: str | None) -> Indexed:
    # Where nothing is to do, nothing of this is loaded.
    from codex_kb import acts  # noqa: PLC0415
    from codex_kb import engine as engines  # noqa: PLC0415
    from codex_kb.index import committed, local, opened, state, stored, writer  # noqa: PLC0415

    root = kb.layout.root
    with acts.writing(kb, "distill"), engines.opened(kb, engine) as cluster:
        if full:
            shutil.rmtree(local.folder(root), ignore_errors=True)
            shutil.rmtree(kb.layout.path(stored.PENDING), ignore_errors=True)
        given = opened.writing(kb, anew=full)
        if cluster:
            given = engines.spread(kb, given, cluster)
        found = opened.after(kb, lambda: writer.everything(root, given, look))
        try:
            now = state.known(root, kb.encoder, found.catalog)
            if now.remove:
                _require_folders(kb)
            changes = [c for c in committed.changes(kb, found, now, full) if c.before != c.after]
            embedded = found.claims if full else sum(now.add.values())
            done = Indexed(embedded, len(now.remove), found.claims - embedded, found.claims)
        finally:
            found.close()
        message = acts.message(
            kb.settings.git,
            f"codex: distill {counted(done.claims, 'claim')}",
            f"What: {counted(done.embedded, 'claim')} embedded, {done.removed} removed, {done.unchanged} unchanged.\n"
            "Why: index and claims agree again.",
            {"Generation": str(kb.generation)},
        )
        # What is damaged holds nothing of the user's to be kept.
        damaged = {problem.path for problem in now.damaged}
        if not state.read_manifest(root):
            damaged.add(places.MANIFEST)
        clean = tuple(c.path for c in changes if c.path not in damaged)
        for at in range(0, len(changes), _COMMITTED_AT_ONCE):
            acts.perform(kb, acts.Act(tuple(changes[at : at + _COMMITTED_AT_ONCE]), message, clean=clean))
            clean = ()
        _settle(kb, [c.path for c in changes])
    return done


def _require_folders(kb: KnowledgeBase) -> None:
    """Claims of a folder that is misnamed have not gone. Raises UsageError."""
    from codex_kb.config import FILE_NAME  # noqa: PLC0415
    from codex_kb.errors import UsageError  # noqa: PLC0415

    for folder in kb.settings.kb.claims:
        if not kb.layout.path(folder).is_dir():
            raise UsageError(f"[kb] claims names {folder}, which is no folder here: its claims would leave the index",
                             path=FILE_NAME, hint="mend the name, or take it out of the settings")  # fmt: skip


def _settle(kb: KnowledgeBase, written: Sequence[str]) -> None:
    """What was written is known from now on, and needs to wait no longer."""
    from codex_kb.index import opened, stored, writer  # noqa: PLC0415

    if written:
        writer.committed(kb.layout.root, opened.writing(kb), written)
    shutil.rmtree(kb.layout.path(stored.PENDING), ignore_errors=True)
