"""Processes timed in turn, and what their times come to."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

#: Seconds between two looks at a process's memory.
_POLL = 0.001
_LEAST_ROUNDS = 3

Times = dict[str, list[float]]


def environment(**more: str) -> dict[str, str]:
    """The environment of every measured process: no hub, and bytecode is used as anywhere."""
    left_out = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH", "CODEX"}
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**kept, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", **more}


def run(command: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None) -> tuple[float, str]:
    """Wall seconds of a process from its start to its end, and what it printed.

    Raises:
        SystemExit: it failed.
    """
    start = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env=env or environment(), capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{' '.join(command)[:300]}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return seconds, done.stdout


def peak_memory(command: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> dict[str, float]:
    """The most memory of a process, MB, by polling.

    Anonymous (RssAnon), resident (VmHWM), and private: Private_Clean and Private_Dirty together, with what of mapped
    files no other process has in use.
    """
    peaks = {"RssAnon": 0.0, "VmHWM": 0.0, "private": 0.0}
    with subprocess.Popen(
        command, cwd=cwd, env=env or environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            for line in status.read_text().splitlines():
                name, _, value = line.partition(":")
                if name in peaks:
                    peaks[name] = max(peaks[name], int(value.split()[0]) / 1024)
            peaks["private"] = max(peaks["private"], _private(process.pid))
            time.sleep(_POLL)
    return peaks


def _private(process: int) -> float:
    """The private memory of a process now, MB; 0 where it has just ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean:", "Private_Dirty:"))) / 1024


class Worker:
    """A process that answers each line with a line."""

    def __init__(self, command: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the process)
        self._process = subprocess.Popen(
            command, cwd=cwd, env=env or environment(), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._errors,
        )  # fmt: skip

    def ask(self, line: str) -> tuple[float, Any]:
        """Seconds from the line written to the answer read, and the answer, which is JSON."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        start = time.perf_counter()
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        seconds = time.perf_counter() - start
        if not answer:
            code = self._process.wait()
            self._errors.seek(0)
            raise SystemExit(f"{self._process.args}: exit {code}\n{self._errors.read()[-2000:]}")
        return seconds, json.loads(answer)

    def close(self) -> None:
        """Let the process end."""
        self._process.communicate()
        self._errors.close()


def in_turn(tools: Mapping[str, Callable[[int], float]], rounds: int, budget: float) -> Times:
    """Seconds of each tool in each round; the order turns from round to round.

    A tool that has used up its seconds (`budget`) after some rounds is left out of the rest.
    """
    times: Times = {name: [] for name in tools}
    names = list(tools)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            if number < _LEAST_ROUNDS or sum(times[name]) < budget:
                times[name].append(tools[name](number))
            else:
                times[name].append(float("nan"))
    return times


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median, quartiles and number of some values; those that are not numbers are left out."""
    known = [value for value in values if not math.isnan(value)]
    if len(known) < 2:
        return {"median": known[0], "low": known[0], "high": known[0], "n": len(known)}
    low, middle, high = statistics.quantiles(known, n=4, method="inclusive")
    return {"median": middle, "low": low, "high": high, "n": len(known)}


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """Ours by theirs, round by round."""
    return summary([a / b for a, b in zip(ours, theirs, strict=True)])


def compared(times: Times, ours: str = "codex") -> dict[str, Any]:
    """Each tool's times, and for the others the ratio of ours to theirs."""
    found: dict[str, Any] = {}
    for name, values in times.items():
        found[name] = {"seconds": summary(values)}
        if name != ours and ours in times:
            found[name]["ratio"] = ratios(times[ours], values)
    return found


def spread(value: Mapping[str, float], scale: float = 1.0, digits: int = 3) -> str:
    """`median (lower quartile-upper quartile)`."""
    median, low, high = (f"{value[name] * scale:.{digits}f}" for name in ("median", "low", "high"))
    return f"{median} ({low}-{high})"


def show(found: Mapping[str, Any], scale: float = 1.0, unit: str = "s", digits: int = 3) -> None:
    """Print what `compared` found, a line a tool."""
    for name, value in found.items():
        line = f"  {name:28} {spread(value['seconds'], scale, digits):>28} {unit}  n={value['seconds']['n']}"
        if "ratio" in value:
            line += f"   codex takes {spread(value['ratio'])} of it"
        print(line, flush=True)
