"""Frontmatter under our own names, whatever a repository calls them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from codex_kb.text.marks import one_line

if TYPE_CHECKING:
    from codex_kb.records import Source

CONFIDENCES = ("proven", "likely", "experimental", "speculative")
#: The domain of what has none.
NO_DOMAIN = "general"

UNPROCESSED = "unprocessed"
PROCESSING = "processing"
PROCESSED = "processed"
NULL_RESULT = "null-result"

#: Legacy spellings of a status.
_STATUS = {"": UNPROCESSED, "partial": PROCESSING}
#: Legacy names of fields, read where ours are missing.
_LEGACY = {"url": ("source",), "date": ("date_published", "date_archived"), "format": ("source_type",)}


def ours(fields: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Frontmatter under our names: `names` maps ours to the file's; legacy names fill the gaps.

    A field that `names` gives another key keeps its own meaning in the file and is left out.
    """
    theirs = set(names.values())
    found = {key: value for key, value in fields.items() if key not in names and key not in theirs}
    found |= {our: fields[their] for our, their in names.items() if their in fields}
    for name, legacy in _LEGACY.items():
        old = next((fields[old] for old in legacy if fields.get(old) and old not in theirs), None)
        if old and not found.get(name):
            found[name] = old
    return found


def text(value: Any) -> str:
    """A field's value as one line of text; a list's items are joined by commas."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(text(item) for item in value)
    return " ".join(str(value).split())


def status_of(fields: Mapping[str, Any]) -> str:
    """The source's place in its life cycle, legacy spellings and a missing status resolved."""
    value = text(fields.get("status")).lower()
    return _STATUS.get(value, value)


def byline(source: Source) -> str:
    """Author, title and date of a source on one line, as far as they are known."""
    name = f'"{source.title}"'
    named = f"{source.author}, {name}" if source.author else name
    return one_line(f"{named} ({source.date})" if source.date else named)


def folder_name(domain: str) -> str:
    """A domain as the name of one folder: lower case, hyphens for all but letters and digits."""
    return "-".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", domain).casefold()))[:80].strip("-")
