"""A real Ray cluster of two nodes on loopback, with a token and ports of its own; what is ended is ended by its id."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

HEAD, NODE = "127.0.0.2", "127.0.0.3"
_HERE = Path(__file__).parent


class Raylets:
    """The head with one processor; `start` and `kill` a second node with one more."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="codex-test-", dir="/tmp"))
        with socket.create_server((HEAD, 0)) as free:
            self.address = f"{HEAD}:{free.getsockname()[1]}"
        self.environment = {
            **os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            "PYTHONPATH": os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(_HERE)]),
            "TMPDIR": str(self.folder),
        }  # fmt: skip
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def engine(self) -> str:
        """As `--engine` takes it."""
        return f"ray://{self.address}"

    def start(self, ip: str) -> None:
        """Start a node; back when it takes work."""
        port = self.address.partition(":")[2]
        where = ["--head", "--port", port, "--include-dashboard", "false", "--temp-dir", str(self.folder / "ray")]
        where = where if ip == HEAD else ["--address", self.address]
        log = self.folder / f"{ip}.log"
        with log.open("wb") as output:
            self._processes[ip] = subprocess.Popen(
                [Path(sys.executable).with_name("ray"), "start", *where, "--node-ip-address", ip, "--num-cpus", "1",
                 "--object-store-memory", "100000000", "--block"],
                env=self.environment, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        until(lambda: "block forever" in log.read_text(errors="replace"), 120)

    def kill(self, ip: str) -> None:
        """Kill a node and all that runs on it."""
        process = self._processes.pop(ip)
        found = below(process.pid)
        for pid in (process.pid, *found):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(30)

    def workers(self, ip: str) -> list[int]:
        """The processes of a node that are at work now."""
        return [pid for pid in below(self._processes[ip].pid) if command(pid).startswith("ray::_work")]

    def close(self) -> None:
        """End what still runs."""
        for ip in (NODE, HEAD):
            if ip in self._processes:
                self.kill(ip)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def running() -> Iterator[Raylets]:
    """Both nodes, ended in the end."""
    cluster = Raylets()
    try:
        cluster.start(HEAD)
        cluster.start(NODE)
        yield cluster
    finally:
        cluster.close()


def until(happened: Callable[[], T], seconds: float) -> T:
    """Wait for something, and give it."""
    end = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return found


def below(pid: int) -> list[int]:
    """The processes that a process began, and theirs."""
    parents = {int(each.name): _parent(each) for each in Path("/proc").iterdir() if each.name.isdigit()}
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        children = [child for child, of in parents.items() if of == parent]
        found += children
        waiting += children
    return found


def _parent(process: Path) -> int:
    with contextlib.suppress(OSError):
        return int(process.joinpath("stat").read_text().rpartition(")")[2].split()[1])
    return 0


def command(pid: int) -> str:
    """What a process calls itself."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""
