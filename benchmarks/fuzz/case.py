"""What all parts share: a case, what came of it, and the sentence that did not hold."""

from __future__ import annotations

import random
from typing import NamedTuple, Protocol


class Broken(Exception):
    """Something that must always hold does not; the message says what."""


class Ended(NamedTuple):
    """How a case ended: what held, and why the program refused, empty where it did not."""

    held: str
    refused: str = ""


class Case(Protocol):
    """An input; `text` is what is made smaller when it breaks something."""

    @property
    def text(self) -> str:
        """The input as text."""


class Part(Protocol):
    """Makes cases and checks them; `tries` is how often a broken one is tried with less text."""

    tries: int

    def make(self, chance: random.Random) -> Case:
        """A case; the same chance gives the same."""

    def check(self, case: Case) -> Ended:
        """Give it to the program. Raises Broken."""


def require(holds: object, what: str) -> None:
    """Raises Broken with these words where something does not hold."""
    if not holds:
        raise Broken(what)


def damaged(chance: random.Random, text: str, typed: tuple[str, ...], times: int) -> str:
    """The text after so many edits of any kind: something typed, cut out, cut off, moved or doubled."""
    for _ in range(times):
        one, two = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        part = text[one : min(two, one + chance.choice([1, 1, 3, 20, 200]))]
        other = chance.randrange(len(text) + 1)
        kind = chance.randrange(10)
        if kind < 5:
            text = text[:one] + chance.choice(typed) + text[one:]
        elif kind < 8:
            text = text[:one] + text[one + len(part) :]
        elif kind < 9:
            text = text[:other] + part + text[other:]
        else:
            text = text[:other]
    return text
