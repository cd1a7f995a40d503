"""Pages that a command makes where the user says: replaced by the next, never in place of anything else."""

from __future__ import annotations

from pathlib import Path

from codex_kb.disk import gate
from codex_kb.disk.transaction import write_failed, write_file
from codex_kb.errors import Conflict
from codex_kb.layout import Layout


def write(layout: Layout, named: Path, made: bytes, page: bytes) -> None:
    """Write a page to a file as a whole; pages of this kind begin with `made`, and no other file is replaced.

    Raises:
        Conflict: the file is something else, and stands.
        RefusedFile: it belongs to git or is local state.
        WriteFailed: the file system refused.
    """
    path = Path.cwd() / named
    if path.resolve().is_relative_to(layout.root.resolve()):
        gate.target(layout.root, layout.relative(path))
    try:
        if path.is_symlink() or (path.exists() and not (path.is_file() and _begins(path, made))):
            raise Conflict("is there, and is no page of this command", path=str(named), hint="name another file")
        write_file(path, page)
    except OSError as error:
        raise write_failed(error, layout.root) from error


def _begins(path: Path, made: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(made)) == made
