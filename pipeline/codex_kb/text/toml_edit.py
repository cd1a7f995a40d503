"""One text of a TOML file set or taken out, every other byte as it was; what cannot be done safely is not done."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from codex_kb.config import STRING
from codex_kb.text.leaving import as_json

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)


def with_texts(text: str, table: Sequence[str], values: Mapping[str, str | None]) -> str | None:
    """The file with texts of one table set by their keys, None to take one out.

    None where the table is not written as `[a.b]`, a value is no plain text, or anything else would change its meaning.
    """
    now: str | None = text
    for key, value in values.items():
        now = now and _with_text(now, table, key, value)
    return now if now is not None and _means(now, _changed(text, table, values)) else None


def lines(table: Sequence[str], values: Mapping[str, str | None]) -> str:
    """The same for a person to write: the table with its keys; one that is to go is a comment."""
    rows = [f"# no {key}" if value is None else f"{key} = {literal(value)}" for key, value in values.items()]
    return "\n".join([f"[{'.'.join(table)}]", *rows, ""])


def literal(value: str, newline: str = "\n") -> str:
    """A text as TOML writes it; one of several lines on several."""
    if "\n" not in value:
        return as_json(value).replace("\x7f", "\\u007f")
    rows = (literal(row)[1:-1] for row in value.split("\n"))
    return f'"""{newline}{newline.join(rows)}"""'


def difference(before: str, after: str, path: str) -> str:
    """A unified diff that `git apply` and `patch` accept; empty where nothing differs."""
    found = difflib.unified_diff(_LINE.findall(before), _LINE.findall(after), f"a/{path}", f"b/{path}")
    return "".join(_ended(found))


def _ended(rows: Iterator[str]) -> Iterator[str]:
    for row in rows:
        yield row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n"


def _with_text(text: str, table: Sequence[str], key: str, value: str | None) -> str | None:
    # Of the same length, so that places are the same: no bracket, key or newline of a string or a comment misleads.
    plain = STRING.sub(lambda found: (" " if found[0].startswith("#") else "a") * len(found[0]), text)
    name = r"[ \t]*\.[ \t]*".join(map(re.escape, table))
    header = re.search(rf"^[ \t]*\[[ \t]*{name}[ \t]*\][ \t]*(\r?)(?:\n|\Z)", plain, re.MULTILINE)
    if header is None:
        return None
    newline = header[1] + "\n"
    after = _TABLE.search(plain, header.end())
    end = after.start() if after else len(plain)
    found = re.compile(rf"^[ \t]*{re.escape(key)}[ \t]*=[ \t]*(?=a)", re.MULTILINE).search(plain, header.end(), end)
    old = STRING.match(text, found.end()) if found else None
    if value is None:
        return _without(text, found.start(), old.end()) if found and old else text
    written = literal(value, newline)
    if old:
        return text[: old.start()] + written + text[old.end() :]
    last = len(plain[:end].rstrip())  # the end of the table's last line that is no comment
    stop = plain.find("\n", last) + 1
    row = f"{key} = {written}"
    return f"{text[:stop]}{row}{newline}{text[stop:]}" if stop else f"{text}{newline}{row}"


def _without(text: str, start: int, end: int) -> str:
    """The text without the lines from one place to another, what stands behind it on its line too."""
    stop = text.find("\n", end)
    return text[:start] + (text[stop + 1 :] if stop >= 0 else "")


def _changed(text: str, table: Sequence[str], values: Mapping[str, str | None]) -> dict[str, Any]:
    """What the file is to mean."""
    meant = tomllib.loads(text)
    inner = meant
    for name in table:
        inner = inner.get(name, {})
    for key, value in values.items():
        inner.pop(key, None)
        inner |= {} if value is None else {key: value}
    return meant


def _means(text: str, meant: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == meant
    except ValueError:
        return False
