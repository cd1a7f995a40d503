"""Is there anything to distill? Files are looked at, none is read."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

from codex_kb import layout as places
from codex_kb.disk import stat_cache
from codex_kb.index import local
from codex_kb.index.opened import Broken, ClaimIndex

if TYPE_CHECKING:
    from codex_kb.kb import KnowledgeBase


class Settled(NamedTuple):
    """What a look found: whether nothing is to be distilled, of how many claims, and the look, where there was one."""

    nothing_to_do: bool = False
    claims: int = 0
    look: local.Look | None = None


def look(kb: KnowledgeBase) -> Settled:
    """Look at the files of claims and index. What changed need not be looked at again by the run that follows."""
    if os.path.exists(kb.layout.root / places.JOURNAL):
        return Settled()
    try:
        index = ClaimIndex(local.folder(kb.layout.root))
    except Broken:
        return Settled()
    try:
        return _settled(kb, index)
    finally:
        index.close()


def _settled(kb: KnowledgeBase, index: ClaimIndex) -> Settled:
    root = str(kb.layout.root)
    manifest = json.dumps(stat_cache.look(os.path.join(root, places.MANIFEST)))
    if not index.meta.get("settled") or index.meta.get("manifest") != manifest or not index.fits(kb):
        return Settled()
    now = local.Look.now(root, json.loads(index.meta["folders"])[0], index.claims)
    known = index.catalog.folders()
    seen = {folder.path: folder for folder in (*now.claims, *now.entries)}
    same = seen.keys() == known.keys() and all(folder.clean(*known[path]) for path, folder in seen.items())
    return Settled(same, index.claims, now)
