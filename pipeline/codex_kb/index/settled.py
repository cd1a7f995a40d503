"""Is there anything to distill? Files are looked at, none is read."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

from codex_kb import layout as places
from codex_kb.disk import stat_cache
from codex_kb.index import opened as indexes
from codex_kb.records import GENERATION_ZERO

if TYPE_CHECKING:
    from codex_kb.kb import KnowledgeBase


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
    if not index.meta.get("settled") or index.meta.get("manifest") != manifest or not index.fits(kb):
        return False
    # What is found to have changed need not be looked at again by the run that follows.
    kb.look = indexes.Look.now(root, json.loads(index.meta["folders"])[0])
    known = index.catalog.folders()
    seen = {folder.path: folder for folder in (*kb.look.claims, *kb.look.entries)}
    return seen.keys() == known.keys() and all(folder.clean(*known[path]) for path, folder in seen.items())
