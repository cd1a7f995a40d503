"""Asking again: the one place that decides when, and how long to wait before."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from codex_kb.errors import ModelError

T = TypeVar("T")

#: The longest wait in seconds, whatever the service asks for.
LONGEST = 60.0
_FIRST = 1.0

sleep = asyncio.sleep


class Fault(NamedTuple):
    """Why there was no answer; `passing` where asking again may help, `after` is the wait that the service asks for."""

    kind: str
    message: str
    hint: str = ""
    passing: bool = False
    after: float | None = None


def delay(attempt: int, after: float | None) -> float:
    """Seconds to wait after the attempt of that number, from 1: exponential with full jitter, or as was asked for."""
    if after is not None:
        return min(LONGEST, max(0.0, after))
    return random.uniform(0, min(LONGEST, _FIRST * 2 ** (attempt - 1)))


async def repeated(ask: Callable[[], Awaitable[T]], read: Callable[[Exception], Fault], attempts: int) -> T:
    """What `ask` gives, asked at most `attempts` times.

    Raises:
        ModelError: what `read` makes of the last failure.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return await ask()
        except Exception as error:
            fault = read(error)
        # Raised here, the error does not carry the one it is made from, with its headers.
        if not fault.passing:
            raise ModelError(fault.kind, fault.message, hint=fault.hint)
        if attempt >= attempts:
            raise ModelError(fault.kind, f"{fault.message} (asked {attempt} times)", hint=fault.hint)
        await sleep(delay(attempt, fault.after))
