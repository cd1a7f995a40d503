"""Does a source cost the same to ingest, however many sources there are?

    .venv/bin/python -m benchmarks.ingest_growth [--sizes 500 5000 20000] [--each 40] [--rounds 3]

Makes a knowledge base of each size, all of its sources processed but a few, and ingests these, sizes in turn. What a
run costs before its first source (Python, the model, looking at every file) is measured by a dry run and taken off.
Prints process seconds and wall seconds a source, medians over the rounds, and the ratio to the smallest size.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.knowledge_base import CODEX

_HEAD = "---\ntype: source\ntitle: Notes {n}\nauthor: Ann\nurl: https://example.org/{n}\ndate: 2026-01-01\n" \
        "domain: towns\nstatus: {status}\n---\n\n"  # fmt: skip
_BODY = (
    "Town {n} pays for its harbour with a tax on landed fish. The tax of town {n} falls in the winter, because fewer "
    "boats leave then. Ships of size {n} cannot enter without a pilot. Pilots in town {n} earn more than masons do.\n"
)


def git(root: Path, *command: str) -> None:
    """Run git in a folder."""
    subprocess.run(["git", "-C", str(root), *command], check=True, stdout=subprocess.DEVNULL)


def make(root: Path, size: int) -> None:
    """A knowledge base with so many sources, all of them processed."""
    (root / "inbox/archive").mkdir(parents=True)
    (root / "codex").mkdir()
    (root / "codex.toml").write_text("")
    for number in range(size):
        text = (_HEAD + _BODY).format(n=number, status="processed")
        (root / f"inbox/archive/{number % 100:02d}-{number}.md").write_text(text)
    git(root, "init", "-q")
    git(root, "config", "user.name", "Bench")
    git(root, "config", "user.email", "bench@example.org")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "start")


def timed(root: Path, *options: str) -> tuple[float, float]:
    """(CPU seconds with children, wall seconds) of one ingest."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([str(CODEX), "--quiet", "ingest", "inbox", *options], cwd=root, check=True,
                   env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull})  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.perf_counter() - start


def one(root: Path, first: int, each: int) -> tuple[float, float]:
    """CPU and wall seconds a source: twice as many sources less as many, so that what a run costs anyway falls out."""
    found = []
    for count in (each, 2 * each):
        for number in range(first, first + count):
            (root / f"inbox/new-{number}.md").write_text((_HEAD + _BODY).format(n=number, status="unprocessed"))
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "new sources")
        found.append(timed(root))
        first += count
    (less, less_wall), (more, more_wall) = found
    return (more - less) / each, (more_wall - less_wall) / each


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 5_000, 20_000])
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="codex-growth-"))
    try:
        for size in given.sizes:
            make(folder / str(size), size)
            timed(folder / str(size), "--dry-run")
        rows: dict[int, list[tuple[float, float]]] = {size: [] for size in given.sizes}
        for number in range(given.rounds):
            for size in given.sizes:
                rows[size].append(one(folder / str(size), 1_000_000 + 3 * given.each * number, given.each))
        least = min(given.sizes)
        for size, found in rows.items():
            cpu, wall = (statistics.median(each[part] for each in found) for part in (0, 1))
            base_cpu, base_wall = (statistics.median(each[part] for each in rows[least]) for part in (0, 1))
            print(f"{size:>7} sources: {cpu * 1000:6.1f} ms CPU, {wall * 1000:6.1f} ms wall a source; "
                  f"{cpu / base_cpu:.2f} and {wall / base_wall:.2f} times those at {least}")  # fmt: skip
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
