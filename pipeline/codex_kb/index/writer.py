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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from codex_kb import layout as places
from codex_kb.config import Settings
from codex_kb.disk import stat_cache
from codex_kb.disk.stat_cache import Folder
from codex_kb.disk.store import Store, as_claim
from codex_kb.disk.transaction import prepare_local, write_failed
from codex_kb.errors import RefusedFile
from codex_kb.index import changed, entry, local, postings, stored, vectors
from codex_kb.index.catalog import Card, Catalog
from codex_kb.ports import Encoder
from codex_kb.records import Claim
from codex_kb.text import facets, markdown_file, passages, wikilinks, words
from codex_kb.text.fields import text as text_of

_LOCK = "lock"
#: Seconds that a run waits for another without a word.
_PATIENCE = 2.0
#: The postings are made again when more documents than this, and than this part of all, came or went.
_FEW, _PART = 64, 50
#: Rows of the files that may stand for no claim before the copy is made from scratch.
_SPARE_ROWS = 1000
_COLUMNS = (("title", 2), ("description", 2), ("body", 1))


class _DamagedEntry(RefusedFile):
    """An entry of the index that does not hold what its name says."""

    code = "damaged-index"


@dataclass(frozen=True)
class Writing:
    """What the local copy is written from, and who is told; with `anew` the committed entries are not believed."""

    settings: Settings
    encoder: Encoder
    store: Store
    say: Callable[[str], None]
    progress: Callable[[str, int, int], None]
    announce: bool = False
    anew: bool = False
    #: Claims that are embedded before the result is kept: by default some seconds' work.
    chunk: int = 64


def claims(root: Path, given: Writing) -> None:
    """Bring the claims of the local copy up to date."""

    def work(writer: _Writer) -> None:
        # It looks while its folders are asked for: the time comes before.
        seen = local.claim_folders(writer.root, given.settings.kb.claims, int(writer.meta["claims"]))
        writer.claims(seen, time.time_ns())

    _write(root, given, work)


def everything(root: Path, given: Writing, look: local.Look | None = None) -> None:
    """Bring the claims of the local copy, and what it knows of the committed entries, up to date.

    `look` is how the folders of both were found, where that was just looked at.
    """

    def work(writer: _Writer) -> None:
        seen = look or local.Look.now(writer.root, given.settings.kb.claims, int(writer.meta["claims"]))
        writer.claims(seen.claims, seen.time)
        writer.entries(seen.entries, seen.time, every=True)

    _write(root, given, work)


def committed(root: Path, given: Writing, paths: Iterable[str]) -> None:
    """Take note of entries that were just written or removed."""
    folders = sorted({path.rpartition("/")[0] for path in paths if local.is_entry_folder(path)})

    def work(writer: _Writer) -> None:
        claims = int(writer.meta["claims"])
        seen = (found for folder in folders for found in local.entry_folders(writer.root, folder, claims))
        writer.entries(seen, time.time_ns(), every=False)

    _write(root, given, work)


def _write(root: Path, given: Writing, work: Callable[[_Writer], None]) -> None:
    """Do work on the local copy: from scratch where it is damaged, in a temporary folder where its own refuses.

    Raises:
        WriteFailed: the temporary folder refuses too.
    """
    for last in (False, False, True):
        try:
            with _writing(root, given) as writer:
                work(writer)
            return
        except (OSError, sqlite3.OperationalError) as error:
            refused = error if isinstance(error, OSError) else OSError(str(error))
            if last or local.folder(root) != root / local.FOLDER:
                raise write_failed(refused, root) from error
            _elsewhere(root, given, refused.strerror or str(refused))
        except sqlite3.DatabaseError:
            if last:
                raise
            (local.folder(root) / local.SEAL).unlink(missing_ok=True)


@contextlib.contextmanager
def _writing(root: Path, given: Writing) -> Iterator[_Writer]:
    """Hold the lock on the local copy; what is done with it is kept as a whole or not at all."""
    folder = _writable(root, given)
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=_PATIENCE)
    except Timeout:
        given.say("another run brings the index up to date; waiting for it")
        lock.acquire()
    try:
        writer = _Writer(root, given, folder, *_open(folder, given))
        try:
            yield writer
        except BaseException:
            writer.catalog.close(keep=False)
            raise
        writer.close()
    finally:
        lock.release()


def _open(folder: Path, given: Writing) -> tuple[Catalog, dict[str, Any]]:
    """The catalog and what it says of itself; made from scratch where it is not whole or for something else."""
    wanted = local.identity(given.settings, given.encoder)
    if local.sealed(folder) is not None:
        with contextlib.suppress(sqlite3.Error, ValueError):
            catalog = Catalog(str(folder / local.CATALOG), write=True)
            meta = catalog.meta()
            local.named(meta)
            spare = int(meta["rows"]) - 2 * int(meta["claims"])
            if all(meta.get(name) == value for name, value in wanted.items()) and spare <= _SPARE_ROWS:
                return catalog, meta
            catalog.close(keep=False)
    for old in folder.iterdir():
        if local.written(old.name):
            old.unlink()
    catalog = Catalog(str(folder / local.CATALOG), write=True)
    meta = {**wanted, "rows": 0, "dimension": 0, "claims": 0, "words_rows": 0, "made": 0,
            "folder_times": b"", "looked": 0, "quick": given.encoder.quick()}  # fmt: skip
    for name in (local.WHOLE, local.TITLE):
        (folder / name).touch()
    catalog.set_meta(meta)
    return catalog, meta


class _Writer:
    """Writes the local copy while its lock is held."""

    def __init__(self, root: Path, given: Writing, folder: Path, catalog: Catalog, meta: dict[str, Any]) -> None:
        self.given = given
        self.announce = given.announce
        self.folder = folder
        self.catalog = catalog
        self.meta = meta
        self._root = root
        self.root = str(root)

    def close(self) -> None:
        """Keep what was done, seal the files, and remove those that serve no longer."""
        self.catalog.close()
        quick = str(self.meta["quick"])
        names = [local.CATALOG, local.WHOLE, local.TITLE, *local.named(self.meta)]
        made_for = [os.path.join(self.root, places.SETTINGS), os.path.join(quick, "model.safetensors")]
        local.seal(self.folder, names, made_for if quick else [])
        for stale in self.folder.iterdir():
            if local.written(stale.name) and stale.name not in {*names, local.SEAL}:
                stale.unlink(missing_ok=True)

    # -- claims ------------------------------------------------------------------------------------

    def claims(self, seen: Iterable[Folder], looked: int) -> None:
        """Read the claims that changed since, embed what no entry holds, and forget those that went.

        `seen` are the folders as they were found after the time `looked` (ns).
        """
        diff = changed.find(self.catalog, self.root, seen, looked, places.may_be_claim, _holds_claims)
        gone = [f"{folder}/{name}" for folder, name in diff.removed]
        total = len(diff.changed)
        for at in range(0, total, self.given.chunk):
            self.given.progress("indexing", at, total)
            self._read_claims(diff.changed[at : at + self.given.chunk], diff.looked)
        self.given.progress("indexing", total, total)
        self.catalog.remove(card.id for card in self.catalog.by_path(gone).values())
        changed.note(self.catalog, diff)
        self._set(settled=bool(self.meta.get("settled")) and self.catalog.settled())
        known = [path for path in self.catalog.folders() if not local.is_entry_folder(path)]
        times, newest = stat_cache.folder_times(self.root, sorted(known))
        self.meta["claims"] = self.catalog.count()
        if newest >= diff.looked:  # a folder changed while its files were read: the next run looks again
            times = b""
        self._set(folder_times=times, looked=diff.looked)
        self._merge()

    def _set(self, **values: Any) -> None:
        self.meta |= values
        self.catalog.set_meta(self.meta)

    def _read_claims(self, files: Sequence[changed.Seen], looked: int) -> None:
        found: list[Claim] = []
        others: list[str] = []

        def take(path: str, data: bytes) -> None:
            """Sort a file that changed: a claim, or something else by now."""
            file = markdown_file.parse(data, path)
            if text_of(file.fields.get("type")).lower() == "claim":
                found.append(as_claim(file, path))
            else:
                others.append(path)

        others += changed.read(self.catalog, self.given.store, files, looked, take)
        self.catalog.remove(card.id for card in self.catalog.by_path(others).values())
        self._add(found)

    def _add(self, found: Sequence[Claim]) -> None:
        """Put claims in, at the end of every array; what stood at their paths goes."""
        texts = [entry.texts_of(claim) for claim in found]
        keys = [entry.key_of(self.given.encoder.name, each) for each in texts]
        embedded = self._vectors(dict(zip(keys, texts, strict=True)))
        packed = self._packed(found)
        self.catalog.remove(card.id for card in self.catalog.by_path([claim.path for claim in found]).values())
        first = int(self.meta["rows"])
        self.catalog.add(
            (_card(first + number, key, claim), packed[number], wikilinks.names_of(claim.path, claim.title),
             _links(claim), facets.of(claim.fields))
            for number, (key, claim) in enumerate(zip(keys, found, strict=True))
        )  # fmt: skip
        if found:
            vectors.append(self.folder / local.WHOLE, np.stack([embedded[key].whole for key in keys]))
            vectors.append(self.folder / local.TITLE, np.stack([embedded[key].title for key in keys]))
            self._set(rows=first + len(found), dimension=len(embedded[keys[0]].title))

    def _vectors(self, texts: dict[str, entry.Texts]) -> dict[str, entry.Entry]:
        """The entries of these keys: committed, waiting, or embedded now."""
        known = {} if self.given.anew else {key: stored.read(self._root, key) for key in texts}
        found = {key: one for key, one in known.items() if one is not None}
        if found:  # a checksum proves that nothing was altered, not that it was this model
            size = int(self.meta["dimension"]) or self.given.encoder.dimension
            found = {key: one for key, one in found.items() if len(one.title) == size}
        missing = {key: text for key, text in texts.items() if key not in found}
        if not missing:
            return found
        if self.announce:
            self.announce = False
            self.given.say("some claims are not in the index yet; embedding them (codex distill keeps the result)")
        for key, data in stored.embed(self.given.encoder, missing).items():
            found[key] = entry.load_entry(data, key)
            stored.keep(self._root, key, data, self.given.say)
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
        self.given.say(f"making the approximate index of {self.meta['claims']} claims")
        probes, recall = vectors.build(self.folder / name, matrix, np.setdiff1d(np.arange(rows), dead))
        self._set(near=name, near_rows=rows, probes=probes, recall=recall)

    # -- entries -----------------------------------------------------------------------------------

    def entries(self, seen: Iterable[Folder], looked: int, every: bool) -> None:
        """Read the committed entries of these folders that changed; with `every`, there are no others."""
        diff = changed.find(self.catalog, self.root, seen, looked, local.is_entry, local.is_entry_folder, every)

        def take(path: str, data: bytes) -> None:
            """Prove that an entry that changed is one. Raises _DamagedEntry."""
            try:
                entry.load_entry(data, entry.entry_key(path))
            except ValueError as error:
                raise _DamagedEntry(str(error), path=path, line=1, hint="codex distill") from error

        changed.read(self.catalog, self.given.store, diff.changed, diff.looked, take)
        touched = [(folder, name) for folder, name, *_ in diff.changed] + diff.removed
        self.catalog.touch(entry.entry_key(f"{folder}/{name}") for folder, name in touched)
        changed.note(self.catalog, diff)
        settled = self.catalog.settle(places.INDEX)
        manifest = stat_cache.look(os.path.join(self.root, places.MANIFEST))
        self._set(manifest=json.dumps(manifest), settled=settled and manifest is not None)


# --------------------------------------------------------------------------------------------------


def _writable(root: Path, given: Writing) -> Path:
    """The folder of the local copy; a temporary one where the knowledge base cannot be written."""
    folder = local.folder(root)
    try:
        prepare_local(root)
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
        reason = "Permission denied"
    except OSError as error:
        reason = error.strerror or str(error)
    return _elsewhere(root, given, reason)


def _elsewhere(root: Path, given: Writing, reason: str) -> Path:
    """Keep the local copy in a temporary folder for this process."""
    given.say(f"{local.FOLDER}: not kept: {reason}")
    folder = Path(tempfile.mkdtemp(prefix="codex-index-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    local.move(root, folder)
    return folder


def _holds_claims(folder: str) -> bool:
    return not local.is_entry_folder(folder)


def _card(row: int, key: str, claim: Claim) -> Card:
    return Card(row, claim.path, key, claim.title, claim.domain, claim.confidence, claim.description, claim.status,
                bool(claim.fields.get("challenged_by")), text_of(claim.fields.get("created")))  # fmt: skip


def _links(claim: Claim) -> dict[str, str]:
    """For each name that a claim links to, the terms of the sentences that do, a line each."""
    said = wikilinks.said(claim.body)
    return {name: "\n".join(" ".join(dict.fromkeys(words.terms(sentence))) for sentence in said.get(name, ()))
            for name in wikilinks.targets(claim.fields, claim.body)}  # fmt: skip


def _column(claim: Claim, name: str) -> str:
    return passages.prose(claim.body) if name == "body" else str(getattr(claim, name))
