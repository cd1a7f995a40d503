"""Text that leaves, for a terminal, a commit or another program: nothing in it steers what shows it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache

#: Control characters but tab and newline, line separators, marks and overrides of direction, half surrogate pairs.
_STEERS = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"


@lru_cache(maxsize=1)
def _steers() -> re.Pattern[str]:
    return re.compile(_STEERS)


def _replaced(text: str, by: Callable[[re.Match[str]], str]) -> str:
    # Most text is printable, which is quicker to see than the pattern to compile.
    return text if text.isprintable() else _steers().sub(by, text)


def shown(text: str) -> str:
    """The text with what would steer a terminal as escapes."""
    return _replaced(text, lambda found: found[0].encode("unicode_escape").decode())


def without(text: str) -> str:
    """The text without what would steer a terminal."""
    return _replaced(text, lambda _: "")


def as_json(value: object) -> str:
    """A value as one line of JSON that is safe on a terminal; whoever reads it has the value as it was."""
    return _replaced(json.dumps(value, ensure_ascii=False), lambda found: f"\\u{ord(found[0]):04x}")
