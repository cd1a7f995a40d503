"""The one gate for paths: what is read or written is a regular file inside the knowledge base, of bounded size.

Paths are relative to the root, with `/` between. A link on the way is followed only where it stays inside, and leads
neither to git's own folder nor to our local state, which has a door of its own that follows no link.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

from codex_kb.errors import NotFound, RefusedFile
from codex_kb.layout import LOCAL

#: Bytes of a file of our own: decisions, records, entries of the index.
OWN_LIMIT = 256_000_000
#: Folders that hold nobody's sources, claims and decisions, and whose they are.
_KEPT = {".git": "git", LOCAL: "codex itself"}


def read(root: Path, path: str, limit: int = OWN_LIMIT) -> bytes:
    """The bytes of a regular file inside the root, at most `limit` of them.

    Raises:
        NotFound: it does not exist.
        RefusedFile: it lies outside, belongs to git or is local state, is no regular file, is too large or cannot be
            read.
    """
    absolute = _named(root, path)
    try:
        real = _real(root, path)
        if real is None:
            raise RefusedFile("a link that leaves the knowledge base", path=path,
                              hint="copy the file itself to this place")  # fmt: skip
        _require_nobodys(real, path)
        return _bytes(absolute, path, limit)
    except (FileNotFoundError, NotADirectoryError) as error:
        if absolute.is_symlink():
            raise RefusedFile("a link to nothing", path=path, hint="mend or remove the link") from error
        raise NotFound("no such file", path=path, hint="check the path") from error
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RefusedFile(f"cannot be read: {reason}", path=path, hint="mend its permissions") from error


def read_if_there(root: Path, path: str, limit: int = OWN_LIMIT) -> bytes | None:
    """The bytes of a file, None where there is none. Raises RefusedFile as `read` does."""
    try:
        return read(root, path, limit)
    except NotFound:
        return None


def target(root: Path, path: str) -> Path:
    """The absolute path of a file that may be written or removed: inside the root, of nobody else's, and no link.

    Raises:
        RefusedFile: it lies outside, belongs to git or is local state, is a link, or is no file.
    """
    absolute = _named(root, path)
    try:
        if absolute.is_symlink():
            raise RefusedFile("a link, which is not written to", path=path, hint="change the file that it leads to")
        real = _real(root, path)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RefusedFile(f"cannot be written: {reason}", path=path, hint="name another path") from error
    if real is None:
        raise RefusedFile("below a link that leaves the knowledge base", path=path,
                          hint="put a folder in the place of the link")  # fmt: skip
    _require_nobodys(real, path)
    if os.path.lexists(absolute) and not absolute.is_file():
        raise RefusedFile("not a regular file", path=path, hint="move it away")
    return absolute


def local(root: Path, path: str) -> Path:
    """The absolute path of a file of our local state, where no link is on the way and at its end.

    Raises:
        RefusedFile: one is, which no run of ours made.
    """
    at = root
    for part in path.split("/"):
        at /= part
        if at.is_symlink():
            raise RefusedFile("a link, which no run of ours made", path=at.relative_to(root).as_posix(),
                              hint="remove the link")  # fmt: skip
    return at


def _named(root: Path, path: str) -> Path:
    """The absolute path, by its name alone."""
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts or "\0" in path:
        raise RefusedFile("leaves the knowledge base", path=path, hint="name a path below its root")
    try:
        os.fsencode(path)
    except UnicodeEncodeError as error:
        shown = path.encode(errors="backslashreplace").decode()
        raise RefusedFile("cannot be the name of a file", path=shown, hint="name another path") from error
    return root / path


def _real(root: Path, path: str) -> str | None:
    """The path, or the one that a link on the way leads it to; None out of the root, where only a link leads."""
    at = str(root)
    for part in path.split("/"):
        at = f"{at}/{part}"
        try:
            if stat.S_ISLNK(os.lstat(at).st_mode):
                real, base = (root / path).resolve(), root.resolve()
                return real.relative_to(base).as_posix() if real.is_relative_to(base) else None
        except (FileNotFoundError, NotADirectoryError):
            break
    return path


def _require_nobodys(real: str, path: str) -> None:
    """Stop at git's own folder and at our local state. Some file systems know no case."""
    whose = next((_KEPT[part] for part in real.casefold().split("/") if part in _KEPT), "")
    if whose:
        raise RefusedFile(f"belongs to {whose}", path=path, hint="name another place")


def _bytes(real: Path, path: str, limit: int) -> bytes:
    # A pipe that nobody writes to must not keep us waiting.
    handle = os.open(real, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode):
            raise RefusedFile("not a regular file", path=path, hint="move it out of the knowledge base")
        # Not read(limit): that makes room for as much as the limit says.
        data = file.read() if info.st_size <= limit else b""
        if max(info.st_size, len(data)) > limit:
            raise RefusedFile(f"{info.st_size:,} bytes, more than the limit of {limit:,}", path=path,
                              hint="split it, or raise max_bytes in [ingest] of codex.toml")  # fmt: skip
        return data
