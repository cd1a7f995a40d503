"""`codex check`: everything that is wrong with a knowledge base; nothing is written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from codex_kb import acts, check, facts
from codex_kb.errors import NotFound
from codex_kb.kb import KnowledgeBase
from codex_kb.records import Problem


def run(kb: KnowledgeBase, paths: Sequence[Path]) -> list[Problem]:
    """All problems, in the order of paths and lines; where paths are named, only those below them.

    Raises:
        NotFound: a named path does not exist.
    """
    only = [kb.layout.relative(path) for path in paths]
    for path, relative in zip(paths, only, strict=True):
        if not os.path.lexists(kb.layout.path(relative)):
            raise NotFound("no such file or folder", path=str(path), hint="check the path")
    found = check.run(facts.read(kb.store, kb.encoder, kb.left_out), kb.settings.check)
    if not only:
        return found
    return [p for p in found if any(p.path == x or p.path.startswith(f"{x}/") or x == "." for x in only)]


def set_aside(kb: KnowledgeBase) -> str:
    """Drop what a run that was cut off left to do; where it is kept, empty where there is none.

    Raises:
        Conflict: another run is under way.
        WriteFailed: the file system refused.
    """
    return acts.set_aside(kb)
