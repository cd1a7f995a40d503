"""What was found out from folders that have not changed since, so that a run need not read them again."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from codex_kb.disk import stat_cache
from codex_kb.layout import LOCAL, SETTINGS
from codex_kb.text import json_of_others


def again(root: Path, name: str, folders: Iterable[str]) -> Any:
    """What was kept under this name, where settings and folders are certainly as they were; None where not."""
    try:
        kept = json_of_others.read((root / LOCAL / f"{name}.json").read_bytes())
        looked, before = int(kept["looked"]), {path: bytes.fromhex(each) for path, each in kept["folders"].items()}
        seen = _seen(root, folders)
        same = seen.keys() == before.keys() and all(seen[path].clean(each, looked) for path, each in before.items())
        return kept["value"] if same and kept["settings"] == _settings(root) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None


def keep(root: Path, name: str, folders: Iterable[str], value: Any) -> None:
    """Keep what was found out; where that cannot be written it is found out again."""
    from codex_kb.disk.transaction import prepare_local, write_file  # noqa: PLC0415

    looked = time.time_ns()
    kept = {"looked": looked, "settings": _settings(root), "value": value,
            "folders": {path: each.digest.hex() for path, each in _seen(root, folders).items()}}  # fmt: skip
    with contextlib.suppress(OSError):
        prepare_local(root)
        write_file(root / LOCAL / f"{name}.json", json.dumps(kept).encode())


def _seen(root: Path, folders: Iterable[str]) -> Mapping[str, stat_cache.Folder]:
    return {
        each.path: each
        for folder in folders
        for each in stat_cache.scan(str(root), folder, lambda _: True, lambda _: False)
    }


def _settings(root: Path) -> Any:
    return json.loads(json.dumps(stat_cache.look(str(root / SETTINGS))))
