"""The index kept in line: a run with nothing to do beside a bare look at the files, and runs with one change."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import timing
from benchmarks.knowledge_base import CLAIMS, CODEX, SETTLED, git, settle
from codex_kb import layout

_BUDGET = 60.0
#: A look at every file of the claims and of the index, and nothing else.
_LOOK = """
import os
def look(path):
    with os.scandir(path) as found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False): look(entry.path)
            else: entry.stat()
for path in {paths}: look(path)
"""


def measure(root: Path, rounds: int, changes: int) -> dict[str, Any]:
    """Seconds of `codex distill`: with nothing to do, with one claim changed, removed and put back."""
    look = [sys.executable, "-c", _LOOK.format(paths=[CLAIMS, layout.INDEX])]
    settle(root)
    tools = {"codex": lambda _: _distill(root, 0, 0), "scandir and stat": lambda _: timing.run(look, root)[0]}
    for tool in tools.values():
        tool(0)
    found: dict[str, Any] = {"nothing": timing.compared(timing.in_turn(tools, rounds, _BUDGET))}
    print("  nothing to do")
    timing.show(found["nothing"], 1000, "ms", 0)
    start = git(root, "rev-parse", "HEAD").strip()
    try:
        times = _changes(root, changes)
    finally:
        git(root, "reset", "-q", "--hard", start)
        settle(root)
    nothing = found["nothing"]["codex"]["seconds"]["median"]
    for name, values in times.items():
        seconds = timing.summary(values)
        beyond = seconds["median"] - nothing
        found[name] = {"seconds": seconds, "beyond_the_look": beyond}
        print(f"  one claim {name:12} {timing.spread(seconds, 1000, 0):>20} ms, of it {beyond * 1000:.0f} ms beyond "
              "a run with nothing to do", flush=True)  # fmt: skip
    return found


def _changes(root: Path, rounds: int) -> timing.Times:
    paths = sorted((root / CLAIMS / "made-up").rglob("*.md")) or sorted((root / CLAIMS).rglob("*.md"))
    times: timing.Times = {"changed": [], "removed": [], "put back": []}
    for number in range(rounds):
        path = paths[(number * 997) % len(paths)]
        text = path.read_bytes()
        path.write_bytes(text + b"\nRound %d adds a sentence of its own.\n" % number)
        _commit(root, path)
        times["changed"].append(_distill(root, 1, 1))
        data = path.read_bytes()
        path.unlink()
        _commit(root, path)
        times["removed"].append(_distill(root, 0, 1))
        path.write_bytes(data)
        _commit(root, path)
        times["put back"].append(_distill(root, 1, 0))
    return times


def _commit(root: Path, path: Path) -> None:
    """Commit a change of a claim, and wait until the files' age leaves no doubt."""
    git(root, "add", "-A", "--", str(path.relative_to(root)))
    git(root, "commit", "-q", "-m", "change", "--", str(path.relative_to(root)))
    time.sleep(SETTLED)


def _distill(root: Path, embedded: int, removed: int) -> float:
    seconds, printed = timing.run([str(CODEX), "distill", "--json"], root)
    done = json.loads(printed)
    if (done["embedded"], done["removed"]) != (embedded, removed):
        raise SystemExit(f"{root}: expected {embedded} embedded and {removed} removed: {done}")
    return seconds
