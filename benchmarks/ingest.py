"""How long ingest takes and where the time goes, on a copy of a knowledge base.

    make bench PARTS=ingest
    .venv-bench/bin/python -m benchmarks.ingest [--tree FOLDER] [--limit N]

The default tree is this repository's own inbox/. Every source is reset to unprocessed. Prints wall
seconds of one cold run as a user starts it, then each part's share, as cProfile counts it in a run over the
first PROFILED sources.
"""

from __future__ import annotations

import argparse
import pstats
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import timing
from benchmarks.knowledge_base import CODEX, ROOT

PROFILED = 60
#: Parts of a run, as (file, function) of the profile's cumulative times.
PARTS = {
    "embedding": ("encoders/onnx.py", "encode"),
    "sentences and ranking": ("extractive.py", "propose"),
    "git": ("vcs.py", "commit"),
    "git, looking for changes": ("vcs.py", "uncommitted"),
    "writing files": ("transaction.py", "run"),
    "parsing frontmatter": ("markdown_file.py", "parse"),
    "looking up names": ("store.py", "names"),
    "claim index": ("index/opened.py", "load"),
}


def make(tree: Path) -> Path:
    """A throw-away copy as a git repository, every source unprocessed."""
    root = Path(tempfile.mkdtemp(prefix="codex-bench-"))
    shutil.copytree(
        tree, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git", ".venv*", ".codex-kb", ".*cache")
    )
    folders = [name for name in ("domains", "core", "foundations", "codex") if (root / name).is_dir()]
    (root / "codex.toml").write_text(f"[kb]\nclaims = {folders}\n".replace("'", '"'))
    for path in (root / "inbox").rglob("*.md"):
        lines = path.read_bytes().split(b"\n")
        path.write_bytes(b"\n".join(b"status: unprocessed" if x.startswith(b"status:") else x for x in lines))
    git = ["git", "-C", str(root), "-c", "user.name=Bench", "-c", "user.email=bench@example.org"]
    for command in (["init", "-q"], ["config", "user.name", "Bench"], ["config", "user.email", "bench@example.org"],
                    ["add", "-A"], ["commit", "-q", "-m", "start"]):  # fmt: skip
        subprocess.run([*git, *command], check=True)
    return root


def measure(tree: Path, limit: int) -> dict[str, Any]:
    """Time one run, then profile another."""
    arguments = ["--quiet", "ingest", "inbox", "--limit"]
    root = make(tree)
    wall, _ = timing.run([str(CODEX), *arguments, str(limit)], root)
    count = len(list((root / "inbox/proposals").glob("*.json")))
    print(f"  ingest of {count} sources: {wall:.1f} s wall, {wall / max(count, 1):.2f} s a source")
    shutil.rmtree(root)
    root = make(tree)
    profile = root.with_suffix(".prof")
    timing.run([sys.executable, "-m", "cProfile", "-o", str(profile), str(CODEX), *arguments, str(PROFILED)], root)
    stats = pstats.Stats(str(profile)).stats  # type: ignore[attr-defined]
    total = max(row[3] for row in stats.values())
    parts = {}
    for name, (file, function) in PARTS.items():
        parts[name] = sum(row[3] for key, row in stats.items() if key[0].endswith("/" + file) and key[2] == function)
        print(f"  {name:28} {parts[name]:7.1f} s  {parts[name] / total:5.0%}")
    print(f"  {'the whole run, profiled':28} {total:7.1f} s   (ranking holds its embedding; parts overlap)")
    shutil.rmtree(root)
    profile.unlink()
    return {"sources": count, "seconds": wall, "profiled_s": total, "profiled_parts_s": parts}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tree", type=Path, default=ROOT)
    options.add_argument("--limit", type=int, default=100_000)
    args = options.parse_args()
    measure(args.tree, args.limit)
