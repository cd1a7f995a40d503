"""Review packets: proposals as Markdown that a person marks in any editor, and back.

A section a proposal: `## [ ] title`, a line with its id, fields, quotes. Only headings, id lines,
field lines and quoted lines are read back; all else is for the eye. What the sections are checked
against is the packet's record, not its text, so no edit can lose or forge a proposal.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import PurePosixPath

from codex_kb.fields import CONFIDENCES
from codex_kb.layout import PACKETS
from codex_kb.records import Evidence, Packet, Proposal

FIELDS = ("description", "domain", "confidence", "reason")
NOTHING = "Nothing to claim here"
REASONS = ("duplicate", "vague", "unsupported", "trivial", "wrong")

_INSTRUCTIONS = f"""\
<!--
Put a mark between the brackets of a heading:
  x  approve: it becomes a claim, as it then stands here
  -  reject: say why after "reason:" ({", ".join(REASONS)}, or your own words)
Leave the brackets empty to decide later. Delete a whole section to reject it as "removed".
You may change titles, descriptions, domains, confidence ({", ".join(CONFIDENCES)}) and
quotes; a quote must stand in the source word for word. A description starts as the sentence beside
the quote: say it better where it does not fit. Leave the id lines as they are.
Save and close. Edited elsewhere or later? Then run: codex review --apply
-->"""

_HEADING = re.compile(r"##(?!#)\s*(?:\[(?P<mark>[^\]]*)\])?\s*(?P<title>.*)$")
_ID = re.compile(r"<!--\s*id:\s*(\S+)\s*-->\s*$")
_FIELD = re.compile(rf"[-*+]\s+({'|'.join(FIELDS)}):(?:\s+(.*))?$")
_ERROR = re.compile(r"<!-- ! .* -->\s*$")
_CONFLICT = re.compile(r"(<{7}|={7}|>{7})(\s|$)")
_MARKS = {"": "wait", "x": "approve", "-": "reject"}


@dataclass(frozen=True, slots=True)
class PacketError:
    """What cannot be understood in an edited packet; `line` counts from 1."""

    line: int
    message: str


@dataclass(slots=True)
class Section:
    """One proposal as the packet's text has it; `mark` is wait, approve, reject or something unknown."""

    line: int
    mark: str
    title: str
    id: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    quotes: list[str] = field(default_factory=list)
    text: str = ""
    errors: list[PacketError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ParsedPacket:
    """An edited packet: what stands before the sections, the sections, and what is wrong as a whole."""

    preamble: str
    sections: tuple[Section, ...]
    errors: tuple[PacketError, ...]


def nothing_id(packet: Packet) -> str:
    """The id of the box that says that a source without proposals holds no claim."""
    return hashlib.sha256(f"nothing\0{packet.source}\0{packet.source_sha256}".encode()).hexdigest()[:12]


# -- writing ---------------------------------------------------------------------------------------


def render(packet: Packet, byline: str, place: Callable[[Evidence], str]) -> str:
    """The packet as Markdown; `place` says where a quote stands, for a person."""
    target = os.path.relpath(packet.source, PACKETS).replace(os.sep, "/")
    link = f"[{_plain(PurePosixPath(packet.source).name)}](<{target}>)"
    head = [
        "---",
        "type: proposals",
        f"source_sha256: {packet.source_sha256}",
        f"proposer: {packet.proposer}",
        f"generation: {packet.generation}",
        "---",
        "",
        f"# Review: {_plain(byline)}",
        "",
        _INSTRUCTIONS,
        "",
        f"Source: {link}",
        "",
    ]
    for title, reason in packet.held:
        head.append(f"- Held back, rejected before ({_plain(reason)}): {_plain(title)}")
    if packet.held:
        head.append("")
    sections = [render_section(proposal, place) for proposal in packet.proposals]
    if not sections:
        sections = [
            f"## [ ] {NOTHING}\n\n<!-- id: {nothing_id(packet)} -->\n\n- reason: no sentence here makes a claim\n"
        ]
    return "\n".join(head) + "\n" + "\n".join(sections)


def render_section(proposal: Proposal, place: Callable[[Evidence], str]) -> str:
    """One proposal's section, ending in a newline."""
    lines = [
        f"## [ ] {proposal.title}",
        "",
        f"<!-- id: {proposal.id} -->",
        "",
        f"- description: {proposal.description}",
        f"- domain: {proposal.domain}",
        f"- confidence: {proposal.confidence}",
        "- reason:",
        "",
    ]
    for evidence in proposal.evidence:
        lines += [*(f"> {line}".rstrip(" ") for line in quote_lines(evidence.quote)), "", place(evidence), ""]
    if proposal.notes:
        lines += ["Please check:", "", *(f"- {_plain(note)}" for note in proposal.notes), ""]
    if proposal.nearest:
        lines += [f"Nearest claims ({proposal.relation}):", ""]
        lines += [f"- {hit.score:.2f} [[{PurePosixPath(hit.path).stem}]]" for hit in proposal.nearest]
        lines.append("")
    return "\n".join(lines)


def quote_lines(quote: str) -> list[str]:
    """The quote's lines as a packet shows them: without the spaces that end a line."""
    return [line.rstrip() for line in quote.replace("\r\n", "\n").split("\n")]


def _plain(text: str) -> str:
    """On one line, unable to open a comment."""
    return " ".join(text.replace("<!--", "").replace("-->", "").split())


def annotate(text: str, errors: Sequence[PacketError]) -> str:
    """The packet with each error as a comment below its line; the rest stays as it was typed."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.split("\n")
    for error in sorted(errors, key=lambda e: e.line, reverse=True):
        comment = f"<!-- ! {_plain(error.message)} -->"
        lines.insert(min(error.line, len(lines)), comment + newline[:-1])
    return "\n".join(lines)


def without_errors(text: str) -> str:
    """The packet without the comments that `annotate` put in."""
    return "\n".join(line for line in text.split("\n") if not _ERROR.match(line))


# -- reading ---------------------------------------------------------------------------------------


def parse(text: str) -> ParsedPacket:
    """Read an edited packet; nothing raises, what cannot be understood is among the errors."""
    lines = text.removeprefix("\ufeff").split("\n")
    starts = [number for number, line in enumerate(lines) if _HEADING.match(line)]
    errors = [
        PacketError(number + 1, "git left a merge conflict here: settle it first")
        for number, line in enumerate(lines)
        if _CONFLICT.match(line)
    ]
    preamble = "\n".join(lines[: starts[0]] if starts else lines)
    if "type: proposals" not in preamble:
        errors.append(PacketError(1, "the head of the packet is gone: to decide later, leave it as it was"))
    sections = [_section(lines[start:end], start + 1) for start, end in pairwise([*starts, len(lines)])]
    seen: set[str] = set()
    for section in sections:
        if section.id in seen and section.id:
            section.errors.append(PacketError(section.line, f"the id {section.id} stands in two sections"))
        seen.add(section.id)
    return ParsedPacket(preamble, tuple(sections), tuple(errors))


def _section(lines: list[str], first: int) -> Section:
    heading = _HEADING.match(lines[0].rstrip())
    assert heading is not None
    mark = heading["mark"]
    section = Section(first, "none" if mark is None else _MARKS.get(mark.strip().lower(), mark), heading["title"])
    section.text = "\n".join(lines)
    _Reader(section).read(lines[1:])
    section.title = " ".join(section.title.split())
    if section.mark == "none":
        section.errors.append(PacketError(first, "this heading lost its brackets: ## [ ] title"))
    elif section.mark not in _MARKS.values():
        message = f'the mark is x, - or empty, not "{section.mark.strip()}"'
        section.errors.append(PacketError(first, message))
    if not section.id:
        message = "this section lost its id line; delete the section to reject its claim as removed"
        section.errors.append(PacketError(first, message))
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
        if line.startswith(">") and section.id:
            text = line[1:].removeprefix(" ")
            if self.in_quote:
                section.quotes[-1] += "\n" + text
            else:
                section.quotes.append(text)
            self.in_quote, self.wrapped = True, ""
            return
        self.in_quote = False
        if found := _ID.match(line):
            if section.id:
                section.errors.append(PacketError(number, "a second id in one section: a heading is lost above"))
            section.id, self.wrapped = section.id or found[1], ""
        elif not section.quotes and (found := _FIELD.match(line)):
            if found[1] in section.fields:
                section.errors.append(PacketError(number, f"a second {found[1]} in one section"))
            section.fields[found[1]] = (found[2] or "").strip()
            self.wrapped = found[1]
        elif not line.strip() or _ERROR.match(line):
            self.wrapped = ""
        elif self.wrapped == "title":
            section.title += " " + line.strip()
        elif self.wrapped and line.startswith((" ", "\t")):
            section.fields[self.wrapped] = f"{section.fields[self.wrapped]} {line.strip()}".strip()
        else:
            self.wrapped = ""


def join(preamble: str, sections: Sequence[str]) -> str:
    """A packet's text from its parts, as `parse` took it apart."""
    return "\n".join([preamble, *sections])
