"""Which files may have changed, told by looking at them and not into them.

Size, times and inode tell, as in git's index. A file written in the moment that it was looked at may change
again without a trace ("racily clean", git's racy-git.txt): where that is possible its content must decide.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

#: The coarsest clock of a common file system (FAT), in nanoseconds.
SLACK_NS = 2_000_000_000

Wanted = Callable[[str], bool]


class Stat(NamedTuple):
    """What a look at a file tells: bytes, nanoseconds, nanoseconds, number."""

    size: int
    modified: int
    changed: int
    inode: int


class Folder(NamedTuple):
    """A folder as it was seen: a digest of the stats of all its files, and the newest of their times (ns)."""

    path: str
    digest: bytes
    newest: int

    def clean(self, digest: bytes, looked: int) -> bool:
        """Is it certainly as it was when a look at the time `looked` (ns) gave this digest?"""
        return self.digest == digest and not racy(self.newest, looked)


def racy(modified: int, looked: int) -> bool:
    """Could a file of this time have changed unseen since a look at the time `looked`? Both in ns."""
    return modified >= looked - SLACK_NS


def scan(root: str, start: str, wanted: Wanted, skip: Wanted) -> Iterator[Folder]:
    """The folders at and below `start` (relative to `root`, `/` between), without their files.

    Hidden folders and those that `skip` names are left out, links to folders are not followed. A folder that
    cannot be read counts as empty.
    """
    waiting = [start]
    while waiting:
        path = waiting.pop()
        lines: list[str] = []
        newest = 0
        for entry in _entries(root, path):
            name = entry.name
            if entry.is_dir(follow_symlinks=False):
                if not name.startswith(".") and not skip(f"{path}/{name}"):
                    waiting.append(f"{path}/{name}")
            elif wanted(name):
                try:
                    s = entry.stat()
                    newest = max(newest, s.st_mtime_ns, s.st_ctime_ns)
                    lines.append(f"{name}\0{s.st_size}\0{s.st_mtime_ns}\0{s.st_ctime_ns}\0{s.st_ino}")
                except OSError:  # a link to nothing
                    lines.append(name)
        yield Folder(path, _digest(lines), newest)


def files(root: str, folder: str, wanted: Wanted) -> dict[str, Stat]:
    """The wanted files of a folder by name; those whose names are not UTF-8 are left out."""
    found = {}
    for entry in _entries(root, folder):
        if not entry.is_dir(follow_symlinks=False) and wanted(entry.name) and _is_utf8(entry.name):
            found[entry.name] = look(entry.path) or Stat(0, 0, 0, 0)
    return found


def folder_times(root: str, folders: Iterable[str]) -> tuple[bytes, int]:
    """A digest of the folders' own times and the newest of them (ns).

    They change when a file is made, replaced or removed, but not when one is written in place.
    """
    lines: list[str] = []
    newest = 0
    for path in folders:
        found = look(os.path.join(root, path)) or Stat(0, 0, 0, 0)
        newest = max(newest, found.modified, found.changed)
        lines.append(f"{path}\0{found.modified}\0{found.changed}\0{found.inode}")
    return _digest(lines), newest


def look(path: str) -> Stat | None:
    """What a look at one file tells, None where it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return Stat(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def _digest(lines: list[str]) -> bytes:
    """Lines in 16 bytes; two checksums, since hashlib takes longer to load than a folder to look at."""
    text = "\n".join(lines).encode(errors="surrogateescape")
    parts = (zlib.crc32(text), zlib.adler32(text), len(lines), len(text))
    return b"".join((part & 0xFFFFFFFF).to_bytes(4, "little") for part in parts)


def _entries(root: str, folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(os.path.join(root, folder)) as found:
            yield from found
    except OSError:
        return


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
