"""A server for the kill test: runs `codex` in forks of itself, each killed at a point that is asked for.

Reads one JSON object a line, {"folder", "arguments", "kill_at"}; answers one a line. Every place
where a run touches the disk or calls git is a point; the run dies by SIGKILL right before that one.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

_WRAPPED = ("replace", "rename", "unlink", "remove", "rmdir", "mkdir", "fsync")


class Points:
    """Counts the points of one run and ends it at one of them."""

    def __init__(self) -> None:
        self.log = -1
        self.kill_at = 0
        self.count = 0

    def reached(self, name: str) -> None:
        if self.log < 0:
            return
        self.count += 1
        os.write(self.log, f"{name}\n".encode())
        if self.count == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


POINTS = Points()


def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    """The function of os, as a point."""

    def call(*args: Any, **kwargs: Any) -> Any:
        POINTS.reached(f"{name} {os.path.basename(str(args[0]))}")
        return real(*args, **kwargs)

    return call


class CountedPopen(subprocess.Popen):  # type: ignore[type-arg]
    """A call of git, as a point."""

    def __init__(self, args: Sequence[str], *rest: Any, **kwargs: Any) -> None:
        POINTS.reached(" ".join(args))
        super().__init__(args, *rest, **kwargs)


def run(arguments: Sequence[str], folder: str) -> None:
    """One command of codex, in this process."""
    from codex_kb.cli import main  # noqa: PLC0415

    output = os.open(os.path.join(folder, "..", "output.txt"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(folder)
    POINTS.log = os.open(os.path.join("..", "points.txt"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    sys.argv = ["codex", "-v", *arguments]
    code = 70
    try:
        main()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
    except BaseException:
        importlib.import_module("traceback").print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def serve() -> None:
    """Answer until standard input ends."""
    for name in _WRAPPED:
        setattr(os, name, counted(name, getattr(os, name)))
    subprocess.Popen = CountedPopen  # type: ignore[misc]
    for name in ("git", "faiss", "jsonschema", "numpy", "frontmatter", "codex_kb.cli.review", "codex_kb.cli.check"):
        importlib.import_module(name)
    from codex_kb.encoders import model  # noqa: PLC0415
    from conftest import FakeEncoder  # noqa: PLC0415

    model.load = FakeEncoder  # type: ignore[assignment]
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if not child:
            POINTS.kill_at = job["kill_at"]
            run(job["arguments"], job["folder"])
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps({"code": code}), flush=True)


if __name__ == "__main__":
    serve()
