"""Acts: the only way that anything which git may track is written.

An act says what changes, what the commit says, on which branch, and which paths the user must have committed before.
It is written as one (`disk.transaction`), then exactly its paths are committed (`disk.vcs`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from codex_kb import config
from codex_kb import layout as places
from codex_kb.disk import clone, gate
from codex_kb.disk.journal import Commit, Journal
from codex_kb.disk.transaction import Change, Transactions, locked, write_failed
from codex_kb.disk.vcs import Repository
from codex_kb.errors import Conflict, GitError
from codex_kb.kb import KnowledgeBase
from codex_kb.review import packet
from codex_kb.text import leaving
from codex_kb.text.marks import one_line

_WAIT_SECONDS = 5.0
#: What git must not ignore.
_DECIDED = ("codex/", f"{places.PACKETS}/")
#: What git and reviewers must know of our own folders; written with their first file.
_ATTRIBUTES = {
    f"{places.DECISIONS}/.gitattributes": b"*.jsonl -text merge=union\n",
    f"{places.INDEX}/.gitattributes": b"*.jsonl -text -diff merge=union\n",
    f"{places.GENERATIONS}/.gitattributes": b"*.jsonl -text merge=union\n*.json -text\n*.npy binary\n",
    f"{places.PACKETS}/{places.HELP_NAME}": packet.HELP.encode(),
}


@dataclass(frozen=True, slots=True)
class Act:
    """What a command does, as one: changes, the commit's message, its branch, paths that must be committed before.

    `removed` are paths that a person deleted and that the same commit lets go. Without a message nothing is committed:
    a later act does. An empty branch is the current one.
    """

    changes: tuple[Change, ...]
    message: str = ""
    branch: str = ""
    clean: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@contextlib.contextmanager
def writing(kb: KnowledgeBase, command: str) -> Iterator[None]:
    """Hold the lock, and first finish what an earlier run left half done.

    Raises:
        UsageError: git tracks the local state.
        Conflict: another run holds the lock.
        WriteFailed: the lock cannot be made.
    """
    _require_untracked(kb)
    with locked(kb.layout.root, command, _WAIT_SECONDS):
        _recover(kb)
        yield


def set_aside(kb: KnowledgeBase) -> str:
    """Keep apart what an earlier run left half done; where, empty where there is none. Raises Conflict, WriteFailed."""
    _require_untracked(kb)
    with locked(kb.layout.root, "check", _WAIT_SECONDS):
        return Transactions(kb.layout.root).set_aside()


def _require_untracked(kb: KnowledgeBase) -> None:
    """Stop where a pull may have brought local state, which says what to write and what to believe."""
    if kb.repository and kb.repository.tracks(places.LOCAL):
        raise clone.strange("git tracks this local state, which may be of another clone")


def give_up(kb: KnowledgeBase) -> None:
    """Leave to the user what git refused to commit."""
    Transactions(kb.layout.root).finish()


def perform(kb: KnowledgeBase, act: Act) -> None:
    """Write the changes as one, then commit exactly their paths. Hold the lock (`writing`).

    Raises:
        Conflict: a file changed meanwhile, or has changes of the user's own; nothing was written.
        RefusedFile: a path may not be written; nothing was.
        WriteFailed: the file system refused; nothing was written.
        GitError: git refused; the files stand.
    """
    _require_committed(kb, act)
    changes = _with_attributes(kb, act.changes)
    if not changes:
        return
    for each in changes:  # before git is asked of it: it knows nothing of what lies outside
        gate.target(kb.layout.root, each.path)
    commit = None
    if act.message and kb.commits and kb.repository is not None:
        paths = (*(c.path for c in changes), *act.removed)
        commit = Commit(leaving.without(act.message), paths, act.branch)
        _require_kept(kb.repository, act)
        _require_taken(kb.repository, act)
        kb.repository.require_ready(commit.paths, act.branch)
    transactions = Transactions(kb.layout.root)
    head = kb.repository.head() if kb.repository else ""
    at = kb.repository.commit_of("HEAD") if kb.repository else ""
    journal = transactions.run(changes, commit, head, at)
    _commit(kb, transactions, journal, commit)
    if commit and not act.branch and head.startswith("detached"):
        kb.say("committed on a detached HEAD: git switch -c NAME keeps it")


def _require_committed(kb: KnowledgeBase, act: Act) -> None:
    """Stop where the user has changes of their own in a file that is to be written."""
    if not kb.commits or kb.repository is None:
        return
    existing = [path for path in act.clean if kb.layout.path(path).exists()]
    dirty = kb.repository.uncommitted(existing, act.branch)
    if dirty:
        raise Conflict("has changes that are not committed", path=dirty[0],
                       hint="commit it first, or run with --no-commit")  # fmt: skip


def _with_attributes(kb: KnowledgeBase, changes: Sequence[Change]) -> list[Change]:
    """The changes that change something, with what git must know of the folders that they open."""
    written = [c for c in changes if c.before != c.after]
    needed = [
        Change(path, None, data)
        for path, data in _ATTRIBUTES.items()
        if any(c.path.startswith(path.rpartition("/")[0] + "/") for c in written)
        and not os.path.lexists(kb.layout.path(path))  # a link is there too, wherever it leads
    ]
    return needed + written


def _require_taken(repository: Repository, act: Act) -> None:
    """Stop where git ignores what people decide on, or what they decided; what is derived it may."""
    decided = [c.path for c in act.changes if c.path.startswith(_DECIDED) and not c.path.startswith(f"{places.INDEX}/")]
    for path in sorted(repository.ignored(decided)):
        raise Conflict("git ignores it, and would not commit it; nothing was written", path=path,
                       hint=f"git check-ignore -v {shlex.quote(path)} names the line to take out, or run with "
                       "--no-commit")  # fmt: skip


def _require_kept(repository: Repository, act: Act) -> None:
    """Stop where a file that a sparse checkout leaves out would lose what it says."""
    if repository.elsewhere(act.branch):
        return
    new = {c.path: c.after or b"" for c in act.changes if c.before is None}
    for path in sorted(repository.sparse(list(new))):
        if (repository.blob(path) or b"") not in new[path]:
            raise Conflict("is left out by a sparse checkout, and would be overwritten", path=path,
                           hint=f"git sparse-checkout add {path.rpartition('/')[0]}, then run again")  # fmt: skip


def _commit(kb: KnowledgeBase, transactions: Transactions, journal: Journal, commit: Commit | None) -> None:
    """Tell git, and only when the commit stands forget the journal: the next run tries again what git refused."""
    try:
        if commit and kb.repository:
            kb.repository.commit(commit.paths, commit.message, commit.branch)
    except GitError:
        transactions.refused(journal)
        raise
    except OSError as error:
        raise write_failed(error, kb.layout.root) from error
    transactions.finish()


def _recover(kb: KnowledgeBase) -> None:
    """Finish what an earlier run left half done, where it began; elsewhere it waits.

    Raises:
        Conflict: it began on another branch, or cannot be finished.
    """
    transactions = Transactions(kb.layout.root)
    if not transactions.unfinished():
        return
    journal = transactions.pending()
    if journal.commit and not _at_home(kb.repository, journal):
        if not _stands(kb.repository, journal, journal.commit):
            raise _elsewhere(kb.repository, journal)
        transactions.finish()
    else:
        _finish(kb, transactions, journal)
    kb.say("finished what an earlier run had begun")


def _finish(kb: KnowledgeBase, transactions: Transactions, journal: Journal) -> None:
    """Write what is left, and commit it. What changed since git refused is what the user made of it, and goes along."""
    commit = journal.commit
    if commit and kb.repository:
        kb.repository.require_ready(commit.paths, commit.branch)
    changed = transactions.recover(journal)
    commit = journal.commit
    if not journal.written:
        for path in changed:
            kb.say(f"{path}: changed since an earlier run was cut off; yours stands, "
                   f"ours is in {places.LOCAL}/conflicts/{path}")  # fmt: skip
        commit = commit and dataclasses.replace(commit, paths=tuple(p for p in commit.paths if p not in changed))
    _commit(kb, transactions, journal, commit)


def _at_home(repository: Repository | None, journal: Journal) -> bool:
    """Is HEAD where the run began? A branch that was renamed is the same, and so is a branch made where none was."""
    if repository is None:
        return not journal.head
    if repository.head() == journal.head:
        return True
    if repository.commit_of(journal.head):
        return False
    if journal.head.startswith("detached") or not journal.at:
        return repository.commit_of("HEAD") == journal.at
    return repository.contains(journal.at)


def _stands(repository: Repository | None, journal: Journal, commit: Commit) -> bool:
    """Has git committed all of it already, before the run was cut off?"""
    after = {**dict.fromkeys(commit.paths), **{e.path: e.after for e in journal.entries}}
    return repository is not None and all(
        repository.blob(path, commit.branch) == after[path] for path in repository.not_ignored(commit.paths)
    )


def _elsewhere(repository: Repository | None, journal: Journal) -> Conflict:
    """It waits to be finished where it began; how to get there."""
    began = journal.head.removeprefix("refs/heads/")
    there = f"git switch {began}"
    if not journal.at:
        there = f"git switch --orphan {began}"
    elif journal.head.startswith("detached"):
        there = f"git switch --detach {journal.at}"
    elif repository and not repository.commit_of(journal.head):
        there = f"git switch -c {began} {journal.at}"
    return Conflict(f"an earlier run was cut off on {began}, and waits to be finished there", path=places.JOURNAL,
                    hint=f"{there}, then run again; or codex check --set-aside drops it")  # fmt: skip


# -- what a commit says, and where it goes ---------------------------------------------------------


def branch_for(settings: config.Git, name: str) -> str:
    """The branch that a source's commits go to; empty is the current one."""
    return settings.branch.format(source=name, slug=name).replace(" ", "-")


def message(settings: config.Git, subject: str, body: str, trailers: dict[str, str], **names: object) -> str:
    """A commit's text; `[git] subject` and `[git] trailers` have their say."""
    if settings.subject and names:
        subject = settings.subject.format(**names)
    lines = [f"{key}: {one_line(value)}" for key, value in {**trailers, **settings.trailers}.items() if value]
    return f"{one_line(subject)}\n\n{body.strip()}\n\n" + "\n".join(lines) + "\n"
