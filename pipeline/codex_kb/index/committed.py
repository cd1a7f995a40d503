"""The committed index as it should be: entries and manifest as changes, and the proof that they are what they say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from codex_kb import layout as places
from codex_kb.disk import gate
from codex_kb.disk.transaction import Change, change
from codex_kb.index import entry, stored
from codex_kb.index.catalog import Catalog
from codex_kb.index.opened import ClaimIndex
from codex_kb.index.state import State, of_files, read_manifest, stale
from codex_kb.kb import KnowledgeBase
from codex_kb.records import Claim, Problem

#: Largest difference of a coordinate that rounding to half precision and another machine explain.
_TOLERANCE = 2e-3
_CHUNK = 32
#: Entries that a check embeds anew where it is not a full one: an index of which a tenth is wrong passes once in 800.
_SAMPLE = 64
#: Claims that the ways to run the model are compared on.
_PROVED_ON = 64


def changes(kb: KnowledgeBase, found: ClaimIndex, now: State, full: bool) -> Iterator[Change]:
    """What brings entries and manifest in line with the claims; with `full` every entry is made anew."""
    gone = {entry.entry_path(places.INDEX, key) for key in now.remove} | {problem.path for problem in now.damaged}
    for key in sorted(found.catalog.keys() if full else now.add):
        path = entry.entry_path(places.INDEX, key)
        data = stored.pending(kb.layout.root, key) or _again(kb, found.catalog, key)
        if data is not None:
            yield change(kb.layout.root, path, data)
            gone.discard(path)
    for path in sorted(gone):
        yield change(kb.layout.root, path, None)
    if found.claims or kb.layout.path(places.MANIFEST).exists():
        yield change(kb.layout.root, places.MANIFEST, manifest(kb, found))


def _again(kb: KnowledgeBase, catalog: Catalog, key: str) -> bytes | None:
    """The entry of a key whose file was lost since it was read: the claim is embedded once more."""
    card = catalog.with_key(key)
    if card is None:
        return None
    texts = entry.texts_of(kb.store.claim(card.path))
    return stored.embed(kb.encoder, {key: texts})[key] if entry.key_of(kb.encoder.name, texts) == key else None


def manifest(kb: KnowledgeBase, found: ClaimIndex) -> bytes:
    """The manifest; what the encoders differ by is measured once for each model, on the claims."""
    before = read_manifest(kb.layout.root)
    difference = before.get("difference", "") if before.get("model") == kb.encoder.name else ""
    if not difference and found.claims:
        cards = list(found.catalog.all_cards())
        texts = [entry.title_text(card.title, card.description) for card in cards[:: max(1, len(cards) // _PROVED_ON)]]
        difference = kb.encoder.prove(texts)
    return entry.manifest(kb.encoder.name, difference, float(found.meta["recall"]) if found.meta.get("near") else 0.0)


def check(kb: KnowledgeBase, full: bool) -> list[Problem]:
    """What proves that index and claims disagree: every file is read, some texts (`full`: all) are embedded anew."""
    claims, problems = kb.store.claims()
    problems += stale(of_files(kb.layout.root, kb.encoder, claims), kb.encoder)
    if problems:
        return problems
    keyed = {entry.key_of(kb.encoder.name, entry.texts_of(claim)): claim for claim in claims}
    # Keys are hashes: the first of them are a random sample, and the same one each time.
    keys = sorted(keyed) if full else sorted(keyed)[:_SAMPLE]
    for at in range(0, len(keys), _CHUNK):
        kb.progress("checking", at, len(keys))
        problems += _wrong(kb, {key: keyed[key] for key in keys[at : at + _CHUNK]})
    kb.progress("checking", len(keys), len(keys))
    return problems


def _wrong(kb: KnowledgeBase, claims: dict[str, Claim]) -> Iterator[Problem]:
    made = stored.embed(kb.encoder, {key: entry.texts_of(claim) for key, claim in claims.items()})
    for key, data in made.items():
        path = entry.entry_path(places.INDEX, key)
        kept, anew = entry.load_entry(gate.read(kb.layout.root, path), key), entry.load_entry(data, key)
        pairs = ((kept.title, anew.title), (kept.body, anew.body))
        if any(len(a) != len(b) or float(np.abs(a - b).max()) > _TOLERANCE for a, b in pairs):
            yield Problem(path, 1, "wrong-vector", f"is not the vector of {claims[key].path}", "codex distill --full")
