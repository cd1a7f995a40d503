"""Ingest with a language model that answers in a second: one question at a time, and several.

    .venv/bin/python -m benchmarks.jobs [--sources 100] [--jobs 8]

The model is played by a server on a real socket, from the tests.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import timing
from benchmarks.knowledge_base import CODEX, git

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from fake_model import answer  # noqa: E402
from model_server import ModelServer, ok, slow  # noqa: E402

_SECONDS = 1.0
_SOURCE = """---
type: source
title: Boats of kind {0}
domain: ships
status: unprocessed
---

Wide boats of kind {0} turn slowly in every narrow harbour of the north. The price of tar number {0} doubled in winter.
"""


def ingest(sources: int, jobs: int) -> tuple[float, int]:
    """Wall seconds of one run over so many sources, and its most memory in MB."""
    with tempfile.TemporaryDirectory(prefix="codex-bench-") as folder:
        root = Path(folder)
        subprocess.run([str(CODEX), "-q", "init", folder], check=True)
        for number in range(sources):
            (root / f"inbox/boats-{number:04d}.md").write_text(_SOURCE.format(number))
        for name, value in (("user.name", "Bench"), ("user.email", "bench@example.org")):
            git(root, "config", name, value)
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "start")
        with ModelServer(lambda body, _: slow(_SECONDS, ok(answer(body["messages"][-1]["content"])))) as server:
            model = f"openai:played@{server.url}"
            command = [str(CODEX), "-q", "ingest", "inbox", "--model", model, "--jobs", str(jobs)]
            seconds, printed = timing.run(["/usr/bin/env", "python3", "-c", _MEASURED, *command], root)
            if server.count != sources:
                raise SystemExit(f"{server.count} questions for {sources} sources")
    return seconds, int(printed.split()[-1]) // 1024


_MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def main() -> None:
    """Print both runs and how they compare."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sources", type=int, default=100)
    options.add_argument("--jobs", type=int, default=8)
    args = options.parse_args()
    runs = {jobs: ingest(args.sources, jobs) for jobs in (args.jobs, 1)}
    for jobs, (seconds, memory) in runs.items():
        print(f"{args.sources} sources, --jobs {jobs}: {seconds:.1f} s, {memory} MB")
    print(f"--jobs {args.jobs} is {runs[1][0] / runs[args.jobs][0]:.2f} times as fast")


if __name__ == "__main__":
    main()
