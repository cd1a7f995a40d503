"""TOML front matter, between lines of `+++`, as text values with their lines; it is read and never edited."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from codex_kb.config import MOST_PARTS, long_key
from codex_kb.errors import RefusedFile
from codex_kb.text.yaml_fields import MAX_DEPTH

_LINE = re.compile(r"at line (\d+)")


def read_fields(text: str, first_line: int, path: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The fields, dates and numbers as text, and the line of each.

    Raises:
        RefusedFile: it is not TOML, or nested without bound.
    """
    hint = "mend the line, or write the fields as `key: value` between two `---` lines"
    if long := long_key(text):
        raise RefusedFile(f"a key of more than {MOST_PARTS} parts", path=path, line=first_line + long - 1, hint=hint)
    try:
        table = tomllib.loads(text, parse_float=str)
        fields = {key: _as_text(value, 1) for key, value in table.items()}
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        line = first_line + (int(found[1]) - 1 if found else 0)
        raise RefusedFile(f"not valid TOML: {error}", path=path, line=line, hint=hint) from None
    except RecursionError:
        raise RefusedFile("TOML nested too deep", path=path, line=first_line, hint=hint) from None
    lines = text.split("\n")
    return fields, {key: first_line + _place(key, lines) for key in fields}


def _as_text(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(value, dict):
        return {key: _as_text(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_text(item, depth + 1) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _place(key: str, lines: list[str]) -> int:
    """How many lines stand above the one that opens with the key, as far as a plain search finds it."""
    opens = re.compile(rf"[ \t]*\[*[ \t]*[\"']?{re.escape(key)}[\"']?[ \t]*[=.\]]")
    return next((number for number, line in enumerate(lines) if opens.match(line)), 0)
