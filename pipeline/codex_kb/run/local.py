"""Work on several things at a time, results in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def in_order(
    work: Callable[[A], B], items: Iterable[A], at_once: int
) -> Generator[tuple[A, Callable[[], B]], None, None]:
    """Each item with a function that gives its result, or raises what its work raised; a few items ahead.

    With one at a time the work is done when its result is asked for. Closed, no further item is begun, and
    what was begun is waited for: who wants it to end says so first.
    """
    if at_once <= 1:
        for item in items:
            yield item, partial(work, item)
        return
    waiting: deque[tuple[A, Future[B]]] = deque()
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="source")
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) >= 2 * at_once:
                first, future = waiting.popleft()
                yield first, future.result
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result
    finally:
        pool.shutdown(cancel_futures=True)
