"""What git takes with very many files: in one folder or in 256, all checked out or a part, cloned whole or in part.

    .venv/bin/python -m benchmarks.git_limits [--files 10000 100000 1000000] [--rounds 5] [--out FILE]

Makes a repository of so many small files, with all of them in one folder (`flat`) or spread over
256 (`sharded`), and checks out what a person needs to change one: the whole folder, or one of the 256. Prints medians
of: a commit of one changed file with a plain and with a sparse index, the bytes that it adds, a push of it to a bare
repository on this disk, and what a clone takes, whole and with `--filter=blob:none`. Seconds are those that all of
git takes of the processor, so that other work on the machine hardly counts. The folder is removed at the end.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_FOLDER = "data"
_SHARDS = 256
#: About the size of an entry of the index; it differs from file to file.
_LINE = b"%08d this line stands for what a file says, and no two files of the repository say the same\n"


def main() -> None:
    """Measure what is asked for, and print it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--files", nargs="+", type=int, default=[10_000, 100_000, 1_000_000])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--out", type=Path, help="also written there, as JSON")
    args = options.parse_args()
    found: dict[str, Any] = {}
    for files in args.files:
        for layout in ("flat", "sharded"):
            found.setdefault(str(files), {})[layout] = measured = measure(files, layout == "sharded", args.rounds)
            print(f"{files:9,} files, {layout}: {_told(measured)}", flush=True)
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n")


def measure(files: int, sharded: bool, rounds: int) -> dict[str, float]:
    """Seconds and bytes, by name."""
    with tempfile.TemporaryDirectory(prefix="codex-git-limits-") as scratch:
        bare, work = Path(scratch) / "bare.git", Path(scratch) / "work"
        _imported(bare, files, sharded)
        found = {f"clone_{name}": value for name, value in _clones(bare, Path(scratch)).items()}
        _git(Path(scratch), "clone", "-q", "--no-checkout", str(bare), str(work))
        for name, value in (("user.name", "Bench"), ("user.email", "bench@example.org"), ("gc.auto", "0"),
                            ("maintenance.auto", "false")):  # fmt: skip
            _git(work, "config", name, value)
        folder = f"{_FOLDER}/00" if sharded else _FOLDER
        _git(work, "sparse-checkout", "set", "--cone", folder)
        _git(work, "checkout", "-q", "main")
        path = sorted((work / folder).iterdir())[0]
        for name, option in (("plain", "--no-sparse-index"), ("sparse", "--sparse-index")):
            _git(work, "sparse-checkout", "reapply", option)
            found |= {f"{kind}_{name}": value for kind, value in _commits(work, path, rounds).items()}
            found[f"index_mb_{name}"] = (work / ".git/index").stat().st_size / 1e6
        return found


def _imported(bare: Path, files: int, sharded: bool) -> None:
    """A bare repository with one commit of so many files."""
    _git(bare.parent, "init", "-q", "--bare", "-b", "main", str(bare))
    _git(bare, "config", "uploadpack.allowFilter", "true")
    said = [_LINE % number for number in range(files)]
    _fed(bare, ["fast-import", "--quiet"], (b"blob\ndata %d\n%s\n" % (len(each), each) for each in said))
    # Not by fast-import, which looks through all of a folder for each of its files.
    entries = [_entry(number, each, sharded) for number, each in enumerate(said)]
    _fed(bare, ["update-index", "--index-info"], sorted(entries, key=lambda line: line.partition(b"\t")[2]))
    tree = _git(bare, "write-tree").strip()
    person = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org")
    _git(bare, "update-ref", "refs/heads/main", _git(bare, *person, "commit-tree", tree, "-m", "start").strip())
    (bare / "index").unlink()


def _entry(number: int, said: bytes, sharded: bool) -> bytes:
    """A file as `git update-index` wants to be told of it."""
    folder = f"{_FOLDER}/{number % _SHARDS:02x}" if sharded else _FOLDER
    name = hashlib.sha1(b"blob %d\0%s" % (len(said), said), usedforsecurity=False).hexdigest()
    return f"100644 {name}\t{folder}/{number:08d}.md\n".encode()


def _fed(bare: Path, command: list[str], lines: Iterable[bytes]) -> None:
    """Run git with these lines as its standard input."""
    with subprocess.Popen(["git", "-C", str(bare), *command], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.writelines(lines)
    if process.returncode:
        raise SystemExit(f"git {command[0]} failed")


def _clones(bare: Path, scratch: Path) -> dict[str, float]:
    """Megabytes and seconds of a clone without a checkout: whole, and without what files say."""
    found = {}
    for name, option in (("whole", "--no-local"), ("partial", "--filter=blob:none")):
        there = scratch / "clone"
        start = _processor()
        _git(scratch, "clone", "-q", "--no-checkout", option, f"file://{bare}", str(there))
        found[f"{name}_s"] = _processor() - start
        found[f"{name}_mb"] = sum(path.stat().st_size for path in there.rglob("*.pack")) / 1e6
        shutil.rmtree(there)
    return found


def _commits(work: Path, path: Path, rounds: int) -> dict[str, float]:
    """Seconds of a commit of one file and of its push, and the bytes of its objects; medians."""
    times: dict[str, list[float]] = {"commit_s": [], "push_s": [], "commit_kb": []}
    name = path.relative_to(work).as_posix()
    for number in range(rounds):
        path.write_text(f"round {number} at {time.time_ns()}\n")
        before = _loose(work)
        start = _processor()
        _git(work, "add", "--sparse", "--", name)
        _git(work, "commit", "-q", "-m", "change")
        committed = _processor()
        _git(work, "push", "-q", "origin", "main")
        pushed = _processor()
        times["commit_s"].append(committed - start)
        times["push_s"].append(pushed - committed)
        times["commit_kb"].append((_loose(work) - before) / 1e3)
    return {kind: statistics.median(values) for kind, values in times.items()}


def _processor() -> float:
    """Seconds that git's processes have taken of the processor so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _loose(work: Path) -> int:
    """Bytes of all objects that are no part of a pack."""
    return sum(path.stat().st_size for path in (work / ".git/objects").glob("[0-9a-f][0-9a-f]/*"))


def _git(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False,
                          env=environment)  # fmt: skip
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def _told(found: dict[str, float]) -> str:
    commit = f"commit {found['commit_s_plain']:.2f} s, with a sparse index {found['commit_s_sparse']:.2f} s"
    push = f"{found['commit_kb_sparse']:,.0f} KB; push {found['push_s_sparse']:.2f} s"
    whole, partial = (
        f"{found[f'clone_{name}_mb']:.1f} MB in {found[f'clone_{name}_s']:.1f} s" for name in ("whole", "partial")
    )
    return f"{commit}, {push}; clone {whole}, without contents {partial}"


if __name__ == "__main__":
    main()
