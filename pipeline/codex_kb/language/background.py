"""One event loop in a thread of its own, for questions that wait on the network."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future, wait
from typing import Any, TypeVar

T = TypeVar("T")

#: Seconds after which a waiting thread looks up: on Windows a wait without end cannot be interrupted.
_LOOK_UP = 1.0

_lock = threading.Lock()
_loops: list[asyncio.AbstractEventLoop] = []
_under_way: set[Future[Any]] = set()
_stopped = threading.Event()


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end. May be called from several threads; an interrupt cancels the coroutine.

    Raises:
        concurrent.futures.CancelledError: `stop` was called.
    """
    loop = _loop()
    with _lock:
        if _stopped.is_set():
            coroutine.close()
            raise CancelledError
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        _under_way.add(future)
    try:
        while not wait([future], timeout=_LOOK_UP).done:
            pass
        return future.result()
    except BaseException:
        future.cancel()
        raise
    finally:
        with _lock:
            _under_way.discard(future)


def stop() -> None:
    """Cancel whatever runs, and whatever would run next, until `allow` is called."""
    with _lock:
        _stopped.set()
        futures = list(_under_way)
    for future in futures:
        future.cancel()


def allow() -> None:
    """Let questions be asked after a stop."""
    _stopped.clear()


def _loop() -> asyncio.AbstractEventLoop:
    with _lock:
        if not _loops:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="language", daemon=True).start()
            _loops.append(loop)
        return _loops[0]
