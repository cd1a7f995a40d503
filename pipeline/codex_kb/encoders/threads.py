"""NumPy on one thread: a question is too little work to share.

On a busy machine BLAS's threads wait for each other for tenths of a second where one alone needs hundredths.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

_VARIABLE = "OPENBLAS_NUM_THREADS"
_limited = threading.Lock()


def one_from_the_start() -> None:
    """Have NumPy load with one thread: for a process that only asks questions, before it loads NumPy.

    It costs nothing. A program that `codex` is a part of has other work for its threads: there `one` limits them.
    """
    os.environ.setdefault(_VARIABLE, "1")


@contextlib.contextmanager
def one() -> Iterator[None]:
    """One thread for NumPy's products in here, then as many as before; what the environment sets stands.

    The limit is the process's: other threads that come here wait, so that none takes the limit for what was before.
    """
    if _VARIABLE in os.environ:
        yield
        return
    with _limited, _controller().limit(limits=1, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415 (10 ms, more than a question takes)

    return ThreadpoolController()
