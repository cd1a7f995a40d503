"""One run of a command in a process group of its own, and the SIGKILL that ends it: by the clock, by a file, by git."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.kills.template import CODEX, Templates

#: Seconds that a slow hook takes.
SLOW = 0.3
SLOW_HOOKS = ("pre-commit", "post-commit")
_PATIENCE = 60
#: Told of by `git` on PATH and by every hook: a line a point. At the asked one the run is killed.
_POINT = """
point() {
    echo "$1" >>"$KILLS_TRACE"
    [ "$(wc -l <"$KILLS_TRACE")" -ne "$KILLS_AT" ] || kill -s KILL -- "$KILLS_TARGET"
}
"""
_GIT = """#!/bin/sh
. "$KILLS/point"
for word; do case $word in -*) ;; *) break ;; esac; done
point "before git $word"
"$KILLS_GIT" "$@"
code=$?
point "after git $word"
exit $code
"""
_HOOK = """
. "$KILLS/point"
name=${0##*/}
case $name in pre-commit | post-commit) sleep "$KILLS_SLOW" ;; esac
case $name in reference-transaction) name="$name, $1" ;; esac
point "inside hook $name"
"""
_START = 'export KILLS_TARGET=$KILLS_SIGN$$; exec "$@"'


class Kill(NamedTuple):
    """When a run is killed, and what of it."""

    #: How the kill is told of in the table.
    name: str
    #: The number of the point, from 1; 0 for none.
    point: int = 0
    #: Seconds after its start, or after what is watched.
    after: float = 0
    #: The file that is watched, and what must become of it: "there", "gone" or "other".
    path: str = ""
    becomes: str = ""
    #: Only the process of ours dies; git goes on by itself.
    alone: bool = False


class Run(NamedTuple):
    """What became of a run."""

    code: int
    seconds: float
    trace: list[str]
    output: str
    group: int


class Killer:
    """Starts runs of codex, and kills them."""

    def __init__(self, templates: Templates, scratch: Path) -> None:
        self._templates = templates
        self._tools = scratch / "tools"
        (self._tools / "bin").mkdir(parents=True)
        (self._tools / "point").write_text(_POINT)
        (self._tools / "hook").write_text(_HOOK)
        (self._tools / "bin/git").write_text(_GIT)
        (self._tools / "bin/git").chmod(0o755)

    def run(self, root: Path, arguments: list[str], slow: bool = False, kill: Kill | None = None) -> Run:
        """Run a command, with a kill or to its end."""
        traced, printed = root.with_name("trace.txt"), root.with_name("output.txt")
        traced.write_text("")
        environment = self._templates.environment | {
            "PATH": f"{self._tools / 'bin'}:{os.environ['PATH']}", "KILLS": str(self._tools),
            "KILLS_GIT": shutil.which("git") or "git", "KILLS_TRACE": str(traced), "KILLS_SLOW": str(SLOW * slow),
            "KILLS_AT": str(kill.point if kill else 0), "KILLS_SIGN": "" if kill and kill.alone else "-",
        }  # fmt: skip
        before = _seen(root / kill.path) if kill else None
        start = time.perf_counter()
        with printed.open("w") as output, subprocess.Popen(
            ["sh", "-c", _START, "sh", str(CODEX), *arguments], cwd=root, env=environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        ) as process:  # fmt: skip
            if kill and not kill.point:
                _wait_for(root, kill, before, process)
                with contextlib.suppress(ProcessLookupError):
                    (os.kill if kill.alone else os.killpg)(process.pid, signal.SIGKILL)
            code = process.wait(_PATIENCE)
        seconds = time.perf_counter() - start
        if not (kill and kill.alone):
            ended(process.pid)
        return Run(code, seconds, traced.read_text().splitlines(), printed.read_text(), process.pid)


def _wait_for(root: Path, kill: Kill, before: object, process: subprocess.Popen[bytes]) -> None:
    """Wait until it is time, or the run has ended."""
    if kill.path:
        path = root / kill.path
        until: Callable[[object], bool] = {
            "there": lambda now: now is not None, "gone": lambda now: now is None, "other": lambda now: now != before,
        }[kill.becomes]  # fmt: skip
        if kill.becomes == "gone":  # it must come first
            while _seen(path) is None and process.poll() is None:
                pass
        while not until(_seen(path)) and process.poll() is None:
            pass
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(kill.after)


def _seen(path: Path) -> tuple[int, int, int] | None:
    try:
        now = os.lstat(path)
    except OSError:
        return None
    return now.st_ino, now.st_mtime_ns, now.st_size


def ended(group: int) -> None:
    """Wait until no process of the group lives. Those that nobody waits for count as dead."""
    limit = time.monotonic() + _PATIENCE
    while alive(group):
        if time.monotonic() > limit:
            raise SystemExit(f"process group {group} does not end")
        time.sleep(0.002)


def alive(group: int) -> bool:
    """Does a process of the group live?"""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, _, of = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(of) == group and state not in "ZX":
                return True
    return False
