"""`codex distill`: the index brought in line with the claims, or proved to be."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from codex_kb import layout as places
from codex_kb.disk.transaction import Change, read
from codex_kb.index import changed, entry, stored, writer
from codex_kb.index import opened as indexes
from codex_kb.index.catalog import Catalog
from codex_kb.index.settled import Distilled
from codex_kb.kb import KnowledgeBase
from codex_kb.records import GENERATION_ZERO, Claim, Problem

#: Largest difference of a coordinate that rounding to half precision and another machine explain.
_TOLERANCE = 2e-3
_CHUNK = 256
#: Claims that the ways to run the model are compared on.
_PROVED_ON = 64
#: So many files are one commit: the journal that makes them one change stays small.
_COMMITTED_AT_ONCE = 5000


@dataclass(frozen=True)
class State:
    """How the committed index and the claims stand to each other.

    `add` has the keys that have claims and no entry, with how many claims; `remove` those with an entry and no
    claim; `entries` counts what can be read.
    """

    add: Mapping[str, int]
    remove: Sequence[str]
    damaged: Sequence[Problem]
    other_model: bool
    entries: int = 0

    @property
    def fresh(self) -> bool:
        """Do they agree?"""
        return not (self.add or self.remove or self.damaged or self.other_model)


def distill(kb: KnowledgeBase, full: bool) -> Distilled:
    """Embed what changed, remove what went, commit the index; `full` embeds everything anew."""
    with kb.writing("distill"):
        if full:
            shutil.rmtree(kb.index_folder, ignore_errors=True)
            shutil.rmtree(kb.layout.path(stored.PENDING), ignore_errors=True)
        found = indexes.after(kb, lambda: writer.everything(kb, anew=full))
        try:
            now = state(kb, found.catalog)
            files = list(_changes(kb, found, now, full))
            embedded = found.claims if full else sum(now.add.values())
            done = Distilled(embedded, len(now.remove), found.claims - embedded, found.claims, GENERATION_ZERO)
        finally:
            found.close()
        message = kb.commit_message(
            f"codex: distill {done.claims} claims",
            f"What: {done.embedded} claims embedded, {done.removed} removed, {done.unchanged} unchanged.\n"
            "Why: index and claims agree again.",
            {"Generation": str(done.generation)},
        )
        files = [change for change in files if change.before != change.after]
        # What is damaged holds nothing of the user's to be kept.
        damaged = {problem.path for problem in now.damaged} | ({places.MANIFEST} if not read_manifest(kb) else set())
        kb.require_committed([c.path for c in files if c.path not in damaged])
        for at in range(0, len(files), _COMMITTED_AT_ONCE):
            kb.apply(files[at : at + _COMMITTED_AT_ONCE], message)
        _settle(kb, [c.path for c in files])
    return done


def _settle(kb: KnowledgeBase, written: Sequence[str]) -> None:
    """What was written is known from now on, and needs to wait no longer."""
    if written:
        writer.committed(kb, written)
    shutil.rmtree(kb.layout.path(stored.PENDING), ignore_errors=True)


def _changes(kb: KnowledgeBase, found: indexes.ClaimIndex, now: State, full: bool) -> Iterator[Change]:
    gone = {entry.entry_path(places.INDEX, key) for key in now.remove} | {problem.path for problem in now.damaged}
    for key in sorted(found.catalog.keys() if full else now.add):
        path = entry.entry_path(places.INDEX, key)
        data = stored.pending(kb, key) or _again(kb, found.catalog, key)
        if data is not None:
            yield kb.change(path, data)
            gone.discard(path)
    for path in sorted(gone):
        yield kb.change(path, None)
    if found.claims or kb.layout.path(places.MANIFEST).exists():
        yield kb.change(places.MANIFEST, manifest(kb, found))


def _again(kb: KnowledgeBase, catalog: Catalog, key: str) -> bytes | None:
    """The entry of a key whose file was lost since it was read: the claim is embedded once more."""
    card = catalog.with_key(key)
    if card is None:
        return None
    texts = entry.texts_of(kb.store.claim(card.path))
    return stored.embed(kb, {key: texts})[key] if entry.key_of(kb.encoder.name, texts) == key else None


def manifest(kb: KnowledgeBase, found: indexes.ClaimIndex) -> bytes:
    """The manifest; what the encoders differ by is measured once for each model, on the claims."""
    before = read_manifest(kb)
    difference = before.get("difference", "") if before.get("model") == kb.encoder.name else ""
    if not difference and found.claims:
        cards = list(found.catalog.all_cards())
        texts = [entry.title_text(card.title, card.description) for card in cards[:: max(1, len(cards) // _PROVED_ON)]]
        difference = kb.encoder.prove(texts)
    return entry.manifest(kb.encoder.name, difference, float(found.meta["recall"]) if found.meta.get("near") else 0.0)


def read_manifest(kb: KnowledgeBase) -> dict[str, str]:
    """What the committed manifest says; nothing where there is none that can be read."""
    try:
        value = json.loads(kb.layout.path(places.MANIFEST).read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def state(kb: KnowledgeBase, catalog: Catalog) -> State:
    """What the committed index lacks, has too many of, or holds damaged, as the catalog knows it."""
    touched = list(catalog.touched(places.INDEX))
    return State(
        add={key: claims for key, claims, there in touched if claims and not there},
        remove=[key for key, claims, there in touched if there and not claims],
        damaged=[p for p in changed.problems(catalog) if p.path.startswith(places.INDEX + "/")],
        other_model=_other_model(kb),
    )


def _other_model(kb: KnowledgeBase) -> bool:
    before = read_manifest(kb)
    current = json.loads(entry.manifest(kb.encoder.name, ""))
    return bool(before) and any(before.get(name) != current[name] for name in ("version", "model"))


def stale(kb: KnowledgeBase, state_: State) -> list[Problem]:
    """An index that does not agree with the claims, as problems; an index that was never made is one."""
    if state_.fresh:
        return []
    if state_.other_model:
        message = f"the index is not of {kb.encoder.name}, or of another version of codex"
        return [Problem(places.MANIFEST, 1, "stale-index", message, "codex distill")]
    found = list(state_.damaged)
    missing = len(state_.add) - sum(entry.entry_key(p.path) in state_.add for p in state_.damaged)
    if missing or state_.remove:
        message = f"{missing} claims to embed, {len(state_.remove)} to remove"
        found.append(Problem(places.INDEX, None, "stale-index", message, "codex distill"))
    return found


def state_of_files(kb: KnowledgeBase, claims: Sequence[Claim]) -> State:
    """The state by the files themselves, whatever the local copy says."""
    wanted = Counter(entry.key_of(kb.encoder.name, entry.texts_of(claim)) for claim in claims)
    there, damaged = set(), []
    for path in sorted(kb.layout.path(places.INDEX).glob("??/*.jsonl")):
        relative = kb.layout.relative(path)
        key = entry.entry_key(relative)
        try:
            entry.load_entry(path.read_bytes(), key)
            there.add(key)
        except (OSError, ValueError) as error:
            damaged.append(Problem(relative, 1, "damaged-index", str(error), "codex distill"))
    return State(
        add={key: claims for key, claims in wanted.items() if key not in there},
        remove=sorted(there - wanted.keys()),
        damaged=damaged,
        other_model=_other_model(kb),
        entries=len(there),
    )


def check(kb: KnowledgeBase) -> list[Problem]:
    """What proves that index and claims disagree: every file is read, every text embedded anew and compared."""
    claims, problems = kb.store.claims()
    problems += stale(kb, state_of_files(kb, claims))
    if problems:
        return problems
    keyed = {entry.key_of(kb.encoder.name, entry.texts_of(claim)): claim for claim in claims}
    chunks = [list(keyed)[at : at + _CHUNK] for at in range(0, len(keyed), _CHUNK)]
    for number, keys in enumerate(chunks):
        kb.progress("checking", number * _CHUNK, len(keyed))
        problems += _wrong(kb, {key: keyed[key] for key in keys})
    return problems


def _wrong(kb: KnowledgeBase, claims: dict[str, Claim]) -> Iterator[Problem]:
    made = stored.embed(kb, {key: entry.texts_of(claim) for key, claim in claims.items()})
    for key, data in made.items():
        path = entry.entry_path(places.INDEX, key)
        kept, anew = entry.load_entry(read(kb.layout.root, path) or b"", key), entry.load_entry(data, key)
        if (
            max(float(np.abs(kept.title - anew.title).max()), float(np.abs(kept.body - anew.body).max()))
            > _TOLERANCE
        ):
            yield Problem(path, 1, "wrong-vector", f"is not the vector of {claims[key].path}", "codex distill --full")
