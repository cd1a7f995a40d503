"""One thread in which everything that touches the knowledge base happens, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from codex_kb.kb import KnowledgeBase
from codex_kb.workflow.desk import Desk
from codex_kb.workflow.search import Searcher

T = TypeVar("T")


class Room:
    """What the pages of one server share; `kb`, `desk` and `searcher` are for its thread alone.

    `names` are the packets that it is about; None for all, those to come included.
    """

    def __init__(self, kb: KnowledgeBase, reviewer: str, sources: Sequence[str] = (), anyway: bool = False) -> None:
        """Raises NotFound where nothing waits for a named source."""
        self.kb = kb
        self.reviewer = reviewer
        self.desk = Desk(kb, reviewer, sources, anyway)
        self.names = {name for name, _ in self.desk.queue()} if sources else None
        self.searcher = Searcher(kb)
        self._thread = ThreadPoolExecutor(1, "knowledge base")

    async def do(self, work: Callable[[Room], T]) -> T:
        """What the work returns or raises, done in the room's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self)

    def close(self) -> None:
        """End the thread once what is under way is done; packets that nobody marked are as they were found."""
        self._thread.submit(self.desk.leave).result()
        self._thread.submit(self.searcher.close).result()
        self._thread.shutdown()
