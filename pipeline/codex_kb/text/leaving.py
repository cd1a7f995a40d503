"""Text that leaves, for a terminal, a commit or another program: nothing in it steers what shows it."""

from __future__ import annotations

import json
import re

#: Control characters but tab and newline, line separators, marks and overrides of direction, half surrogate pairs.
_STEERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)  # fmt: skip


def shown(text: str) -> str:
    """The text with what would steer a terminal as escapes."""
    return _STEERS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def without(text: str) -> str:
    """The text without what would steer a terminal."""
    return _STEERS.sub("", text)


def as_json(value: object) -> str:
    """A value as one line of JSON that is safe on a terminal; whoever reads it has the value as it was."""
    text = json.dumps(value, ensure_ascii=False)
    return _STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
