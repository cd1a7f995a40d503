"""The index of a knowledge base as a search opens it: a local copy of claims and vectors, mapped from disk.

What is committed is codex/index/, one entry a claim. The local copy is made from it and from the claims by
`workflow.refresh`, and made again whenever its seal is broken.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from codex_kb import layout as places
from codex_kb.disk import stat_cache
from codex_kb.errors import Conflict
from codex_kb.index import vectors
from codex_kb.index.catalog import Catalog
from codex_kb.index.postings import Bm25, Postings
from codex_kb.text.words import terms

if TYPE_CHECKING:
    from codex_kb.encoders.bert import BertEncoder
    from codex_kb.kb import KnowledgeBase
    from codex_kb.ports import Vectors
    from codex_kb.records import Hit

FOLDER = f"{places.LOCAL}/index"
CATALOG = "catalog.db"
WHOLE = "claims.f32"
TITLE = "titles.f32"
SEAL = "seal.json"
#: Up to so many files every one of them is looked at before a search; above, folders and hits are.
LOOK_AT_ALL = 5_000
_TRIES = 5


class Broken(Exception):
    """The local copy is not there, not whole, or not of this knowledge base."""


class ClaimIndex:
    """All claims with their words and vectors, as they were at one moment; rows are the ids of cards."""

    def __init__(self, folder: Path) -> None:
        """Open the local copy.

        Raises:
            Broken: it is not there, not whole, or was altered.
        """
        self._for = sealed(folder)
        if self._for is None:
            raise Broken
        self._folder = folder
        try:
            self.catalog = Catalog(str(folder / CATALOG))
            self.meta = self.catalog.meta()
            self._rows, dimension = int(self.meta["rows"]), int(self.meta["dimension"])
            #: For each row one vector for all of the claim; float32 of shape (rows, dimension), mapped.
            self.whole = vectors.mapped(folder / WHOLE, self._rows, dimension)
            #: For each row the vector of title and description; of the same shape.
            self.title = vectors.mapped(folder / TITLE, self._rows, dimension)
            #: Rows that stand for no claim any more.
            self.gone = np.array(self.catalog.dead_rows(), np.int64)
            #: BM25 over title, description and argument.
            self.words = self._words()
            # Rows are never given to another claim: what is asked later fits what was read now.
            self.catalog.release()
        except (sqlite3.Error, OSError, KeyError, ValueError) as error:
            raise Broken from error

    def _words(self) -> Bm25:
        first = int(self.meta["words_rows"])
        gone = [(row, packed) for row, packed in self.catalog.gone() if row < first]
        return Bm25(load_postings(self._folder, self.meta), gone, self.catalog.since(first))

    def close(self) -> None:
        """Let go of the files."""
        self.catalog.close(keep=False)

    @property
    def claims(self) -> int:
        """How many claims there are."""
        return int(self.meta["claims"])

    # -- meaning -----------------------------------------------------------------------------------

    @cached_property
    def _approximate(self) -> vectors.Approximate | None:
        name = self.meta.get("near")
        if not name:
            return None
        with contextlib.suppress(RuntimeError):  # it was made anew meanwhile: the exact scan knows as much
            return vectors.Approximate(self._folder / str(name), int(self.meta["probes"]))
        return None

    def nearest(self, query: Vectors, k: int, only: vectors.Rows | None = None) -> vectors.Rows:
        """The k rows nearest to a query by all of the claim, best first; of `only` these, where given."""
        if only is not None or self._approximate is None:
            return vectors.scan(self.whole, query, k, only, self.gone)
        first = int(self.meta["near_rows"])
        rows = self._approximate.nearest(query, k + min(k, len(self.gone)))
        rows = np.concatenate([rows[~np.isin(rows, self.gone)], np.setdiff1d(np.arange(first, self._rows), self.gone)])
        return np.asarray(rows[vectors.top(vectors.scores_of(self.whole, query, rows), k)], np.int64)

    def nearest_titles(self, queries: Vectors, k: int) -> list[tuple[Hit, ...]]:
        """For each query the k claims nearest by title and description, with cosines; ties by path."""
        from codex_kb.records import Hit  # noqa: PLC0415 (a search shows none)

        found: list[tuple[Hit, ...]] = []
        for query in queries if self.claims else ():
            rows = vectors.scan(self.title, query, min(k + 5, self.claims), None, self.gone)
            scores = dict(zip(rows.tolist(), vectors.scores_of(self.title, query, rows).tolist(), strict=True))
            cards = sorted(self.catalog.cards(list(scores)).values(), key=lambda c: (-round(scores[c.id], 6), c.path))
            found.append(tuple(Hit(c.path, c.title, round(scores[c.id], 4)) for c in cards[:k]))
        return found or [() for _ in queries]

    # -- words -------------------------------------------------------------------------------------

    def term_weights(self, text: str) -> tuple[dict[int, float], float]:
        """Each known term of a text, counted once; and a bound of the score that a document can have for it.

        Terms that nobody wrote raise the bound alone: what was not found makes every hit poorer.
        """
        asked = set(terms(text))
        known = self.catalog.term_ids(asked)
        idf = sum(map(self.words.idf, known.values())) + (len(asked) - len(known)) * self.words.rarest
        return dict.fromkeys(known.values(), 1.0), self.words.most(idf)

    def worth(self, text: str) -> dict[str, float]:
        """What each term of a text that some claim has counts: how rare it is."""
        known = self.catalog.term_ids(set(terms(text)))
        return {term: self.words.idf(number) for term, number in known.items()}

    # -- freshness ---------------------------------------------------------------------------------

    def fits(self, kb: KnowledgeBase) -> bool:
        """Was it made for these settings and this model?"""
        if self._for and _stand(str(self._folder), self._for):
            return True
        return all(self.meta.get(name) == value for name, value in identity(kb).items())

    def embed(self, kb: KnowledgeBase, question: str) -> Vectors:
        """The vector of a question, float32 of shape (dimension)."""
        return kb.encoder.query(question) if self._quick is None else np.asarray(self._quick.encode([question])[0])

    @cached_property
    def _quick(self) -> BertEncoder | None:
        from codex_kb.encoders.bert import BertEncoder  # noqa: PLC0415 (other modes need none)

        return BertEncoder(Path(str(self.meta["quick"]))) if self.meta["quick"] else None

    def current(self, kb: KnowledgeBase, every_file: bool = False) -> bool:
        """Are the claims as they were? A look at every file, or above a number of claims at folders alone."""
        root = str(kb.layout.root)
        known = {path: state for path, state in self.catalog.folders().items() if not is_entry_folder(path)}
        if not every_file and int(self.meta["files"]) > LOOK_AT_ALL:
            digest, newest = stat_cache.folder_times(root, sorted(known))
            return digest == self.meta["folder_times"] and not stat_cache.racy(newest, int(self.meta["looked"]))
        seen = {folder.path: folder for folder in claim_folders(root, json.loads(self.meta["folders"])[0])}
        return seen.keys() == known.keys() and all(
            folder.clean(*known[path]) for path, folder in seen.items()
        )  # fmt: skip

    def unchanged(self, kb: KnowledgeBase, paths: Collection[str]) -> bool:
        """Are these claims' files as they were?"""
        return all(
            self.catalog.file(path) == stat_cache.look(os.path.join(kb.layout.root, path)) for path in paths
        )  # fmt: skip


class Look(NamedTuple):
    """The folders of claims and of entries, as they were found after a time (ns)."""

    time: int
    claims: list[stat_cache.Folder]
    entries: list[stat_cache.Folder]

    @classmethod
    def now(cls, root: str, starts: Iterable[str]) -> Look:
        """Look at every file below the folders of claims, and at every entry."""
        # The time comes before the look: what changes while it lasts is looked at again.
        return cls(time.time_ns(), list(claim_folders(root, starts)), list(entry_folders(root, places.INDEX)))


def load(kb: KnowledgeBase, announce: bool = True, every_file: bool = False) -> ClaimIndex:
    """The index of all claims as they are now. What the committed index lacks is embedded and kept locally.

    Nothing that git knows of is written.
    """
    try:
        found = ClaimIndex(kb.index_folder)
        if found.fits(kb) and found.current(kb, every_file):
            return found
        found.close()
    except Broken:
        pass
    from codex_kb.index import writer  # noqa: PLC0415

    return after(kb, lambda: writer.claims(kb, announce))


def after(kb: KnowledgeBase, update: Callable[[], None]) -> ClaimIndex:
    """The index once `update` brought the local copy up to date.

    Raises:
        Conflict: other runs write it all the time.
    """
    for _ in range(_TRIES):
        update()
        with contextlib.suppress(Broken):  # another run has begun to write it
            return ClaimIndex(kb.index_folder)
    raise Conflict("other runs write the index all the time", path=FOLDER, hint="run the command again when they end")


def identity(kb: KnowledgeBase) -> dict[str, Any]:
    """What a local copy must have been made for."""
    from codex_kb.index import catalog  # noqa: PLC0415

    folders = json.dumps([list(kb.settings.kb.claims), kb.settings.ingest.max_bytes])
    return {"version": catalog.VERSION, "folders": folders, "model": kb.encoder.name}


def is_entry_folder(path: str) -> bool:
    """Does a folder belong to the committed index?"""
    return path == places.INDEX or path.startswith(places.INDEX + "/")


def claim_folders(root: str, starts: Iterable[str]) -> Iterable[stat_cache.Folder]:
    """The folders with claims as they are now, each once."""
    seen = set()
    for start in starts:
        for folder in stat_cache.scan(root, start, may_be_claim, no_claims):
            if folder.path not in seen:
                seen.add(folder.path)
                yield folder


def entry_folders(root: str, start: str) -> Iterable[stat_cache.Folder]:
    """The folders with committed entries at and below one, as they are now."""
    return stat_cache.scan(root, start, is_entry, lambda _: False)


def is_entry(name: str) -> bool:
    """Is this an entry, by a file's name?"""
    return name.endswith(".jsonl")


def may_be_claim(name: str) -> bool:
    """Is this a claim, by a file's name?"""
    return places.is_markdown(name) and not places.topic_map(name)


def no_claims(path: str) -> bool:
    """Is this a folder of ours that never holds claims?"""
    return path in places.NOT_CLAIMS


# -- the seal --------------------------------------------------------------------------------------


def sealed(folder: Path) -> dict[str, Any] | None:
    """What the local copy was made for (files and how they stood), None where it is not as it was when finished."""
    try:
        written = json.loads((folder / SEAL).read_bytes())
        return dict(written["for"]) if written["files"] and _stand(str(folder), written["files"]) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _stand(folder: str, stats: Mapping[str, Any]) -> bool:
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
