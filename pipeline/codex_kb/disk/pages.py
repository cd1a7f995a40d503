"""Pages that a command makes where the user says: replaced by the next, never in place of anything else."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from codex_kb.disk import gate
from codex_kb.disk.transaction import write_failed, write_file
from codex_kb.errors import Conflict, NotFound, UsageError
from codex_kb.layout import Layout

_SUFFIXES = (".html", ".htm")


def write(layout: Layout, named: Path, made: bytes, page: bytes) -> None:
    """Write a page to a file as a whole; pages of this kind begin with `made`, and no other file is replaced.

    Raises:
        Conflict: the file is something else, and stands.
        UsageError: its name is not that of a page.
        NotFound: its folder is not there.
        RefusedFile: it belongs to git or is local state.
        WriteFailed: the file system refused.
    """
    if named.suffix.lower() not in _SUFFIXES:
        raise UsageError("a page is named .html", path=str(named), hint=f"name {named.name}.html")
    path = Path.cwd() / named
    if not path.parent.is_dir():
        raise NotFound("its folder is not there", path=str(named), hint=f"mkdir -p {shlex.quote(str(named.parent))}")
    typed = Path(os.path.normpath(path))  # a link on the way that leads out of the knowledge base is not followed
    for each in (typed, path.resolve()):
        if each.is_relative_to(layout.root.resolve()):
            gate.target(layout.root, each.relative_to(layout.root.resolve()).as_posix())
    try:
        if path.is_symlink() or (path.exists() and not (path.is_file() and _begins(path, made))):
            raise Conflict("is there, and is no page of this command", path=str(named), hint="name another file")
        write_file(path, page)
    except OSError as error:
        raise write_failed(error, layout.root) from error


def _begins(path: Path, made: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(made)) == made
