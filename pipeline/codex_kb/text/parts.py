"""A Markdown body in parts that a language model can read one at a time, cut where a reader would pause.

Sections are kept whole and joined while they fit; one that is too long is cut after a paragraph, else after
a list item or sentence, else at white space, else anywhere.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from codex_kb.text import marks

#: CommonMark 0.31, 4.2.
_HEADING = re.compile(r" {0,3}(?P<marks>#{1,6}+)(?:\s++(?P<title>.*+))?$")
#: Where a part may end, best first: after a paragraph, a list item or sentence, white space.
_PAUSES = (
    re.compile(r"\n[^\S\n]*+\n\s*+"),
    re.compile(rf"{marks.BLOCK.pattern}|{marks.BETWEEN.pattern}"),
    re.compile(r"\s++"),
)
_TITLE = 80  # characters of each heading in a path


@dataclass(frozen=True, slots=True)
class Part:
    """`body[start:end]`; `heading` is the path of headings that it starts under, as "A > B"."""

    start: int
    end: int
    heading: str = ""


def split(body: str, most_chars: int) -> list[Part]:
    """The whole body in order, without gap or overlap, in parts of at most `most_chars` characters. Linear.

    Raises ValueError where `most_chars` is less than 1.
    """
    if most_chars < 1:
        raise ValueError("a part has at least one character")
    headings = [(0, ""), *_headings(body)]
    starts = [start for start, _ in headings]
    ends = [*starts[1:], len(body)]
    parts: list[Part] = []
    start = 0
    while start < len(body):
        end = _end(body, ends, start, most_chars)
        parts.append(Part(start, end, headings[bisect_right(starts, start) - 1][1]))
        start = end
    return parts


def _end(body: str, ends: list[int], start: int, most: int) -> int:
    """Where the part that begins at `start` ends; `ends` are the sections'."""
    limit = start + most
    section = bisect_right(ends, limit) - 1
    end = ends[section] if section >= 0 else 0
    least = start + most // 4
    # A few lines before a section that must be cut anyway go with its beginning.
    if end == len(body) or end > least or (end > start and ends[section + 1] - end <= most):
        return end
    for pause in _PAUSES:
        places = [found.end() for found in pause.finditer(body, least, limit) if found.end() > start]
        if places:
            return places[-1]
    return limit


def _headings(body: str) -> Iterator[tuple[int, str]]:
    """(start, path) of each heading that is not in fenced code or a comment."""
    path: list[tuple[int, str]] = []
    for line in marks.lines(body):
        found = None if line.inside else _HEADING.match(line.text)
        if found:
            level = len(found["marks"])
            title = " ".join((found["title"] or "")[: 2 * _TITLE].split()).rstrip("#").strip()[:_TITLE]
            path = [*((above, name) for above, name in path if above < level), (level, title)]
            yield line.start, " > ".join(name for _, name in path if name)
