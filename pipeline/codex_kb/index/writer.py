"""The local copy of the index brought up to date: what changed is read, the rest is only looked at."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from codex_kb import layout as places
from codex_kb.disk import stat_cache
from codex_kb.disk.stat_cache import Folder
from codex_kb.disk.store import as_claim
from codex_kb.disk.transaction import prepare_local, write_failed
from codex_kb.errors import RefusedFile
from codex_kb.index import changed, entry, postings, stored, vectors
from codex_kb.index import opened as local
from codex_kb.index.catalog import Card, Catalog
from codex_kb.kb import KnowledgeBase
from codex_kb.records import Claim
from codex_kb.text import markdown_file, passages, wikilinks, words
from codex_kb.text.fields import text as text_of

_LOCK = "lock"
#: Seconds that a run waits for another without a word.
_PATIENCE = 2.0
#: Claims that are embedded before the result is kept: some seconds' work.
_CHUNK = 256
#: The postings are made again when more documents than this, and than this part of all, came or went.
_FEW, _PART = 64, 50
#: Rows of the files that may stand for no claim before the copy is made from scratch.
_SPARE_ROWS = 1000
_COLUMNS = (("title", 2), ("description", 2), ("body", 1))


class _DamagedEntry(RefusedFile):
    """An entry of the index that does not hold what its name says."""

    code = "damaged-index"


def claims(kb: KnowledgeBase, announce: bool = True) -> None:
    """Bring the claims of the local copy up to date."""
    _write(
        kb,
        lambda writer: writer.claims(local.claim_folders(writer.root, kb.settings.kb.claims), time.time_ns()),
        announce,
    )


def everything(kb: KnowledgeBase, anew: bool = False) -> None:
    """Bring the claims of the local copy, and what it knows of the committed entries, up to date.

    With `anew` the committed entries are not believed: what is read is embedded.
    """

    def work(writer: _Writer) -> None:
        look = kb.look or local.Look.now(writer.root, kb.settings.kb.claims)
        kb.look = None
        writer.claims(look.claims, look.time)
        writer.entries(look.entries, look.time, every=True)

    _write(kb, work, anew=anew)


def committed(kb: KnowledgeBase, paths: Iterable[str]) -> None:
    """Take note of entries that were just written or removed."""
    folders = sorted({path.rpartition("/")[0] for path in paths if local.is_entry_folder(path)})

    def work(writer: _Writer) -> None:
        seen = (found for folder in folders for found in local.entry_folders(writer.root, folder))
        writer.entries(seen, time.time_ns(), every=False)

    _write(kb, work)


def _write(kb: KnowledgeBase, work: Callable[[_Writer], None], announce: bool = False, anew: bool = False) -> None:
    """Do work on the local copy: from scratch where it is damaged, in a temporary folder where its own refuses.

    Raises:
        WriteFailed: the temporary folder refuses too.
    """
    for last in (False, False, True):
        try:
            with _Writer(kb, announce, anew) as writer:
                work(writer)
            return
        except (OSError, sqlite3.OperationalError) as error:
            refused = error if isinstance(error, OSError) else OSError(str(error))
            if last or kb.index_folder.parent != kb.layout.local:
                raise write_failed(refused, kb.layout.root) from error
            _elsewhere(kb, refused.strerror or str(refused))
        except sqlite3.DatabaseError:
            if last:
                raise
            (kb.index_folder / local.SEAL).unlink(missing_ok=True)


class _Writer:
    """Holds the lock on the local copy; what is done with it is kept as a whole or not at all."""

    def __init__(self, kb: KnowledgeBase, announce: bool, anew: bool = False) -> None:
        self.kb = kb
        self.announce = announce
        self.anew = anew
        self.root = str(kb.layout.root)
        self.folder = _writable(kb)
        self._lock = FileLock(self.folder / _LOCK)

    def __enter__(self) -> _Writer:
        try:
            self._lock.acquire(timeout=_PATIENCE)
        except Timeout:
            self.kb.say("another run brings the index up to date; waiting for it")
            self._lock.acquire()
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.catalog.close(keep=kind is None)
            if kind is None:
                names = [local.CATALOG, local.WHOLE, local.TITLE, *self._named()]
                quick = str(self.meta["quick"])
                made_for = [os.path.join(self.root, places.SETTINGS), os.path.join(quick, "model.safetensors")]
                local.seal(self.folder, names, made_for if quick else [])
                for stale in self.folder.iterdir():
                    if stale.name not in {*names, local.SEAL, _LOCK}:
                        stale.unlink(missing_ok=True)
        finally:
            self._lock.release()

    def _named(self) -> list[str]:
        return [str(self.meta[name]) for name in ("words", "near") if self.meta.get(name)]

    def _open(self) -> None:
        wanted = local.identity(self.kb)
        if local.sealed(self.folder) is not None:
            with contextlib.suppress(sqlite3.Error):
                self.catalog = Catalog(str(self.folder / local.CATALOG), write=True)
                self.meta = self.catalog.meta()
                spare = int(self.meta["rows"]) - 2 * int(self.meta["claims"])
                if all(self.meta.get(name) == value for name, value in wanted.items()) and spare <= _SPARE_ROWS:
                    return
                self.catalog.close(keep=False)
        for old in self.folder.iterdir():
            if old.name != _LOCK:
                old.unlink()
        self.catalog = Catalog(str(self.folder / local.CATALOG), write=True)
        self.meta = {**wanted, "rows": 0, "dimension": 0, "claims": 0, "words_rows": 0, "files": 0, "made": 0,
                     "folder_times": b"", "looked": 0, "quick": self.kb.encoder.quick()}  # fmt: skip
        for name in (local.WHOLE, local.TITLE):
            (self.folder / name).touch()
        self.catalog.set_meta(self.meta)

    # -- claims ------------------------------------------------------------------------------------

    def claims(self, seen: Iterable[Folder], looked: int) -> None:
        """Read the claims that changed since, embed what no entry holds, and forget those that went.

        `seen` are the folders as they were found after the time `looked` (ns).
        """
        diff = changed.find(self.catalog, self.root, seen, looked, local.may_be_claim, _holds_claims)
        gone = [f"{folder}/{name}" for folder, name in diff.removed]
        total = len(diff.changed)
        for at in range(0, total, _CHUNK):
            self.kb.progress("indexing", at, total)
            self._read_claims(diff.changed[at : at + _CHUNK], diff.looked)
        self.kb.progress("indexing", total, total)
        self.catalog.remove(card.id for card in self.catalog.by_path(gone).values())
        changed.note(self.catalog, diff)
        self._set(settled=bool(self.meta.get("settled")) and self.catalog.settled())
        known = [path for path in self.catalog.folders() if not local.is_entry_folder(path)]
        times, newest = stat_cache.folder_times(self.root, sorted(known))
        self.meta["claims"] = self.catalog.count()
        if newest >= diff.looked:  # a folder changed while its files were read: the next run looks again
            times = b""
        self._set(folder_times=times, looked=diff.looked, files=self.catalog.file_count(places.INDEX))
        self._merge()

    def _set(self, **values: Any) -> None:
        self.meta |= values
        self.catalog.set_meta(self.meta)

    def _read_claims(self, files: Sequence[changed.Seen], looked: int) -> None:
        found: list[Claim] = []
        others: list[str] = []

        def take(path: str, data: bytes) -> None:
            file = markdown_file.parse(data, path)
            if text_of(file.fields.get("type")).lower() == "claim":
                found.append(as_claim(file, path))
            else:
                others.append(path)

        others += changed.read(self.catalog, self.kb.store, files, looked, take)
        self.catalog.remove(card.id for card in self.catalog.by_path(others).values())
        self._add(found)

    def _add(self, found: Sequence[Claim]) -> None:
        """Put claims in, at the end of every array; what stood at their paths goes."""
        texts = [entry.texts_of(claim) for claim in found]
        keys = [entry.key_of(self.kb.encoder.name, each) for each in texts]
        embedded = self._vectors(dict(zip(keys, texts, strict=True)))
        packed = self._packed(found)
        self.catalog.remove(card.id for card in self.catalog.by_path([claim.path for claim in found]).values())
        first = int(self.meta["rows"])
        self.catalog.add(
            (_card(first + number, key, claim), packed[number], wikilinks.names_of(claim.path, claim.title),
             wikilinks.targets(claim.fields, claim.body))
            for number, (key, claim) in enumerate(zip(keys, found, strict=True))
        )  # fmt: skip
        if found:
            vectors.append(self.folder / local.WHOLE, np.stack([embedded[key].whole for key in keys]))
            vectors.append(self.folder / local.TITLE, np.stack([embedded[key].title for key in keys]))
            self._set(rows=first + len(found), dimension=len(embedded[keys[0]].title))

    def _vectors(self, texts: dict[str, entry.Texts]) -> dict[str, entry.Entry]:
        """The entries of these keys: committed, waiting, or embedded now."""
        known = {} if self.anew else {key: stored.read(self.kb, key) for key in texts}
        found = {key: one for key, one in known.items() if one is not None}
        missing = {key: text for key, text in texts.items() if key not in found}
        if not missing:
            return found
        if self.announce:
            self.announce = False
            self.kb.say("some claims are not in the index yet; embedding them (codex distill keeps the result)")
        for key, data in stored.embed(self.kb, missing).items():
            found[key] = entry.load_entry(data, key)
            stored.keep(self.kb, key, data)
        return found

    def _packed(self, found: Sequence[Claim]) -> list[bytes]:
        counted = [words.weighted((_column(claim, name), weight) for name, weight in _COLUMNS) for claim in found]
        asked = {term for counts, _ in counted for term in counts}
        known = self.catalog.term_ids(asked)
        next_ = int(self.meta.get("terms", 0))
        new = {term: next_ + number for number, term in enumerate(sorted(asked - known.keys()))}
        self.catalog.add_terms(new.items())
        self._set(terms=next_ + len(new))
        known |= new
        return [
            postings.pack({known[term]: times for term, times in counts.items()}, length) for counts, length in counted
        ]

    def _merge(self) -> None:
        """Make postings and approximate index again, when much has come and gone since."""
        first, rows = int(self.meta["words_rows"]), int(self.meta["rows"])
        gone = [row for row, _ in self.catalog.gone() if row < first]
        if rows - first + len(gone) <= max(_FEW, int(self.meta["claims"]) // _PART):
            return
        base = local.load_postings(self.folder, self.meta)
        made = int(self.meta["made"]) + 1
        name = f"words-{made}.bin"
        merged = postings.merge(base, gone, self.catalog.since(first))
        sizes = local.save_postings(self.folder / name, merged)
        self.catalog.forget_gone()
        self._set(words=name, words_rows=rows, made=made, **sizes)
        self._approximate(f"near-{made}.faiss")

    def _approximate(self, name: str) -> None:
        rows = int(self.meta["rows"])
        if int(self.meta["claims"]) < vectors.APPROXIMATE_FROM:
            self._set(near="", near_rows=0)
            return
        matrix = vectors.mapped(self.folder / local.WHOLE, rows, int(self.meta["dimension"]))
        dead = np.array(self.catalog.dead_rows(), np.int64)
        first = int(self.meta.get("near_rows", 0))
        if self.meta.get("near"):
            come = np.setdiff1d(np.arange(first, rows), dead)
            vectors.renew(self.folder / str(self.meta["near"]), self.folder / name, matrix, dead, come)
            self._set(near=name, near_rows=rows)
            return
        self.kb.say(f"making the approximate index of {self.meta['claims']} claims")
        probes, recall = vectors.build(self.folder / name, matrix, np.setdiff1d(np.arange(rows), dead))
        self._set(near=name, near_rows=rows, probes=probes, recall=recall)

    # -- entries -----------------------------------------------------------------------------------

    def entries(self, seen: Iterable[Folder], looked: int, every: bool) -> None:
        """Read the committed entries of these folders that changed; with `every`, there are no others."""
        diff = changed.find(self.catalog, self.root, seen, looked, local.is_entry, local.is_entry_folder, every)

        def take(path: str, data: bytes) -> None:
            try:
                entry.load_entry(data, entry.entry_key(path))
            except ValueError as error:
                raise _DamagedEntry(str(error), path=path, line=1, hint="codex distill") from error

        changed.read(self.catalog, self.kb.store, diff.changed, diff.looked, take)
        touched = [(folder, name) for folder, name, *_ in diff.changed] + diff.removed
        self.catalog.touch(entry.entry_key(f"{folder}/{name}") for folder, name in touched)
        changed.note(self.catalog, diff)
        settled = self.catalog.settle(places.INDEX)
        manifest = stat_cache.look(os.path.join(self.root, places.MANIFEST))
        self._set(manifest=json.dumps(manifest), settled=settled and manifest is not None)


# --------------------------------------------------------------------------------------------------


def _writable(kb: KnowledgeBase) -> Path:
    """The folder of the local copy; a temporary one where the knowledge base cannot be written."""
    try:
        prepare_local(kb.layout.root)
        kb.index_folder.mkdir(parents=True, exist_ok=True)
        if os.access(kb.index_folder, os.W_OK):
            return kb.index_folder
        reason = "Permission denied"
    except OSError as error:
        reason = error.strerror or str(error)
    _elsewhere(kb, reason)
    return kb.index_folder


def _elsewhere(kb: KnowledgeBase, reason: str) -> None:
    """Keep the local copy in a temporary folder for this run."""
    kb.say(f"{local.FOLDER}: not kept: {reason}")
    kb.index_folder = Path(tempfile.mkdtemp(prefix="codex-index-"))
    atexit.register(shutil.rmtree, kb.index_folder, ignore_errors=True)


def _holds_claims(folder: str) -> bool:
    return not local.is_entry_folder(folder)


def _card(row: int, key: str, claim: Claim) -> Card:
    return Card(row, claim.path, key, claim.title, claim.domain, claim.confidence, claim.description, claim.status,
                bool(claim.fields.get("challenged_by")), text_of(claim.fields.get("created")))  # fmt: skip


def _column(claim: Claim, name: str) -> str:
    return passages.prose(claim.body) if name == "body" else str(getattr(claim, name))
