"""A commit made of what is staged of some paths alone, in the time that these take.

`git commit` looks at every file that git knows of, and writes its index, which has a row for each, anew. Where no hook
would see the commit and nobody wants it signed, `git fast-import` makes the same one from the trees of the last.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from codex_kb.disk.ready import UNDER_WAY, Run
from codex_kb.disk.stat_cache import is_utf8
from codex_kb.errors import GitError

#: The hooks that see a commit; those of the index are run all the same.
_HOOKS = ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "reference-transaction")
#: The settings by which `git commit` makes more of it, and the one value of them that asks for nothing.
_SETTINGS = r"^(hook\..*|commit\.gpgsign|i18n\.commitencoding|maintenance\.auto)$"
_NOTHING = {"", "commit.gpgsign\nfalse"}
#: What says in git's folder that something is under way: a commit of the user's own, a merge.
_BUSY = ("index.lock", *UNDER_WAY)
#: Where the commit is until HEAD is at it; each work tree has a name of its own for it.
_NAME = "refs/worktree/codex-kb"


class Staged(NamedTuple):
    """How a path is staged, as git writes it: the mode of its file, the id of its content, what became of it."""

    mode: str
    content: str
    status: str


def staged(run: Run) -> dict[str, Staged]:
    """What is staged otherwise than it was committed last, by its path from the top of the work tree."""
    shown = ("--raw", "--no-abbrev", "-z", "--no-renames", "--no-relative", "--no-ext-diff")
    rows = run("diff", "--cached", *shown).split("\0")
    found = {}
    for about, path in zip(rows[::2], rows[1::2], strict=False):
        _, mode, _, content, status = about.split(" ")
        found[path] = Staged(mode, content, status)
    return found


def serves(run: Run, root: Path, folder: Path) -> bool:
    """Would `git commit` at this root make nothing more of it, and not refuse because of what is under way?

    `folder` is git's own of this work tree.
    """
    hooks = root / run("rev-parse", "--git-path", "hooks").rstrip("\n")
    if any(os.path.lexists(path) for path in (*(hooks / name for name in _HOOKS), *(folder / name for name in _BUSY))):
        return False
    with contextlib.suppress(GitError):  # none of them is set
        return set(run("config", "-z", "--get-regexp", _SETTINGS).split("\0")) <= _NOTHING
    return True


def commit(run: Run, parent: str, changes: Mapping[str, Staged], message: str) -> bool:
    """Commit these changes where HEAD is, which must be at the commit `parent`; False where it cannot be done so."""
    author, committer = (run("var", f"GIT_{who}_IDENT").strip() for who in ("AUTHOR", "COMMITTER"))
    if not is_utf8(author + committer):  # git commit makes it so
        return False
    text = run("stripspace", given=message)
    lines = [f"commit {_NAME}", "mark :1", f"author {author}", f"committer {committer}", f"data {len(text.encode())}"]
    files = [f"D {_quoted(path)}" if each.status == "D" else f"M {each.mode} {each.content} {_quoted(path)}"
             for path, each in changes.items()]  # fmt: skip
    stream = "\n".join([*lines, text, f"from {parent}", *files, "get-mark :1", "done\n"])
    subject = message.partition("\n")[0]
    try:
        # Where case is ignored, fast-import would take a name for another.
        made = run("-c", "core.ignorecase=false", "fast-import", "--quiet", "--force", "--done", given=stream).strip()
        moved = f"update HEAD {made} {parent}\ndelete {_NAME}\n"
        run("update-ref", "--stdin", "-m", f"commit: {subject}", given=moved)
    except GitError:
        with contextlib.suppress(GitError):  # it was not made
            run("update-ref", "-d", _NAME)
        return False
    with contextlib.suppress(GitError):  # a git that has none
        run("maintenance", "run", "--auto", "--quiet")
    return True


def _quoted(path: str) -> str:
    """A path as fast-import reads any."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
