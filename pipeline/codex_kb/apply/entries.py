"""The committed entries of the index, kept in line with the claims that an act writes."""

from __future__ import annotations

from collections.abc import Sequence

from codex_kb import layout as places
from codex_kb.disk.store import as_claim
from codex_kb.disk.transaction import Change, change
from codex_kb.index import opened, stored
from codex_kb.index.entry import Texts, entry_path, key_of, manifest, texts_of
from codex_kb.kb import KnowledgeBase
from codex_kb.text import markdown_file


def changes(kb: KnowledgeBase, claims: Sequence[Change]) -> list[Change]:
    """The entries of claims as their files will read; those of what is changed or deleted, as it was, go.

    And the manifest, where it is missing.
    """
    root, name = kb.layout.root, kb.encoder.name
    texts = [_texts(c.path, c.after) for c in claims if c.after is not None]
    made = stored.embed(kb.encoder, {key_of(name, each): each for each in texts}) if texts else {}
    found = [change(root, entry_path(places.INDEX, key), data) for key, data in made.items()]
    replaced = [c for c in claims if c.before is not None]
    if replaced:
        found += _replaced(kb, replaced, set(made))
    if made and not kb.layout.path(places.MANIFEST).exists():
        found.append(change(root, places.MANIFEST, manifest(name, "")))
    return found


def _replaced(kb: KnowledgeBase, changed: Sequence[Change], kept: set[str]) -> list[Change]:
    """The committed entries that no claim has any more once these are changed; `kept` are the keys of what is new."""
    keys = {key_of(kb.encoder.name, _texts(c.path, c.before or b"")) for c in changed}
    paths = {c.path for c in changed}
    index = opened.load(kb, announce=False)
    try:
        kept = kept | {card.key for card in index.catalog.all_cards() if card.path not in paths}
    finally:
        index.close()
    return [change(kb.layout.root, entry_path(places.INDEX, key), None) for key in sorted(keys - kept)]


def _texts(path: str, data: bytes) -> Texts:
    return texts_of(as_claim(markdown_file.parse(data, path), path))
