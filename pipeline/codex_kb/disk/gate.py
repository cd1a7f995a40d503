"""The one gate for paths: what is read or written is a regular file inside the knowledge base, of bounded size.

Paths are relative to the root, with `/` between. A link on the way is followed only where it stays inside.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

from codex_kb.errors import NotFound, RefusedFile

#: Bytes of a file of our own: decisions, records, entries of the index.
OWN_LIMIT = 256_000_000


def read(root: Path, path: str, limit: int = OWN_LIMIT) -> bytes:
    """The bytes of a regular file inside the root, at most `limit` of them.

    Raises:
        NotFound: it does not exist.
        RefusedFile: it lies outside, is no regular file, is too large or cannot be read.
    """
    absolute = _named(root, path)
    try:
        if _leaves(root, path):
            raise RefusedFile("a link that leaves the knowledge base", path=path,
                              hint="copy the file itself to this place")  # fmt: skip
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
        RefusedFile: it lies outside or in git's own folder, is a link, or is no file.
    """
    absolute = _named(root, path)
    if ".git" in path.lower().split("/"):
        raise RefusedFile("belongs to git", path=path, hint="name another place")
    try:
        if absolute.is_symlink():
            raise RefusedFile("a link, which is not written to", path=path, hint="change the file that it leads to")
        if _leaves(root, path):
            raise RefusedFile("below a link that leaves the knowledge base", path=path,
                              hint="put a folder in the place of the link")  # fmt: skip
    except OSError as error:
        raise RefusedFile(f"cannot be written: {error.strerror}", path=path, hint="name another path") from error
    if os.path.lexists(absolute) and not absolute.is_file():
        raise RefusedFile("not a regular file", path=path, hint="move it away")
    return absolute


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


def _leaves(root: Path, path: str) -> bool:
    """Does a link on the way lead out of the root? Without a link there is no way out."""
    at = str(root)
    for part in path.split("/"):
        at = f"{at}/{part}"
        try:
            if stat.S_ISLNK(os.lstat(at).st_mode):
                return not (root / path).resolve().is_relative_to(root.resolve())
        except (FileNotFoundError, NotADirectoryError):
            return False
    return False


def _bytes(real: Path, path: str, limit: int) -> bytes:
    # A pipe that nobody writes to must not keep us waiting.
    handle = os.open(real, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode):
            raise RefusedFile("not a regular file", path=path, hint="move it out of the knowledge base")
        data = file.read(limit + 1) if info.st_size <= limit else b""
        if max(info.st_size, len(data)) > limit:
            raise RefusedFile(f"{info.st_size:,} bytes, more than the limit of {limit:,}", path=path,
                              hint="split it, or raise max_bytes in [ingest] of codex.toml")  # fmt: skip
        return data
