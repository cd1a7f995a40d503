"""Does a source cost the same to ingest, however many sources there are?

    .venv/bin/python -m benchmarks.ingest_growth [--sizes 500 5000 20000] [--each 40] [--rounds 3] [--flat]

Makes a knowledge base of each size, whose sources are all processed and decided, and ingests new ones into each, sizes
in turn. A source's cost is what twice as many new sources take longer than as many; what is left is the run's own
(Python, the model, reading every file once to list it). Prints medians over the rounds: time of the CPU, git's apart
from ours, wall time, and the ratios to the smallest size. With `--flat` all sources are in one folder.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.knowledge_base import git

_HEAD = "---\ntype: source\ntitle: Notes {n}\nauthor: Ann\nurl: https://example.org/{n}\ndate: 2026-01-01\n" \
        "domain: towns\nstatus: {status}\n---\n\n"  # fmt: skip
_BODY = (
    "Town {n} pays for its harbour with a tax on landed fish. The tax of town {n} falls in the winter, because fewer "
    "boats leave then. Ships of size {n} cannot enter without a pilot. Pilots in town {n} earn more than masons do.\n"
)
#: So many files hold all decisions, so that git has about as many files as there are sources.
_LOGS = 100
_FIRST_NEW = 1_000_000

_MEASURED = """
import atexit, resource, sys
from codex_kb.cli import main
def cpu(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime
atexit.register(lambda: print(cpu(resource.RUSAGE_SELF), cpu(resource.RUSAGE_CHILDREN), file=sys.stderr))
main()
"""


class Cost(NamedTuple):
    """Seconds: of the CPU in our process, of the CPU in git's, and on the wall."""

    ours: float
    git: float
    wall: float

    @property
    def cpu(self) -> float:
        """Of the CPU, ours and git's."""
        return self.ours + self.git


def make(root: Path, size: int, flat: bool) -> None:
    """A knowledge base with so many sources, all of them processed, with a decision about each."""
    inbox, decisions = root / ("inbox" if flat else "inbox/archive"), root / "codex/decisions"
    for folder in (inbox, decisions):
        folder.mkdir(parents=True)
    (root / "codex.toml").write_text("")
    logs: list[list[str]] = [[] for _ in range(_LOGS)]
    for number in range(size):
        path = inbox / f"{number % 100:02d}-{number}.md"
        path.write_text((_HEAD + _BODY).format(n=number, status="processed"))
        logs[number % _LOGS].append(json.dumps({
            "id": f"{number:012x}", "time": "2026-01-02T00:00:00+00:00", "reviewer": "Ann <ann@example.org>",
            "verdict": "rejected", "reason": "trivial", "title": f"Pilots in town {number} earn more than masons do",
            "proposal": {}, "claim": None, "source": path.relative_to(root).as_posix(), "source_sha256": "0" * 64,
            "proposer": "extractive", "generation": 0,
        }))  # fmt: skip
    for number, lines in enumerate(logs):
        (decisions / f"{number:02d}.jsonl").write_text("".join(line + "\n" for line in lines))
    git(root, "init", "-q")
    git(root, "config", "user.name", "Bench")
    git(root, "config", "user.email", "bench@example.org")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "start")


def ingest(root: Path, first: int, count: int) -> Cost:
    """Write so many new sources, and time one run over all."""
    for number in range(first, first + count):
        (root / f"inbox/new-{number}.md").write_text((_HEAD + _BODY).format(n=number, status="unprocessed"))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "new sources")
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, "--quiet", "ingest", "inbox"], cwd=root, check=True, capture_output=True,
        text=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
    )  # fmt: skip
    wall = time.perf_counter() - start
    ours, gits = map(float, done.stderr.split()[-2:])
    return Cost(ours, gits, wall)


def one(root: Path, first: int, each: int) -> tuple[Cost, Cost]:
    """What a source costs, and what a run costs beside its sources."""
    less, more = ingest(root, first, each), ingest(root, first + each, 2 * each)
    source = Cost(*((b - a) / each for a, b in zip(less, more, strict=True)))
    return source, Cost(*(a - each * b for a, b in zip(less, source, strict=True)))


def medians(found: list[Cost]) -> Cost:
    """The median of each part."""
    return Cost(*map(statistics.median, zip(*found, strict=True)))


def show(size: int, source: Cost, base: Cost, run: Cost) -> None:
    """One line about a size; `base` is a source's cost at the smallest."""
    print(
        f"{size:>7} sources: {source.cpu * 1000:.0f} ms CPU a source ({source.ours * 1000:.0f} ours, "
        f"{source.git * 1000:.0f} git's), {source.wall * 1000:.0f} ms wall; "
        f"ratio {source.cpu / base.cpu:.2f} ({source.ours / base.ours:.2f} ours, {source.git / base.git:.2f} git's), "
        f"{source.wall / base.wall:.2f} wall; a run besides: {run.cpu:.1f} s CPU, {run.wall:.1f} s wall"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 5_000, 20_000])
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--flat", action="store_true")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="codex-growth-"))
    try:
        for size in given.sizes:
            make(folder / str(size), size, given.flat)
        rows: dict[int, list[tuple[Cost, Cost]]] = {size: [] for size in given.sizes}
        for number in range(given.rounds):
            for size in given.sizes:
                rows[size].append(one(folder / str(size), _FIRST_NEW + 3 * given.each * number, given.each))
    finally:
        shutil.rmtree(folder)
    base = medians([source for source, _ in rows[min(given.sizes)]])
    for size, found in rows.items():
        show(size, medians([source for source, _ in found]), base, medians([run for _, run in found]))


if __name__ == "__main__":
    main()
