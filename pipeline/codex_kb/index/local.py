"""The local copy of the index as files: where they are, what they were made for, how their seal is kept.

`index.writer` is the only one that writes them, `index.opened` reads them.
"""

from __future__ import annotations

import json
import mmap
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from codex_kb import layout as places
from codex_kb.disk import stat_cache
from codex_kb.index import catalog
from codex_kb.index.postings import Postings
from codex_kb.text import json_of_others

if TYPE_CHECKING:
    from codex_kb.config import Settings
    from codex_kb.ports import Encoder

FOLDER = f"{places.LOCAL}/index"
CATALOG = "catalog.db"
WHOLE = "claims.f32"
TITLE = "titles.f32"
SEAL = "seal.json"
#: Up to so many claims every file of them is looked at before a search, and every entry before a distill;
#: above, a search looks at folders and hits, and a distill at every claim and the folders of the entries.
LOOK_AT_ALL = 5_000
#: The same from which several processes look: one takes nearly a second for so many.
SHARE_FROM = 200_000
#: What every local copy holds, what some do (`words-N.bin`), and what SQLite puts beside a catalog.
_ALWAYS = (CATALOG, WHOLE, TITLE)
_NUMBERED = {"words": "bin", "near": "faiss"}
_SQLITE = ("journal", "wal", "shm")

#: Roots that cannot be written, each with the temporary folder that serves this process instead.
_ELSEWHERE: dict[Path, Path] = {}


def folder(root: Path) -> Path:
    """Where the local copy of the knowledge base at a root is."""
    return _ELSEWHERE.get(root, root / FOLDER)


def move(root: Path, elsewhere: Path) -> None:
    """From now on this process keeps the local copy in another folder."""
    _ELSEWHERE[root] = elsewhere


class Look(NamedTuple):
    """The folders of claims and of entries, as they were found after a time (ns)."""

    time: int
    claims: list[stat_cache.Folder]
    entries: list[stat_cache.Folder]

    @classmethod
    def now(cls, root: str, starts: Iterable[str], claims: int) -> Look:
        """Look at every file below the folders of claims, which were so many, and at the entries."""
        # The time comes before the look: what changes while it lasts is looked at again.
        looked = time.time_ns()
        return cls(looked, list(claim_folders(root, starts, claims)), list(entry_folders(root, places.INDEX, claims)))


def identity(settings: Settings, encoder: Encoder) -> dict[str, Any]:
    """What a local copy must have been made for."""
    folders = json.dumps([list(settings.kb.claims), settings.ingest.max_bytes])
    return {"version": catalog.VERSION, "folders": folders, "model": encoder.name}


def is_entry_folder(path: str) -> bool:
    """Does a folder belong to the committed index?"""
    return path == places.INDEX or path.startswith(places.INDEX + "/")


def claim_folders(root: str, starts: Iterable[str], claims: int) -> Iterable[stat_cache.Folder]:
    """The folders with claims as they are now, each once; of very many `claims` several processes look."""
    if claims > SHARE_FROM:
        from codex_kb.disk import shared_look  # noqa: PLC0415 (few knowledge bases are so large)

        found = (shared_look.claim_folders(root, start) for start in starts)
    else:
        found = (stat_cache.scan(root, start, places.may_be_claim, places.never_claims) for start in starts)
    seen = set()
    for folders in found:
        for folder in folders:
            if folder.path not in seen:
                seen.add(folder.path)
                yield folder


def entry_folders(root: str, start: str, claims: int) -> Iterable[stat_cache.Folder]:
    """The folders with committed entries at and below one, as they are now; of so many claims.

    Above a number the folders' own times tell: we replace entries and never write into one, and so does git.
    """
    if claims > LOOK_AT_ALL:
        return stat_cache.by_times(root, start)
    return stat_cache.scan(root, start, is_entry, lambda _: False)


def is_entry(name: str) -> bool:
    """Is this an entry, by a file's name?"""
    return name.endswith(".jsonl")


# -- the seal --------------------------------------------------------------------------------------


def sealed(folder: Path) -> dict[str, Any] | None:
    """What the local copy was made for (files and how they stood), None where it is not as it was when finished."""
    try:
        written = json_of_others.read((folder / SEAL).read_bytes())
        whole = ours(written["files"]) and stand(str(folder), written["files"])
        return dict(written["for"]) if whole else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def names(folder: Path) -> list[str]:
    """The files of a finished local copy, as its seal names them.

    Raises:
        OSError, ValueError, KeyError: there is no seal.
    """
    return sorted(json_of_others.read((folder / SEAL).read_bytes())["files"])


def ours(names: Iterable[str]) -> bool:
    """Are these all the files of a local copy, and no others?"""
    more = set(names) - set(_ALWAYS)
    return more.union(_ALWAYS) == set(names) and len({_made(name) for name in more} - {""}) == len(more)


def named(meta: Mapping[str, Any]) -> list[str]:
    """The files that a catalog names beside those that are always there.

    Raises:
        ValueError: one is none that we write.
    """
    found = {kind: str(meta[kind]) for kind in ("words", "near") if meta.get(kind)}
    if any(_made(name) != kind for kind, name in found.items()):
        raise ValueError("the catalog names a file that is none of ours")
    return list(found.values())


def written(name: str) -> bool:
    """Is this a file of a local copy, by its name, finished or not?"""
    return name in (*_ALWAYS, SEAL, f"{SEAL}.new", *(f"{CATALOG}-{end}" for end in _SQLITE)) or bool(_made(name))


def _made(name: str) -> str:
    """`words` or `near`, where the name is one of theirs; else nothing."""
    kind, _, rest = name.partition("-")
    number, _, end = rest.partition(".")
    return kind if number.isascii() and number.isdigit() and _NUMBERED.get(kind) == end else ""


def stand(folder: str, stats: Mapping[str, Any]) -> bool:
    """Are these files as they were?"""
    return all(list(stat_cache.look(os.path.join(folder, name)) or ()) == state for name, state in stats.items())


def seal(folder: Path, names: Iterable[str], made_for: Iterable[str]) -> None:
    """Note how the files of the local copy stand, now that they are whole, and those that it was made for."""
    stats = {
        group: {name: stat_cache.look(os.path.join(folder, name)) for name in found}
        for group, found in (("files", names), ("for", made_for))
    }
    temporary = folder / f"{SEAL}.new"
    temporary.write_text(json.dumps(stats))
    os.replace(temporary, folder / SEAL)


# -- postings as a file ----------------------------------------------------------------------------

_PARTS: tuple[tuple[str, Any], ...] = (
    ("starts", np.int64), ("documents", np.int32), ("lengths", np.int32), ("counts", np.uint8),
)  # fmt: skip


def save_postings(path: Path, postings: Postings) -> dict[str, int]:
    """Write postings; the sizes that `load_postings` needs."""
    sizes = {}
    with path.open("wb") as file:
        for name, kind in _PARTS:
            array = np.ascontiguousarray(getattr(postings, name), kind)
            sizes[f"words_{name}"] = len(array)
            array.tofile(file)
    return sizes


def load_postings(folder: Path, meta: Mapping[str, Any]) -> Postings:
    """The postings that meta names, mapped; none where nothing was saved yet."""
    if not meta.get("words"):
        return Postings.empty()
    with (folder / str(meta["words"])).open("rb") as file:
        view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    parts: dict[str, Any] = {}
    at = 0
    for name, kind in _PARTS:
        size = int(meta[f"words_{name}"])
        parts[name] = np.frombuffer(view, kind, size, at)
        at += parts[name].nbytes
    return Postings(**parts)
