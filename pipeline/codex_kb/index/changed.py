"""Which files changed since the local copy of the index saw them: they are read, the rest is only looked at."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from codex_kb.disk import stat_cache
from codex_kb.disk.stat_cache import Folder, Stat, Wanted
from codex_kb.disk.store import Store
from codex_kb.errors import NotFound, RefusedFile
from codex_kb.index.catalog import Catalog
from codex_kb.records import Problem

#: A file as it was seen: folder, name, stat, and the SHA-256 that it had when it was last read.
Seen = tuple[str, str, Stat, bytes | None]


@dataclass
class Changes:
    """What a look at some folders at a time (ns) found: files to read, files that went, stats to note."""

    looked: int
    changed: list[Seen] = field(default_factory=list)
    removed: list[tuple[str, str]] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def find(
    catalog: Catalog, root: str, seen: Iterable[Folder], looked: int, wanted: Wanted, kind: Wanted, every: bool = True
) -> Changes:
    """What changed in the folders as they were seen; with `every`, known ones of this kind not seen went."""
    found = Changes(looked)
    known = {path: state for path, state in catalog.folders().items() if kind(path)}
    there = set()
    for folder in seen:
        there.add(folder.path)
        if folder.path not in known or not folder.clean(*known[folder.path]):
            found.folders.append(folder)
            _in_folder(found, catalog, root, folder.path, wanted)
    found.dropped = sorted(known.keys() - there) if every else []
    found.removed += [(folder, name) for folder in found.dropped for name in catalog.files(folder)]
    return found


def _in_folder(found: Changes, catalog: Catalog, root: str, folder: str, wanted: Wanted) -> None:
    before = catalog.files(folder)
    now = stat_cache.files(root, folder, wanted)
    for name, stat in sorted(now.items()):
        old, looked, sha256 = before.get(name, (None, 0, None))
        if old != stat or stat_cache.racy(max(stat.modified, stat.changed), looked):
            found.changed.append((folder, name, stat, sha256))
    found.removed += [(folder, name) for name in before if name not in now]


def read(
    catalog: Catalog, store: Store, files: Sequence[Seen], looked: int, take: Callable[[str, bytes], None]
) -> list[str]:
    """Give `take` the path and bytes of each file whose bytes are not those known, and note every file.

    Returns the paths that could not be read or that `take` refused; what was wrong is noted.
    """
    rows, refused = [], []
    for folder, name, stat, sha256 in files:
        path = f"{folder}/{name}"
        problem, digest = None, sha256
        try:
            data = store.read_bytes(path)
            digest = hashlib.sha256(data).digest()
            if digest != sha256:
                take(path, data)
        except (RefusedFile, NotFound) as error:
            problem, digest = json.dumps([path, error.line, error.code, error.message, error.hint]), None
            refused.append(path)
        rows.append((folder, name, stat, looked, digest, problem))
    catalog.set_files(rows)
    return refused


def note(catalog: Catalog, found: Changes) -> None:
    """Forget the files that went, and keep the folders as they were seen."""
    for folder in found.dropped:
        catalog.drop_folder(folder)
    for folder, name in found.removed:
        catalog.drop_files(folder, [name])
    catalog.set_folders(found.folders, found.looked)


def problems(catalog: Catalog) -> Iterator[Problem]:
    """The files that could not be read."""
    for text in catalog.problems():
        yield Problem(*json.loads(text))
