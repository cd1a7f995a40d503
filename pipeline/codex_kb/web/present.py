"""What pages show of records: a source in blocks with its quotes marked, words that differ, ages. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal

from codex_kb.text import marks

_HEADING = re.compile(r" {0,3}#{1,6}\s")
#: A link to a file or an address; its text alone tells a reader something.
_LINK = re.compile(r"(?<!!)\[([^\[\]\n]{1,500})\]\((?:<[^<>\n]{0,2000}>|[^()<>\s]{0,2000})\)")
_WORD = re.compile(r"\w+|\W+")
_DAY = 86_400.0
_UNITS = ((365.25 * _DAY, "year"), (30.4 * _DAY, "month"), (7 * _DAY, "week"), (_DAY, "day"), (3600.0, "hour"))

Kind = Literal["heading", "text", "code"]
#: (start, end, id) of what a proposal quotes.
Span = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a block, and the ids of the proposals that quote it; `first` are those whose quote begins here."""

    text: str
    ids: tuple[str, ...] = ()
    first: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph or a piece of code, as its characters stand in the source."""

    kind: Kind
    pieces: tuple[Piece, ...]


def blocks(body: str, spans: Sequence[Span] = ()) -> list[Block]:
    """The blocks of a Markdown body, cut where quotes begin and end. Nothing in it is taken for markup."""
    begun: set[Span] = set()
    coming = sorted(spans, reverse=True)
    open_: list[Span] = []
    found = []
    for kind, start, end in _places(body):
        while coming and coming[-1][0] < end:
            open_.append(coming.pop())
        open_ = [span for span in open_ if span[1] > start]
        found.append(Block(kind, _pieces(body, start, end, open_, begun)))
    return found


def _places(body: str) -> list[tuple[Kind, int, int]]:
    """(kind, start, end) of the blocks; a heading is one of its own."""
    found: list[tuple[Kind, int, int]] = []
    open_ = False
    for line in marks.lines(body):
        end = line.start + len(line.text)
        kind: Kind = "code" if line.inside == "code" else "heading" if _HEADING.match(line.text) else "text"
        if not line.text.strip() and kind != "code":
            open_ = False
        elif open_ and kind == found[-1][0] and kind != "heading":
            found[-1] = kind, found[-1][1], end
        else:
            found.append((kind, line.start, end))
            open_ = True
    return found


def _pieces(body: str, start: int, end: int, spans: Sequence[Span], begun: set[Span]) -> tuple[Piece, ...]:
    cuts = sorted({start, end, *(at for span in spans for at in span[:2] if start < at < end)})
    pieces = []
    for one, two in pairwise(cuts):
        over = [span for span in spans if span[0] <= one and two <= span[1]]
        first = dict.fromkeys(span[2] for span in over if span not in begun)
        begun |= set(over)
        ids = tuple(dict.fromkeys(span[2] for span in over))
        pieces.append(Piece(body[one:two].replace("\r\n", "\n"), ids, tuple(first)))
    return tuple(pieces)


def unlinked(text: str) -> str:
    """Markdown with the texts of its links in place of the links."""
    return _LINK.sub(r"\1", text)


def differing(one: str, other: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Both texts in parts, each with whether it differs from the other's; case does not count."""
    left, right = _WORD.findall(one), _WORD.findall(other)
    matcher = SequenceMatcher(None, [w.casefold() for w in left], [w.casefold() for w in right], autojunk=False)
    parts: tuple[list[tuple[str, bool]], list[tuple[str, bool]]] = ([], [])
    for tag, a, b, c, d in matcher.get_opcodes():
        for side, words in ((parts[0], left[a:b]), (parts[1], right[c:d])):
            if words:
                side.append(("".join(words), tag != "equal"))
    return parts


def highlighted(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[str, bool]]:
    """A text in parts, each with whether it is one of these places."""
    parts, at = [], 0
    for start, end in spans:
        parts += [(text[at:start], False), (text[start:end], True)]
        at = end
    return [part for part in (*parts, (text[at:], False)) if part[0]]


def age(seconds: float) -> str:
    """A time in its largest unit: `3 days`."""
    for size, name in _UNITS:
        if seconds >= size:
            return marks.counted(int(seconds // size), name)
    return "less than an hour"


def choices(values: Iterable[str]) -> list[str]:
    """What there is to choose from, each once."""
    return sorted({*values} - {""})


def others(present: str, known: Collection[str]) -> list[str]:
    """What is known, and what is there where that is something else."""
    return [*known, *([present] if present not in known else [])]
