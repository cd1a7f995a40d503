"""A packet's text, as somebody edited it, taken apart: generous in what it reads, and nothing raises.

Headings, id lines, fields and quotes are read. What else stands in a section is kept line by line, for `account` to
tell what the program wrote there from what a person did. Text of others is always indented by three spaces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

ADDS_TO, AS = "adds to", "as"
FIELDS = ("description", "domain", "confidence", ADDS_TO, AS, "reason")
#: The last line of a packet: a text without it was cut off.
END = "<!-- end -->"
#: How a line of the head begins that tells of a run, and of what it held back.
RUN, HELD = "- The run: ", "- Held back, rejected before "
#: How the heading of a claim begins that nobody proposed.
MISSED = "Missed claim:"

_HEADING = re.compile(r"(?:#{1,6}\s*\[(?P<mark>[^\]]*)\]|##(?!#))\s*(?P<title>.*)$")
_ID = re.compile(r"\s*<!--+\s*id\s*:?\s*([0-9A-Za-z_]{1,64})\s*-*>?\s*$", re.IGNORECASE)
_NAME = rf"(?P<name>{'|'.join(FIELDS)})\s*:(?P<value>.*)$"
_FIELD = re.compile(rf" {{0,2}}[-*+]\s*{_NAME}", re.IGNORECASE)
_BARE_FIELD = re.compile(_NAME, re.IGNORECASE)
_ERROR = re.compile(r"<!-- ! .* -->\s*$")
#: How a notice begins; it ends with its line.
_NOTICE = re.compile(r"<!-- near: (.+) -?\d\.\d\d says ")
_END = re.compile(r"<!--\s*end\s*-->\s*$", re.IGNORECASE)
_MISSED = re.compile(r"missed claim\s*:", re.IGNORECASE)
#: What no reader of Markdown sees, and so is no title.
_COMMENT = re.compile(r"<!--.*?-->")
_CONFLICT = re.compile(r"(<{7}|={7}|>{7})(\s|$)")
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
#: What begins something of its own, and continues no line above.
_BEGINS = re.compile(r"\s*(?:[-*+]\s|\d+\.\s|#{1,6}\s|>|<)")
#: Fields that may go on in the next line.
_LONG = ("title", "description", ADDS_TO, "reason")
MARKS = {"": "wait", "x": "approve", "+": "add", "-": "reject"}


@dataclass(frozen=True, slots=True)
class PacketError:
    """What cannot be understood in an edited packet; `line` counts from 1."""

    line: int
    message: str


@dataclass(slots=True)
class Section:
    """One proposal as the packet's text has it; `mark` is wait, approve, add, reject, none, missed or unknown.

    `loose` are the lines, (number, text), that are none of the rest; `noticed` the paths of the claims that a notice
    says are near.
    """

    line: int
    mark: str
    title: str
    id: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    quotes: list[str] = field(default_factory=list)
    loose: list[tuple[int, str]] = field(default_factory=list)
    noticed: set[str] = field(default_factory=set)
    text: str = ""
    errors: list[PacketError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ParsedPacket:
    """An edited packet: what stands before the sections, the sections, what is wrong as a whole, has it an end mark.

    `missed` are the sections for claims that nobody proposed, wherever they stand.
    """

    preamble: str
    sections: tuple[Section, ...]
    errors: tuple[PacketError, ...]
    ended: bool
    missed: tuple[Section, ...] = ()


def lines_of(text: str) -> list[str]:
    """A text's lines with their ends: LF, CRLF, or CR as old editors write."""
    return _LINE.findall(text)


def newline_of(text: str) -> str:
    """How the lines of a text end."""
    return next((end for end in ("\r\n", "\n", "\r") if end in text), "\n")


def parse(text: str) -> ParsedPacket:
    """Read an edited packet; what cannot be understood is among the errors."""
    lines, ended = _without_end(lines_of(text.removeprefix("\ufeff")))
    starts = [number for number, line in enumerate(lines) if _HEADING.match(line.rstrip())]
    errors = []
    for number, line in enumerate(lines, 1):
        if _CONFLICT.match(line):
            errors.append(PacketError(number, "git left a merge conflict here: settle it first"))
        elif _END.match(line):
            errors.append(PacketError(number, "the packet ends here, and something stands below: move it above"))
    bounds = [*starts, len(lines)]
    preamble = "".join(lines[: bounds[0]])
    if "type: proposals" not in map(str.strip, lines[: bounds[0]]):
        errors.append(PacketError(1, "the head of the packet is gone: to decide later, leave it as it was"))
    found = [_section(lines[start:end], start + 1) for start, end in pairwise(bounds)]
    sections = tuple(section for section in found if section.mark != "missed")
    missed = tuple(section for section in found if section.mark == "missed")
    return ParsedPacket(preamble, sections, tuple(errors), ended, missed)


def _without_end(lines: list[str]) -> tuple[list[str], bool]:
    """The lines above the end mark; all, and False, where the text does not end with one."""
    last = len(lines)
    while last and (not lines[last - 1].strip() or _ERROR.match(lines[last - 1])):
        last -= 1
    if last and _END.match(lines[last - 1]):
        return lines[: last - 1], True
    return lines, False


def join(parsed: ParsedPacket, sections: Sequence[str]) -> str:
    """A packet's text with these sections, between the head and the missed claims and end mark that it has."""
    parts = [parsed.preamble, *sections, *(section.text for section in parsed.missed)]
    newline = newline_of("".join(parts))
    if parsed.ended:
        parts.append(END + newline)
    return "".join(part if part.endswith(("\n", "\r")) or not part else part + newline for part in parts)


def field_of(line: str) -> str:
    """The field that a line begins; empty where it begins none."""
    found = _FIELD.match(line)
    return found["name"].lower() if found else ""


def begins(line: str) -> bool:
    """Does this line begin something of its own, and continue no line above?"""
    return bool(_BEGINS.match(line))


def with_mark(heading: str, mark: str) -> str:
    """A section's heading with this between its first brackets; one without brackets stays as it is."""
    before, opened, rest = heading.partition("[")
    _, closed, after = rest.partition("]")
    return f"{before}[{mark}]{after}" if opened and closed else heading


def without_comments(text: str) -> str:
    """A line of text without what no reader of Markdown sees."""
    return " ".join(_COMMENT.sub(" ", text).split())


def is_error(line: str) -> bool:
    """Is this line a comment that tells of an error?"""
    return bool(_ERROR.match(line))


def _section(lines: list[str], first: int) -> Section:
    heading = _HEADING.match(lines[0].rstrip())
    assert heading is not None
    mark = heading["mark"]
    section = Section(first, "none" if mark is None else MARKS.get(mark.strip().lower(), mark), heading["title"])
    section.text = "".join(lines)
    missed = _MISSED.match(heading["title"]) if mark is None else None
    if missed:
        section.title = heading["title"][missed.end() :]
    _Reader(section).read(lines[1:])
    if missed and not section.id:  # what has an id was proposed, and lost its brackets
        section.mark = "missed"
        section.title = without_comments(section.title)
    section.title = " ".join(section.title.split())
    return section


class _Reader:
    """Takes a section's lines one by one; an editor may have wrapped a title or a field."""

    def __init__(self, section: Section) -> None:
        self.section = section
        self.wrapped = "title"  # what a further line of text continues
        self.in_quote = False

    def read(self, lines: list[str]) -> None:
        for offset, raw in enumerate(lines):
            self._line(raw.rstrip(), self.section.line + 1 + offset)

    def _line(self, line: str, number: int) -> None:
        section = self.section
        if _ERROR.match(line):  # ours: it parts nothing that belongs together
            return
        if line.startswith(">"):
            self._quote(line[1:].removeprefix(" "))
            return
        self.in_quote = False
        if found := _ID.match(line):
            if section.id:
                section.errors.append(PacketError(number, "a second id in one section: a heading is lost above"))
            section.id, self.wrapped = section.id or found[1], ""
        elif found := _FIELD.match(line) or (None if self.wrapped else _BARE_FIELD.match(line)):
            self._field(found["name"].lower(), found["value"].strip(), number)
        elif line.endswith("-->") and (found := _NOTICE.match(line)):
            section.noticed.add(found[1])
            self.wrapped = ""
        elif not line.strip() or _END.match(line):
            self.wrapped = ""
        elif self.wrapped in _LONG and not _BEGINS.match(line):
            self._continue(line.strip())
        else:
            section.loose.append((number, line))
            self.wrapped = ""

    def _quote(self, text: str) -> None:
        if self.in_quote:
            self.section.quotes[-1] += "\n" + text
        else:
            self.section.quotes.append(text)
        self.in_quote, self.wrapped = True, ""

    def _field(self, name: str, value: str, number: int) -> None:
        """A field; an empty one may be filled further down."""
        fields = self.section.fields
        if value and fields.get(name):
            self.section.errors.append(PacketError(number, f"a second {name} in one section"))
        fields[name] = fields.get(name) or value
        self.wrapped = name

    def _continue(self, text: str) -> None:
        if self.wrapped == "title":
            self.section.title += " " + text
        else:
            self.section.fields[self.wrapped] = f"{self.section.fields[self.wrapped]} {text}".strip()
