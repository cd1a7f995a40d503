"""Marks put into a packet's text by a program, as a person would type them: nothing else in the text changes.

So an editor, the terminal and a page can take turns: what stands in the packet's brackets is all that there is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from codex_kb.review import packet as packets
from codex_kb.review import reading
from codex_kb.review.reading import Section
from codex_kb.text.marks import one_line

#: What a verdict is in the brackets.
MARKS = {"wait": " ", "approve": "x", "add": "+", "reject": "-"}


def section_of(text: str, name: str) -> Section | None:
    """The section of this id; None where there is none."""
    return next((section for section in reading.parse(text).sections if section.id == name), None)


def version(section: Section) -> str:
    """16 hex digits of what a person may change in a section: equal where mark, title, fields and quotes are."""
    said = [section.mark, section.title, sorted(section.fields.items()), section.quotes]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def whole_version(text: str) -> str:
    """16 hex digits of what applying a packet's text goes by: equal where each of its sections is."""
    parsed = reading.parse(text)
    said = [[each.id, version(each)] for each in (*parsed.sections, *parsed.missed)]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def marked(text: str, name: str, mark: str, fields: Mapping[str, str] = {}) -> str:
    """The packet's text with this mark (a key of MARKS) in the section of this id, and these fields set.

    Fields are of `reading.FIELDS`, and "title"; one that is not named stays as it is.

    Raises:
        KeyError: no section has this id.
    """
    found = section_of(text, name)
    if found is None:
        raise KeyError(name)
    newline = reading.newline_of(text)
    heading, *lines = reading.lines_of(found.text)
    if "title" in fields or found.mark == "none":
        lines = _without_wrapped(lines)
        heading = f"## [ ] {one_line(fields.get('title', found.title))}{newline}"
    lines = [reading.with_mark(heading, MARKS[mark]), *lines]
    for field in (each for each in fields if each != "title"):
        lines = _with_field(lines, field, one_line(fields[field]), newline)
    return replaced(text, name, "".join(lines))


def replaced(text: str, name: str, section: str) -> str:
    """The packet's text with this text in place of the section of this id.

    Raises:
        KeyError: no section has this id.
    """
    parsed = reading.parse(text)
    if name not in {each.id for each in parsed.sections}:
        raise KeyError(name)
    return _bom(text) + reading.join(parsed, [section if each.id == name else each.text for each in parsed.sections])


def with_missed(text: str, title: str, quote: str, description: str = "") -> str:
    """The packet's text with a claim that was missed, before the empty section that is there for the next."""
    newline = reading.newline_of(text)
    parsed = reading.parse(text)
    lines = packets.missed_section().rstrip("\n").split("\n")
    at = next(number for number, line in enumerate(lines) if reading.field_of(line) == "description")
    lines = [f"## {reading.MISSED} {one_line(title)}", *lines[1:at], f"- description: {one_line(description)}", "",
             *(f"> {line}".rstrip() for line in packets.quote_lines(quote)), ""]  # fmt: skip
    filled = [each.text for each in parsed.missed if each.title]
    empty = [each.text for each in parsed.missed if not each.title]
    before = "".join([parsed.preamble, *(each.text for each in parsed.sections), *filled])
    gap = "" if before.endswith(newline * 2) else newline
    end = f"{reading.END}{newline}" if parsed.ended else ""
    return _bom(text) + before + gap + newline.join([*lines, "".join(empty)]) + end


def _without_wrapped(lines: list[str]) -> list[str]:
    """The lines below a heading without those that its title went on in."""
    kept = 0
    while kept < len(lines) and lines[kept].strip() and not reading.begins(lines[kept]):
        kept += 1
    return lines[kept:]


def _with_field(lines: list[str], field: str, value: str, newline: str) -> list[str]:
    """The section's lines with a field set; where it has none yet it comes before its reason, or at its head."""
    written = f"- {field}: {value}".rstrip() + newline
    places = [number for number, line in enumerate(lines) if reading.field_of(line) == field]
    if not places:
        at = next((number for number, line in enumerate(lines) if reading.field_of(line) == "reason"), 1)
        return [*lines[:at], written, *lines[at:]]
    first = places[0]
    rest = _without_wrapped(lines[first + 1 :])
    return [*lines[:first], written, *(line for line in rest if reading.field_of(line) != field)]


def _bom(text: str) -> str:
    return "\ufeff" if text.startswith("\ufeff") else ""
