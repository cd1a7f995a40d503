"""Review packets: proposals as Markdown that a person marks in any editor, and back.

A section a proposal: `## [ ] title`, a line with its id, fields, quotes, and four questions to decide by. Only
headings, id lines, field lines and quoted lines are read back; all else is for the eye, and indented, so that no
text of others can be taken for one of these. What the sections are checked against is the packet's record, not
its text, so no edit can lose or forge a proposal.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile, pairwise
from pathlib import PurePosixPath

from codex_kb.layout import PACKETS
from codex_kb.records import Evidence, Packet, Proposal
from codex_kb.review import debate
from codex_kb.text.fields import CONFIDENCES
from codex_kb.text.ground import visible

ADDS_TO, AS = "adds to", "as"
FIELDS = ("description", "domain", "confidence", ADDS_TO, AS, "reason")
#: How evidence is added to a claim.
KINDS = ("extend", "confirm", "challenge")
NOTHING = "Nothing to claim here"
REASONS = ("duplicate", "vague", "unsupported", "trivial", "wrong")

_INSTRUCTIONS = f"""\
<!--
Put a mark between the brackets of a heading:
  x  approve: it becomes a claim, as it then stands here
  +  add its quotes to the claim after "adds to:", and make no new one; as: {", ".join(KINDS)}
  -  reject: say why after "reason:" ({", ".join(REASONS)}, or your own words)
Leave the brackets empty to decide later. Delete a whole section to reject it as "removed".
You may change titles, descriptions, domains, confidence ({", ".join(CONFIDENCES)}) and
quotes; a quote must stand in the source word for word. A description starts as the sentence beside
the quote: say it better where it does not fit. Leave the id lines as they are.
The questions below the quotes are for you to decide by; write no answers there.
Save and close. Edited elsewhere or later? Then run: codex review --apply
-->"""

_HEADING = re.compile(r"##(?!#)\s*(?:\[(?P<mark>[^\]]*)\])?\s*(?P<title>.*)$")
_ID = re.compile(r"<!--\s*id:\s*(\S+)\s*-->\s*$")
_FIELD = re.compile(rf"[-*+]\s+({'|'.join(FIELDS)}):(?:\s+(.*))?$")
_ERROR = re.compile(r"<!-- ! .* -->\s*$")
_CONFLICT = re.compile(r"(<{7}|={7}|>{7})(\s|$)")
_MARKS = {"": "wait", "x": "approve", "+": "add", "-": "reject"}
#: What a program may take for the end of a line.
_BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_KIND_OF = {"enriches": "extend", "duplicate": "confirm", "challenges": "challenge"}
_NOT_LOCATED = "Not located: this quote does not stand in the source word for word."
#: How a line of the head begins that tells of a run, and of what it held back.
_RUN, _HELD = "- The run: ", "- Held back, rejected before "
_CONTRADICTED = "4. Does anything here contradict it?"


@dataclass(frozen=True, slots=True)
class PacketError:
    """What cannot be understood in an edited packet; `line` counts from 1."""

    line: int
    message: str


@dataclass(slots=True)
class Section:
    """One proposal as the packet's text has it; `mark` is wait, approve, add, reject or something unknown."""

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
    target = _BREAK.sub(" ", os.path.relpath(packet.source, PACKETS).replace(os.sep, "/"))
    link = f"[{_plain(PurePosixPath(packet.source).name)}](<{target}>)"
    head = [
        "---",
        "type: proposals",
        f"source_sha256: {packet.source_sha256}",
        f"proposer: {_plain(packet.proposer)}",
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
    told = _told(packet)
    head += [*told, ""] if told else []
    sections = [render_section(proposal, place) for proposal in packet.proposals]
    if not sections:
        sections = [
            f"## [ ] {NOTHING}\n\n<!-- id: {nothing_id(packet)} -->\n\n- reason: no sentence here makes a claim\n"
        ]
    return "\n".join(head) + "\n" + "\n".join(sections)


def retold(text: str, packet: Packet) -> str:
    """A packet's text as it was edited, with what the packet's run tells in place of what an earlier run told."""
    text = text.removeprefix("\ufeff")
    head = parse(text).preamble
    kept = "\n".join(line for line in head.split("\n") if not line.startswith((_RUN, _HELD))).rstrip("\n")
    told = _told(packet)
    return "\n".join([kept, "", *told, *[""] * bool(told), text[len(head) :].lstrip("\n")])


def _told(packet: Packet) -> list[str]:
    """What is to be known of a run, a line each."""
    return [f"{_RUN}{_plain(line)}" for line in packet.report] + [
        f"{_HELD}({_plain(reason)}): {_plain(title)}" for title, reason in packet.held
    ]


def render_section(proposal: Proposal, place: Callable[[Evidence], str]) -> str:
    """One proposal's section, ending in a newline."""
    lines = [
        f"## [ ] {_line(proposal.title)}",
        "",
        f"<!-- id: {proposal.id} -->",
        "",
        f"- description: {_line(proposal.description)}",
        f"- domain: {_line(proposal.domain)}",
        f"- confidence: {_line(proposal.confidence)}",
    ]
    if adds := addition(proposal):
        path, kind = adds
        lines += [f"- {ADDS_TO}: {link(path)}", f"- {AS}: {kind}"]
    lines += ["- reason:", ""]
    for evidence in proposal.evidence:
        lines += [*_quoted(evidence.quote), ""]
    for quote in proposal.unlocated:
        lines += [_NOT_LOCATED, "", *_quoted(quote), ""]
    return "\n".join([*lines, *_questions(proposal, place), ""])


def _questions(proposal: Proposal, place: Callable[[Evidence], str]) -> list[str]:
    """What a person can answer, each question with what is needed to answer it below."""
    lines = ["1. Does the quote say it?", *_items(place(evidence) for evidence in proposal.evidence)]
    lines += ["2. Is it specific enough to be wrong?" + (" Please check:" if proposal.notes else "")]
    lines += _items(proposal.notes)
    if proposal.nearest:
        lines += [f"3. Is it new? Nearest claims ({_plain(proposal.relation)}):"]
    else:
        lines += ["3. Is it new? No claim is near."]
    if proposal.relation != "challenges":
        lines += _items(_judgement(proposal))
    lines += _items(f"{hit.score:.2f} {link(hit.path)}" for hit in proposal.nearest)
    return [*lines, *_contradictions(proposal)]


def _contradictions(proposal: Proposal) -> list[str]:
    """The last question: the claim that the proposal challenges, and both sides of the debate, folded."""
    lines = [_CONTRADICTED]
    if proposal.relation == "challenges":
        lines += _items(_judgement(proposal))
    if proposal.debate:
        lines += ["", *(f"   {line}".rstrip() for line in debate.render(proposal.debate).rstrip("\n").split("\n"))]
    return lines


def _judgement(proposal: Proposal) -> list[str]:
    """What the proposer says of the claim that is near, and why."""
    what = f"{proposal.relation} {link(proposal.target)}" if proposal.target else proposal.relation
    return [f"{what}: {proposal.why}" if proposal.why else what] if proposal.target or proposal.why else []


def with_debate(text: str, proposal: Proposal, place: Callable[[Evidence], str]) -> str:
    """A section's text with its last question as it now reads; the rest stays as it was edited."""
    newline = "\r\n" if "\r\n" in text else "\n"
    fresh = render_section(proposal, place).rstrip("\n").split("\n")
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    start = lines.index(_CONTRADICTED) if _CONTRADICTED in lines else len(lines)
    left = list(dropwhile(lambda line: not line.strip() or line.startswith("   "), lines[start + 1 :]))
    return newline.join([*lines[:start], *fresh[fresh.index(_CONTRADICTED) :], *(["", *left] if left else []), ""])


def addition(proposal: Proposal) -> tuple[str, str] | None:
    """The path of the claim that a proposal may be added to, and how; None where it relates to none."""
    path = proposal.target or (proposal.nearest[0].path if proposal.nearest else "")
    kind = _KIND_OF.get(proposal.relation)
    return (path, kind) if path and kind else None


def link(path: str) -> str:
    """A claim's file as a link."""
    return f"[[{_plain(PurePosixPath(path).stem)}]]"


def _items(texts: Iterable[str]) -> list[str]:
    """Texts below a question, where nothing in them can be read as a field, a heading, an id or a quote."""
    return [f"   - {_plain(text)}" for text in texts]


def _quoted(quote: str) -> list[str]:
    return [f"> {line}".rstrip(" ") for line in quote_lines(quote)]


def quote_lines(quote: str) -> list[str]:
    """The quote's lines as a packet shows them: without what no reader sees and the spaces that end a line."""
    return [visible(line).rstrip() for line in _BREAK.split(quote)]


def _line(text: str) -> str:
    """On one line, without control characters."""
    return " ".join(_CONTROL.sub(" ", text).split())


def _plain(text: str) -> str:
    """On one line, unable to open or close a comment."""
    return _line(text).replace("<!--", "<! --").replace("-->", "-- >")


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
        message = f'the mark is x, +, - or empty, not "{section.mark.strip()}"'
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
