"""The index of a knowledge base as a search opens it: a local copy of claims and vectors, mapped from disk.

What is committed is codex/index/, one entry a claim. The local copy is made from it and from the claims by
`index.writer`, and made again whenever its seal is broken.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Collection
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from codex_kb import layout as places
from codex_kb.disk import stat_cache
from codex_kb.errors import Conflict
from codex_kb.index import local, vectors
from codex_kb.index.catalog import Catalog
from codex_kb.index.postings import Bm25
from codex_kb.text.words import terms

if TYPE_CHECKING:
    from codex_kb.encoders.bert import BertEncoder
    from codex_kb.encoders.onnx import OnnxEncoder
    from codex_kb.index.writer import Writing
    from codex_kb.kb import KnowledgeBase
    from codex_kb.ports import Vectors
    from codex_kb.records import Hit

#: Questions after which ONNX Runtime embeds them: it takes as long to load as it saves in half as many.
_OFTEN = 50
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
        self._seal = stat_cache.look(str(folder / local.SEAL))
        self._for = local.sealed(folder)
        if self._for is None:
            raise Broken
        self._folder = folder
        self._asked = 0
        try:
            self.catalog = Catalog(str(folder / local.CATALOG))
            self.meta = self.catalog.meta()
            local.named(self.meta)
            self._rows, dimension = int(self.meta["rows"]), int(self.meta["dimension"])
            #: For each row one vector for all of the claim; float32 of shape (rows, dimension), mapped.
            self.whole = vectors.mapped(folder / local.WHOLE, self._rows, dimension)
            #: For each row the vector of title and description; of the same shape.
            self.title = vectors.mapped(folder / local.TITLE, self._rows, dimension)
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
        return Bm25(local.load_postings(self._folder, self.meta), gone, self.catalog.since(first))

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

    @cached_property
    def _exact(self) -> vectors.Exact:
        return vectors.Exact(self.whole, self.gone)

    def nearest(self, query: Vectors, k: int, only: vectors.Rows | None = None) -> vectors.Rows:
        """The k rows nearest to a query by all of the claim, best first; of `only` these, where given."""
        if only is not None:
            return vectors.scan(self.whole, query, k, only)
        if self._approximate is None:
            return self._exact.nearest(query, k)
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
        settings = os.path.join(kb.layout.root, places.SETTINGS)
        if self._for and settings in self._for and local.stand(str(self._folder), self._for):
            return True
        wanted = local.identity(kb.settings, kb.encoder)
        return all(self.meta.get(name) == value for name, value in wanted.items())

    def embed(self, kb: KnowledgeBase, question: str) -> Vectors:
        """The vector of a question, float32 of shape (dimension)."""
        if self._embedded is None:
            return kb.encoder.query(question)
        self._asked += 1
        return np.asarray((self._numpy if self._asked <= _OFTEN else self._onnx).encode([question])[0])

    @cached_property
    def _embedded(self) -> Path | None:
        """The embedded default, which needs no settings and nobody's word; any other model is the encoder's to find."""
        from codex_kb.encoders import weights  # noqa: PLC0415 (other modes need none)

        folder = weights.embedded()
        return folder if self.meta["quick"] == str(folder) else None

    @cached_property
    def _numpy(self) -> BertEncoder:
        from codex_kb.encoders.bert import BertEncoder  # noqa: PLC0415

        assert self._embedded is not None
        return BertEncoder(self._embedded)

    @cached_property
    def _onnx(self) -> OnnxEncoder | BertEncoder:
        from codex_kb.encoders import onnx  # noqa: PLC0415

        assert self._embedded is not None
        return onnx.OnnxEncoder(self._embedded, threads=1) if onnx.available() else self._numpy

    @cached_property
    def _folders(self) -> dict[str, tuple[bytes, int]]:
        """The folders of claims in their order, as they were seen: digest, time of looking (ns)."""
        folders = self.catalog.folders()
        return {path: folders[path] for path in sorted(folders) if not local.is_entry_folder(path)}

    def current(self, kb: KnowledgeBase, every_file: bool = False) -> bool:
        """Are the claims as they were, and the local copy? A look at every file, or above a number at folders alone."""
        if stat_cache.look(str(self._folder / local.SEAL)) != self._seal:
            return False
        root, known = str(kb.layout.root), self._folders
        if not every_file and self.claims > local.LOOK_AT_ALL:
            digest, newest = stat_cache.folder_times(root, known)
            return digest == self.meta["folder_times"] and not stat_cache.racy(newest, int(self.meta["looked"]))
        starts = json.loads(self.meta["folders"])[0]
        seen = {folder.path: folder for folder in local.claim_folders(root, starts, self.claims)}
        return seen.keys() == known.keys() and all(
            folder.clean(*known[path]) for path, folder in seen.items()
        )  # fmt: skip

    def unchanged(self, kb: KnowledgeBase, paths: Collection[str]) -> bool:
        """Are these claims' files as they were?"""
        return all(
            self.catalog.file(path) == stat_cache.look(os.path.join(kb.layout.root, path)) for path in paths
        )  # fmt: skip


def load(kb: KnowledgeBase, announce: bool = True, every_file: bool = False) -> ClaimIndex:
    """The index of all claims as they are now. What the committed index lacks is embedded and kept locally.

    Nothing that git knows of is written.
    """
    try:
        found = ClaimIndex(local.folder(kb.layout.root))
        if found.fits(kb) and found.current(kb, every_file):
            return found
        found.close()
    except Broken:
        pass
    from codex_kb.index import writer  # noqa: PLC0415 (what is up to date needs none)

    return after(kb, lambda: writer.claims(kb.layout.root, writing(kb, announce)))


def writing(kb: KnowledgeBase, announce: bool = False, anew: bool = False) -> Writing:
    """What the writer of the local copy takes of a knowledge base."""
    from codex_kb.index.writer import Writing  # noqa: PLC0415

    return Writing(kb.settings, kb.encoder, kb.store, kb.say, kb.progress, announce, anew)


def after(kb: KnowledgeBase, update: Callable[[], None]) -> ClaimIndex:
    """The index once `update` brought the local copy up to date.

    Raises:
        Conflict: other runs write it all the time.
    """
    for _ in range(_TRIES):
        update()
        with contextlib.suppress(Broken):  # another run has begun to write it
            return ClaimIndex(local.folder(kb.layout.root))
    raise Conflict("other runs write the index all the time", path=local.FOLDER,
                   hint="run the command again when they end")  # fmt: skip
