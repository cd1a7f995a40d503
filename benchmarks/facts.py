"""The machine and the versions that figures were measured with."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

from benchmarks import peers

_PACKAGES = ("codex-kb", "numpy", "onnxruntime", "torch", "sentence-transformers", "faiss-cpu", "llm",
             "llm-sentence-transformers", "txtai")  # fmt: skip


def machine() -> dict[str, object]:
    """What figures depend on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "git": _git("--version").split()[-1],
        "packages": {name: _version(name) for name in _PACKAGES} | {"qmd": _of_npm("@tobilu/qmd")},
    }


def commit() -> str:
    """The commit that is measured, with a + where the code differs from it; empty outside of a repository."""
    try:
        return _git("rev-parse", "--short", "HEAD").strip() + "+" * bool(_git("status", "--short", "--", "pipeline"))
    except subprocess.CalledProcessError:
        return ""


def installed() -> None:
    """Stop where codex is not an installed package with bytecode: it would be slower than at its users'.

    Raises:
        SystemExit: it is not.
    """
    spec = importlib.util.find_spec("codex_kb")
    origin = Path(spec.origin or "") if spec else Path()
    if "site-packages" not in origin.parts or not Path(importlib.util.cache_from_source(str(origin))).is_file():
        raise SystemExit("codex is not installed as a wheel with bytecode; run make bench")


def _git(*arguments: str) -> str:
    root = Path(__file__).resolve().parents[1]
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _of_npm(name: str) -> str:
    """The version of a package of npm beside this Python."""
    described = peers.NPM / name / "package.json"
    return str(json.loads(described.read_text())["version"]) if described.is_file() else "not installed"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
