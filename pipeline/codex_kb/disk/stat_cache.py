"""Which files may have changed, told by looking at them and not into them.

Size, times and inode tell, as in git's index. A file written in the moment that it was looked at may change
again without a trace ("racily clean", git's racy-git.txt): where that is possible its content must decide.
"""

from __future__ import annotations

import os
import zlib
from array import array
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
        folder, inner = see(root, waiting.pop(), wanted, skip)
        waiting += inner
        yield folder


def see(root: str, path: str, wanted: Wanted, skip: Wanted) -> tuple[Folder, list[str]]:
    """One folder as `scan` gives it, and the paths of those in it."""
    inner: list[str] = []
    names: list[str] = []
    numbers: list[int] = []  # four a file; of millions of files, their digits would take longer than the looks
    for entry in _entries(root, path):
        name = entry.name
        if entry.is_dir(follow_symlinks=False):
            if not name.startswith(".") and not skip(f"{path}/{name}"):
                inner.append(f"{path}/{name}")
        elif wanted(name):
            names.append(name)
            try:
                found = entry.stat()
                numbers.extend((found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino))
            except OSError:  # a link to nothing
                continue
    newest = max(max(numbers[::4], default=0), max(numbers[1::4], default=0))
    return Folder(path, _digest(names, numbers), newest), inner


def by_times(root: str, start: str) -> Iterator[Folder]:
    """A folder and those in it by their own times: no file is looked at, and none that is written in place is seen."""
    inner = (entry.name for entry in _entries(root, start) if entry.is_dir(follow_symlinks=False))
    for path in (start, *(f"{start}/{name}" for name in inner if not name.startswith("."))):
        yield Folder(path, *folder_times(root, [path]))


def files(root: str, folder: str, wanted: Wanted) -> dict[str, Stat]:
    """The wanted files of a folder by name; those whose names are not UTF-8 are left out."""
    found = {}
    for entry in _entries(root, folder):
        if not entry.is_dir(follow_symlinks=False) and wanted(entry.name) and is_utf8(entry.name):
            found[entry.name] = look(entry.path) or Stat(0, 0, 0, 0)
    return found


def folder_times(root: str, folders: Iterable[str]) -> tuple[bytes, int]:
    """A digest of the folders' own times and the newest of them (ns).

    They change when a file is made, replaced or removed, but not when one is written in place.
    """
    names: list[str] = []
    numbers: list[int] = []
    for path in folders:
        found = look(os.path.join(root, path)) or Stat(0, 0, 0, 0)
        names.append(path)
        numbers.extend((found.modified, found.changed, found.inode))
    return _digest(names, numbers), max(max(numbers[::3], default=0), max(numbers[1::3], default=0))


def look(path: str) -> Stat | None:
    """What a look at one file tells, None where it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return Stat(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def _digest(names: list[str], numbers: list[int]) -> bytes:
    """Names and numbers in 16 bytes; two checksums, since hashlib takes longer to load than a folder to look at."""
    try:
        packed = array("q", numbers).tobytes()
    except OverflowError:  # some file systems' inodes
        packed = str(numbers).encode()
    text = "\0".join(names).encode(errors="surrogateescape") + b"\0\0" + packed
    parts = (zlib.crc32(text), zlib.adler32(text), len(names), len(text))
    return b"".join((part & 0xFFFFFFFF).to_bytes(4, "little") for part in parts)


def _entries(root: str, folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(os.path.join(root, folder)) as found:
            return list(found)
    except OSError:
        return []


def is_utf8(name: str) -> bool:
    """Is this, as the system gave it, UTF-8?"""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
