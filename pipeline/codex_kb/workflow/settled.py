"""Is there anything to distill? Files are looked at, none is read."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

from codex_kb import layout as places
from codex_kb import stat_cache
from codex_kb.records import GENERATION_ZERO
from codex_kb.workflow import index as indexes

if TYPE_CHECKING:
    from codex_kb.workflow.kb import KnowledgeBase


class Distilled(NamedTuple):
    """What a run of distill did, in claims."""

    embedded: int
    removed: int
    unchanged: int
    claims: int
    generation: int


def look(kb: KnowledgeBase) -> Distilled | None:
    """What a run that finds nothing to do says; None where there may be something."""
    if os.path.exists(kb.layout.root / places.JOURNAL):
        return None
    try:
        index = indexes.ClaimIndex(kb.index_folder)
    except indexes.Broken:
        return None
    try:
        if _settled(kb, index):
            return Distilled(0, 0, index.claims, index.claims, GENERATION_ZERO)
        return None
    finally:
        index.close()


def _settled(kb: KnowledgeBase, index: indexes.ClaimIndex) -> bool:
    root = str(kb.layout.root)
    manifest = json.dumps(stat_cache.look(os.path.join(root, places.MANIFEST)))
    return (
        bool(index.meta.get("settled"))
        and index.meta.get("manifest") == manifest
        and index.fits(kb)
        and index.current(kb, every_file=True)
        and _entries_stand(root, index)
    )


def _entries_stand(root: str, index: indexes.ClaimIndex) -> bool:
    known = {path: state for path, state in index.catalog.folders().items() if indexes.is_entry_folder(path)}
    seen = {folder.path: folder for folder in indexes.entry_folders(root, places.INDEX)}
    return seen.keys() == known.keys() and all(folder.clean(*known[path]) for path, folder in seen.items())
