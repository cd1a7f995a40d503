"""A look at very many files, shared among a process for each processor.

It is Python's work as much as the system's: threads would wait for each other.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from codex_kb.disk import stat_cache
from codex_kb.disk.stat_cache import Folder, Wanted

#: Folders that are shared out at once; there are many more than processors, since some hold more than others.
_PARTS = 64


def scan(root: str, start: str, wanted: Wanted, skip: Wanted) -> Iterator[Folder]:
    """As `stat_cache.scan`, in any order. `wanted` and `skip` are functions of a module."""
    waiting = deque([start])
    while waiting and len(waiting) < _PARTS:
        folder, inner = stat_cache.see(root, waiting.popleft(), wanted, skip)
        waiting += inner
        yield folder
    if not waiting:
        return
    paths = list(waiting)
    parts = [paths[at::_PARTS] for at in range(_PARTS)]
    # A process that is begun anew shares nothing with this one, threads and locks least of all.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(mp_context=spawn, initializer=_leave_interrupts) as pool:
        for folders in pool.map(partial(_scan, root, wanted, skip), parts):
            yield from folders


def _scan(root: str, wanted: Wanted, skip: Wanted, starts: Iterable[str]) -> list[Folder]:
    return [folder for start in starts for folder in stat_cache.scan(root, start, wanted, skip)]


def _leave_interrupts() -> None:
    """Leave them to the process that began this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
