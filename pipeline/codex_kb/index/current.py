"""The index of a knowledge base that stays open between answers, each given from the claims as they are then."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from codex_kb.encoders import threads
from codex_kb.index import opened

if TYPE_CHECKING:
    from codex_kb.index.opened import ClaimIndex
    from codex_kb.kb import KnowledgeBase

T = TypeVar("T")

_TRIES = 3


class Current:
    """Opens the index for the first answer, and anew where others changed claims or the local copy since."""

    def __init__(self, kb: KnowledgeBase, every_file: bool = False) -> None:
        """With `every_file` it is opened with a look at every claim, however many there are."""
        self._kb = kb
        self._every_file = every_file
        self._open: ClaimIndex | None = None

    @property
    def index(self) -> ClaimIndex:
        """The index as it was opened last."""
        if self._open is None:
            self._open = opened.load(self._kb, every_file=self._every_file)
        return self._open

    def answer(self, ask: Callable[[], T], paths: Callable[[T], Iterable[str]]) -> T:
        """What `ask` finds in `index`; asked again where a claim that it found, named by `paths`, changed unseen."""
        if self._open is not None and not self._open.current(self._kb):
            self.close()
        found = self._asked(ask)
        for _ in range(_TRIES):
            if self.index.unchanged(self._kb, list(paths(found))):
                break
            self.close()
            self._open = opened.load(self._kb, every_file=True)
            found = self._asked(ask)
        return found

    def _asked(self, ask: Callable[[], T]) -> T:
        _ = self.index  # what opening embeds may take all threads
        with threads.one():
            return ask()

    def close(self) -> None:
        """Let go of the files; the next answer opens them anew."""
        if self._open is not None:
            self._open.close()
            self._open = None
