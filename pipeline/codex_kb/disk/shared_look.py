"""A look at the folders of very many claims, shared among a process for each processor.

It is Python's work as much as the system's: threads would wait for each other.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence

from codex_kb.disk import processors, stat_cache
from codex_kb.disk.stat_cache import Folder
from codex_kb.layout import may_be_claim, never_claims

#: Folders from which they are shared out: many more than processors, since some hold more than others.
_PARTS = 64
#: A worker finds its modules where this process does. Nothing else of this process is begun anew in it, as the
#: multiprocessing module would begin the program that codex is a part of.
_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from codex_kb.disk import shared_look; shared_look.work()"


def claim_folders(root: str, start: str) -> Iterator[Folder]:
    """The folders with claims at and below one, as `stat_cache.scan` gives them, in any order."""
    waiting = deque([start])
    while waiting and len(waiting) < _PARTS:
        folder, inner = stat_cache.see(root, waiting.popleft(), may_be_claim, never_claims)
        waiting += inner
        yield folder
    paths, count = list(waiting), processors.usable()
    with contextlib.ExitStack() as workers:
        shares = [paths[at::count] for at in range(count) if paths[at::count]]
        begun = [_begin(workers, root, share) for share in shares]
        for share, worker in zip(shares, begun, strict=True):
            yield from _result(worker) or _look(root, share)


def work() -> None:
    """In a worker: look at what standard input names."""
    root, paths = json.load(sys.stdin)
    json.dump([(path, digest.hex(), newest) for path, digest, newest in _look(root, paths)], sys.stdout)


def _begin(workers: contextlib.ExitStack, root: str, paths: Sequence[str]) -> subprocess.Popen[str] | None:
    """A worker for these folders, None where none can be had."""
    with tempfile.TemporaryFile("w+") as file, contextlib.suppress(OSError):
        json.dump([root, paths], file)
        file.seek(0)
        command = [sys.executable, "-I", "-c", _PROGRAM, *sys.path]
        worker = subprocess.Popen(command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        workers.enter_context(worker)
        workers.callback(worker.kill)
        return worker
    return None


def _result(worker: subprocess.Popen[str] | None) -> list[Folder]:
    """What a worker saw; nothing where it failed."""
    written = worker.communicate()[0] if worker else ""
    if worker is None or worker.returncode:
        return []
    return [Folder(path, bytes.fromhex(digest), newest) for path, digest, newest in json.loads(written)]


def _look(root: str, paths: Sequence[str]) -> list[Folder]:
    scanned = (stat_cache.scan(root, path, may_be_claim, never_claims) for path in paths)
    return [folder for folders in scanned for folder in folders]
