"""Keys: read from the environment only, and kept out of whatever a person or a file gets to see."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from codex_kb.errors import UsageError

#: Services echo keys cut short: so many characters of one give a word away.
_PIECE = 8


def key(variables: Iterable[str]) -> str:
    """The value of the first of the environment's variables that is set; empty where none is.

    Raises:
        UsageError: it cannot be a key.
    """
    for variable in variables:
        value = os.environ.get(variable, "").strip()
        if value:
            if not (value.isascii() and value.isprintable() and " " not in value):
                raise UsageError(f"{variable} holds something that is no key", hint=f"set {variable} again")
            return value
    return ""


def redact(text: str, secrets: Iterable[str]) -> str:
    """The text with *** for each word that holds a piece of a key."""
    pieces = {each[at : at + _PIECE] for each in filter(None, secrets) for at in range(max(1, len(each) - _PIECE + 1))}
    return re.sub(r"\S+", lambda word: "***" if any(piece in word[0] for piece in pieces) else word[0], text)
