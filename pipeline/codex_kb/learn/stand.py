"""How the generations of a knowledge base stand, in numbers."""

from __future__ import annotations

from typing import NamedTuple


class Stand(NamedTuple):
    """The newest generation's `number`, the one `in_force`, how many decisions taught the newest and how many wait.

    `packets`, `gain` and `low` are the record of trials (`trial.Record`); `closed` says that it was closed just now.
    """

    number: int = 0
    in_force: int = 0
    lessons: int = 0
    waiting: int = 0
    packets: int = 0
    gain: float | None = None
    low: float | None = None
    closed: bool = False
