"""The port that a knowledge base's page had last: local state, of no consequence where it is lost."""

from __future__ import annotations

import contextlib
from pathlib import Path

from codex_kb.layout import LOCAL

_PORT = f"{LOCAL}/port"


def last(root: Path) -> int:
    """The port; 0 where none is known."""
    try:
        found = int((root / _PORT).read_text())
    except (OSError, ValueError):
        return 0
    return found if 1024 <= found < 65536 else 0


def keep(root: Path, port: int) -> None:
    """Remember it; where that cannot be, nothing is lost."""
    from codex_kb.disk.transaction import prepare_local, write_file  # noqa: PLC0415

    with contextlib.suppress(OSError):
        prepare_local(root)
        write_file(root / _PORT, str(port).encode())
