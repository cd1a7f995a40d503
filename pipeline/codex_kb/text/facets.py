"""What else a claim may be asked for: its sources, their authors, its tags, who approved it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from codex_kb.text.fields import text

NAMES = SOURCE, AUTHOR, TAG, BY = "source", "author", "tag", "by"


def of(fields: Mapping[str, Any]) -> set[tuple[str, str]]:
    """(name, value) of everything that a claim's frontmatter says of it, case folded."""
    return {(name, value.casefold()) for name, value in _found(fields) if value}


def _found(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for each in _list(fields.get("evidence")):
        path = text(each.get("source")) if isinstance(each, Mapping) else ""
        yield from ((SOURCE, path), (SOURCE, PurePosixPath(path).stem))
    said = text(fields.get("source"))
    yield from ((SOURCE, said), (AUTHOR, said))
    yield from ((AUTHOR, handle) for handle in _handles(fields, "sourcer"))
    yield from ((BY, handle) for handle in _handles(fields, "reviewer"))
    yield from ((TAG, text(each)) for each in _list(fields.get("tags")))


def _handles(fields: Mapping[str, Any], role: str) -> Iterator[str]:
    roles = fields.get("attribution")
    for each in _list(roles.get(role)) if isinstance(roles, Mapping) else ():
        yield text(each.get("handle")) if isinstance(each, Mapping) else text(each)


def _list(value: Any) -> list[Any]:
    """A field's values; a text is separated by commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return value if isinstance(value, list) else [] if value is None else [value]
