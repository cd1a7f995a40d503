"""How long a person looked at each proposal: kept beside the marks, until the decision is recorded with it.

Local state: where it is lost, decisions are recorded without it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path

from codex_kb.layout import LOCAL
from codex_kb.text import json_of_others

_PACE = f"{LOCAL}/seconds.json"


def read(root: Path) -> Mapping[str, float]:
    """Seconds by the id of a proposal; nothing where none were kept."""
    try:
        kept = json_of_others.read((root / _PACE).read_bytes())
        return {str(name): float(seconds) for name, seconds in kept.items() if 0 < float(seconds) < 1e6}
    except (OSError, ValueError, TypeError, AttributeError, OverflowError):
        return {}


def add(root: Path, name: str, seconds: float) -> None:
    """Add to what was spent on a proposal; where that cannot be kept, nothing is lost but this. Hold the lock."""
    known = read(root)
    _keep(root, {**known, name: round(known.get(name, 0.0) + seconds, 1)})


def forget(root: Path, names: Collection[str]) -> None:
    """Drop what is on record now. Hold the lock."""
    known = read(root)
    if known.keys() & {*names}:
        _keep(root, {name: seconds for name, seconds in known.items() if name not in names})


def _keep(root: Path, seconds: Mapping[str, float]) -> None:
    from codex_kb.disk.transaction import prepare_local, write_file  # noqa: PLC0415

    with contextlib.suppress(OSError):
        prepare_local(root)
        write_file(root / _PACE, json.dumps(seconds).encode())
