"""Whether git would commit what it is asked to, and nothing more: looked at before anything is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from codex_kb.errors import Conflict, UsageError

#: How git's index says that a path is one.
_SUBMODULE = "160000"
#: Runs git, and gives what it writes.
Run = Callable[..., str]

#: What git calls what it is in the midst of, by the files that tell.
UNDER_WAY = {
    "MERGE_HEAD": "a merge", "CHERRY_PICK_HEAD": "a cherry-pick", "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase", "rebase-apply": "a rebase or git am", "SQUASH_MSG": "a squash merge",
}  # fmt: skip


def require_quiet(run: Run, folder: Path) -> None:
    """Stop where a commit on the current branch would conclude what is under way. `folder` is git's own.

    Raises:
        Conflict: finish it first.
    """
    if what := next((what for name, what in UNDER_WAY.items() if (folder / name).exists()), ""):
        raise Conflict(f"{what} is under way, and a commit would conclude it", path=".git",
                       hint=f"finish or abort {what} first, or run with --no-commit")  # fmt: skip
    if unmerged := _split(run("ls-files", "--unmerged", "-z")):
        raise Conflict("its conflicts are not resolved", path=unmerged[0].partition("\t")[2],
                       hint="resolve them and git add it, or run with --no-commit")  # fmt: skip


def require_own(run: Run, root: Path, paths: Sequence[str]) -> None:
    """Stop where a path lies in a submodule: its files are not this repository's. Raises Conflict."""
    folders = {folder.as_posix(): path for path in paths for folder in PurePosixPath(path).parents if folder.name}
    asked: list[str] = []
    for folder in sorted(folders):  # what lies below one that is asked about is the same submodule's
        if folder.rpartition("/")[0] not in asked and _may_be_submodule(root / folder):
            asked.append(folder)
    for row in _split(run("ls-files", "--stage", "-z", "--", *asked)) if asked else ():
        mode, _, path = row.partition("\t")
        if mode.startswith(_SUBMODULE) and path in folders:
            raise Conflict(f"lies in the submodule {path}, and a commit here cannot have it", path=folders[path],
                           hint="make the knowledge base in the submodule, or run with --no-commit")  # fmt: skip


def _may_be_submodule(folder: Path) -> bool:
    """Does a folder look like one? Git's index, which has a row for every file, is asked about these alone."""
    try:
        with os.scandir(folder) as found:
            first = next(found, None)
        return first is None or os.path.lexists(folder / ".git")
    except OSError:  # it is not there
        return True


def require_seen(run: Run, paths: Sequence[str], named: Sequence[str], sparse: Callable[[], bool]) -> None:
    """Stop where git was told to pass over a path. `named` are those to name to git; none stands for all.

    `sparse` asks whether this is a sparse checkout.

    Raises:
        Conflict: git would leave it as it was, or take it out.
    """
    ours = set(paths)
    for row in _split(run("ls-files", "-v", "-z", "--", *named)):
        if row[2:] not in ours:
            continue
        # A sparse checkout skips what it leaves out, and git itself sees what stands there all the same
        skipped = row[0] in "Ss" and not sparse()
        if skipped or row[0].islower():
            name = "skip-worktree" if skipped else "assume-unchanged"
            raise Conflict(f"git is told to pass over it ({name})", path=row[2:],
                           hint=f"git update-index --no-{name} {row[2:]}, then run again")  # fmt: skip


def require_branch(run: Run, branch: str, own: Path, begun: bool) -> None:
    """Stop where git cannot commit to a branch that is not checked out.

    `own` is our work tree; `begun`: there is a commit that a new branch begins with.

    Raises:
        Conflict: it is checked out elsewhere, or nothing was committed yet.
        UsageError: a branch beside it keeps it from having this name.
    """
    parts = branch.split("/")
    above = ["/".join(parts[:count]) for count in range(1, len(parts))]
    names = [f"refs/heads/{name}" for name in (*above, branch)]
    listed = run("for-each-ref", "--format=%(refname)%09%(worktreepath)", *names)
    trees = dict(line.partition("\t")[::2] for line in listed.splitlines())
    for name in trees:
        if name in names[:-1] or name.startswith(f"{names[-1]}/"):
            other = name.removeprefix("refs/heads/")
            raise UsageError(f"{branch!r} cannot name a branch beside the branch {other!r}", path="codex.toml",
                             hint=f"mend [git] branch, or git branch -m {other} ANOTHER")  # fmt: skip
    tree = trees.get(names[-1], "")
    if tree and Path(tree).resolve() != own.resolve():
        raise Conflict(f"the branch {branch} is checked out there", path=tree,
                       hint=f"git switch to another one there, or git worktree remove {tree}")  # fmt: skip
    if names[-1] not in trees and not begun:
        raise Conflict(f"nothing is committed yet that the branch {branch} could begin with", path=".git",
                       hint="commit something first: git commit --allow-empty -m begin")  # fmt: skip


def _split(listed: str) -> list[str]:
    """What git lists with a NUL after each."""
    return [row for row in listed.split("\0") if row]
