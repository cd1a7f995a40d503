"""Where sources come from: one module a kind, found by its name in this folder.

A kind has `takes(named)`, whether it is for what a user named, and `find(store, named, base)`, the sources that this
means: each a path below the root with what refuses it, if anything does. `base` is the folder that paths begin from.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from codex_kb.disk.store import Store
from codex_kb.errors import NotFound, RefusedFile


def find(store: Store, named: Iterable[str], base: Path = Path()) -> Iterator[tuple[str, RefusedFile | None]]:
    """Every source that these names mean, seen from a folder, once, in order; with what refuses it.

    Raises:
        NotFound: there is no such file or folder, or no kind of source takes the name.
        UsageError: a path is outside of the knowledge base.
    """
    seen: set[str] = set()
    for name in named:
        for path, refused in _kind(name).find(store, name, base):
            if path not in seen:
                seen.add(path)
                yield path, refused


def _kind(named: str) -> Any:
    for module in pkgutil.iter_modules(__path__):
        kind = importlib.import_module(f"{__name__}.{module.name}")
        if kind.takes(named):
            return kind
    raise NotFound("sources are Markdown files and folders", path=named, hint="save it as Markdown below inbox/")
