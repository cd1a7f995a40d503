"""`codex mcp`: the processor time until a fresh server's first answer, and the time of a call to one that runs.

`python -m benchmarks.agents [--scratch DIR] [--sizes 460 10000]` makes what is missing, as the other benchmarks do.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.knowledge_base import CODEX, ready
from benchmarks.warm import questions

_FRESH = 5
_IMPORT = [sys.executable, "-c", "import mcp.server.mcpserver"]
_HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}


class Server:
    """A server over standard input and output that was greeted."""

    def __init__(self, root: Path) -> None:
        self._process = subprocess.Popen([str(CODEX), "-q", "mcp"], cwd=root, text=True, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE)  # fmt: skip
        self._ask("initialize", _HELLO)
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def search(self, question: str) -> None:
        """One call of search_claims, which must find something."""
        answer = self._ask("tools/call", {"name": "search_claims", "arguments": {"query": question}})
        if not answer["result"]["structuredContent"]["claims"]:
            raise SystemExit(f"nothing was found for {question}")

    def close(self) -> float:
        """End it; the processor seconds that it took in all."""
        assert self._process.stdin
        self._process.stdin.close()
        return spent(self._process)

    def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdout
        self._send({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()


def spent(process: subprocess.Popen[Any]) -> float:
    """The processor seconds of a process, when it has ended."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"it ended with {process.returncode}")
    return used.ru_utime + used.ru_stime


def fresh(root: Path, question: str) -> float:
    """The processor seconds of a server that answers one question and ends."""
    server = Server(root)
    server.search(question)
    return server.close()


def warm(root: Path, asked: list[str]) -> list[float]:
    """The seconds from a call written to its answer read."""
    server = Server(root)
    server.search(asked[0])
    taken = []
    for question in asked:
        began = time.perf_counter()
        server.search(question)
        taken.append(time.perf_counter() - began)
    server.close()
    return taken


def main() -> None:
    """Measure every size, a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("/tmp/bench"))
    parser.add_argument("--sizes", type=int, nargs="+", default=[460, 10_000])
    chosen = parser.parse_args()
    loading = statistics.median(spent(subprocess.Popen(_IMPORT)) for _ in range(_FRESH))
    print(f"importing the SDK alone: {loading:.2f} s of the processor")
    for size in chosen.sizes:
        root = ready(chosen.scratch.resolve(), size)
        asked = questions(root)
        first = [fresh(root, asked[number]) for number in range(_FRESH)]
        taken = warm(root, asked)
        p95 = statistics.quantiles(taken, n=20)[-1]
        print(f"{size} claims: first answer {statistics.median(first):.2f} s of the processor "
              f"({min(first):.2f} to {max(first):.2f}); search_claims p50 {statistics.median(taken) * 1000:.1f} ms, "
              f"p95 {p95 * 1000:.1f} ms, {len(taken)} calls", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
