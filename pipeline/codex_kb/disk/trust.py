"""What the user allowed a clone's settings to do: remembered outside of the repository, by the path of its root."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from codex_kb.disk import clone


def granted(root: Path) -> frozenset[str]:
    """What was allowed, in the words that were shown; nothing where nobody was asked."""
    try:
        kept = json.loads(_path(root).read_bytes())["granted"]
        return frozenset(each for each in kept if isinstance(each, str))
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def grant(root: Path, wants: Iterable[str]) -> None:
    """Allow exactly this from now on.

    Raises:
        OSError: it cannot be kept.
    """
    path = _path(root)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
    try:
        temporary.write_text(json.dumps({"root": os.fspath(root.resolve()), "granted": sorted(wants)}) + "\n")
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def forget(root: Path) -> bool:
    """Allow nothing any more; was anything allowed?

    Raises:
        OSError: it cannot be removed.
    """
    try:
        _path(root).unlink()
    except FileNotFoundError:
        return False
    return True


def _path(root: Path) -> Path:
    return clone.state_folder() / "trust" / f"{hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:32]}.json"
