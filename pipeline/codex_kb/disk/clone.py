"""Local state belongs to one clone: `.codex-kb/id` must be what this clone's git folder holds too.

A repository can bring a `.codex-kb` of its own, and what is in there says which files to write and which to believe.
The id is random, and is kept where no clone and no pull can put anything: in git's folder; without git in the user's
own state folder, by the path of the root.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from codex_kb.errors import UsageError
from codex_kb.layout import LOCAL

_ID = "id"
_IN_GIT = "codex-kb-id"
_POINTER = "gitdir: "
#: Where git has the files of a branch for a while, links among them.
WORK_TREE = "worktree"


def verify(root: Path) -> None:
    """Stop where the local state of a knowledge base is not this clone's own.

    Raises:
        UsageError: it came from somewhere else, or is a link.
    """
    local = root / LOCAL
    if not os.path.lexists(local):
        return
    if local.is_symlink() or not local.is_dir():
        raise UsageError("must be a folder of this clone, and is a link or a file", path=LOCAL,
                         hint=f"remove {LOCAL}; a run makes its own")  # fmt: skip
    link = _link_in(local)
    if link:
        raise UsageError("a link, which no run of ours made", path=f"{LOCAL}/{link}", hint="remove the link")
    own = _read(local / _ID)
    if not own or own not in _known(root):
        raise strange("this local state was not made in this clone")


def strange(what: str) -> UsageError:
    """Local state that may be a stranger's, and the way out."""
    hint = f"rm -r {LOCAL} (git rm -r --cached {LOCAL} where git tracks it); it costs time, never a decision"
    return UsageError(what, path=LOCAL, hint=hint)


def _link_in(local: Path) -> str:
    """The first link in the folder or in one of its folders, git's work tree left out; deeper ones the gate refuses."""
    for folder in ("", *(name for name in os.listdir(local) if name != WORK_TREE)):
        with contextlib.suppress(NotADirectoryError), os.scandir(local / folder) as found:
            if link := next((entry.name for entry in found if entry.is_symlink()), ""):
                return f"{folder}/{link}" if folder else link
    return ""


def own_id(root: Path, local: Path | None = None) -> str:
    """The id of this clone, made where there is none yet; kept in `local` too, where that is given.

    Raises:
        OSError: it cannot be kept anywhere.
    """
    own = next(_known(root), "") or os.urandom(16).hex()
    for place in _places(root):
        try:
            _write(place, own)
            own = _read(place) or own
            break
        except OSError:
            continue
    if local:
        _write(local / _ID, own)
    return own


def _known(root: Path) -> Iterator[str]:
    return (found for place in _places(root) if (found := _read(place)))


def _places(root: Path) -> Iterator[Path]:
    """Where the id may be kept, the best first."""
    if folder := _git_folder(root):
        yield folder / _IN_GIT
    import hashlib  # noqa: PLC0415 (a search in a repository needs none)

    yield state_folder() / hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:32]


def state_folder() -> Path:
    """Where things are kept for the user, outside of every repository; a path that is not absolute counts for none."""
    named = os.environ.get("XDG_STATE_HOME", "")
    return (Path(named) if os.path.isabs(named) else Path.home() / ".local/state") / "codex-kb"


def _git_folder(root: Path) -> Path | None:
    """Git's own folder of the work tree around a root, found as git finds it; no process is run."""
    for folder in (root, *root.parents):
        found = folder / ".git"
        if found.is_dir():
            return found
        pointer = _read(found)
        if pointer.startswith(_POINTER):
            return folder / pointer.removeprefix(_POINTER)
    return None


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(4096).strip()
    except (OSError, ValueError):
        return ""


def _write(path: Path, text: str) -> None:
    """Write a file that is not there yet, as a whole: of two runs the first one's stands."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".codex-{os.urandom(8).hex()}.tmp"
    temporary.write_text(text + "\n", encoding="utf-8")
    try:
        with contextlib.suppress(FileExistsError):
            try:
                os.link(temporary, path)
            except FileExistsError:
                raise
            except OSError:  # a file system without links
                temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
