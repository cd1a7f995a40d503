"""A box between workers and the process that answers their questions: an actor of a cluster."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any


class Box:
    """Holds questions until they are answered; all methods run in one event loop."""

    def __init__(self) -> None:
        self._asked: asyncio.Queue[tuple[int, Any]] = asyncio.Queue()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._numbers = count()

    async def ask(self, question: Any) -> Any:
        """The answer to a question, when there is one."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._asked.put((number, question))
        return await answer

    async def next(self) -> tuple[int, Any]:
        """A question that nobody has taken, with its number; waits for one."""
        return await self._asked.get()

    async def tell(self, number: int, answer: Any) -> None:
        """The answer to the question of that number."""
        self._waiting.pop(number).set_result(answer)
