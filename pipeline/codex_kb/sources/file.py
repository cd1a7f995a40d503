"""Sources that are Markdown files of the knowledge base, or folders of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from codex_kb.disk.store import Store
from codex_kb.errors import RefusedFile

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def takes(named: str) -> bool:
    """Anything but an address."""
    return not _ADDRESS.match(named)


def find(store: Store, named: str, base: Path) -> Iterator[tuple[str, RefusedFile | None]]:
    """The file, or every Markdown file at or below the folder. Raises NotFound, UsageError."""
    return store.markdown_files([base / named])
