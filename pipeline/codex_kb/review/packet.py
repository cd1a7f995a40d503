"""Review packets: proposals as Markdown that a person marks in any editor.

A section a proposal: `## [ ] title`, a line with its id, fields, quotes, and four questions to decide by. Only
headings, id lines, field lines and quoted lines are read back (`reading`); all else is for the eye, and indented, so
that no text of others can be taken for one of these. What the sections are checked against is the packet's record,
not its text, so no edit can lose or forge a proposal (`account`).
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import dropwhile, takewhile
from pathlib import PurePosixPath

from codex_kb.layout import HELP_NAME, PACKETS
from codex_kb.records import Evidence, Hit, Packet, Proposal, Source
from codex_kb.review import debate, reading
from codex_kb.review.blind import as_shown
from codex_kb.review.reading import ADDS_TO, AS, END, HELD, MISSED, RUN, PacketError, ParsedPacket, Section
from codex_kb.text.fields import CONFIDENCES
from codex_kb.text.marks import one_line, visible

#: How evidence is added to a claim.
KINDS = ("extend", "confirm", "challenge")
NOTHING = "Nothing to claim here"
ALONE = "Read without proposals: done, show them"
REASONS = ("duplicate", "vague", "unsupported", "trivial", "wrong")

_MARKS = f"""\
<!-- x approve, + add its quotes to the claim after "adds to:", - reject and say why after "reason:"; empty: later -->
How: [{HELP_NAME}]({HELP_NAME})"""

#: What a reviewer may do, in a file beside the packets.
HELP = f"""\
---
type: proposals
---

# How to review

Put a mark between the brackets of a heading:

- `x` approve: it becomes a claim, as it then stands there
- `+` add its quotes to the claim after "adds to:", and make no new one; as: {", ".join(KINDS)}
- `-` reject: say why after "reason:" ({", ".join(REASONS)}, or your own words)

Leave the brackets empty to decide later. Delete a whole section to reject it as "removed".

You may change titles, descriptions, domains, confidence ({", ".join(CONFIDENCES)}) and quotes; a quote must stand in
the source word for word. A description starts as the sentence beside the quote: say it better where it does not fit,
or leave it empty. Leave the id lines as they are. The questions below the quotes are for you to decide by; write no
answers there.

Where the source claims something that no proposal says, fill in the section "Missed claim" at the end: a title after
the colon, a quote after the `>`. Copy the section for more.

Save and close. Edited elsewhere or later? Then run: `codex review --apply`
"""

_ALONE_HOW = "<!-- Read this source first, and add what it claims below. Then put x above: the proposals come. -->"
_MISSED_HOW = "<!-- Claimed by the source, not above: a title after the colon, a quote after the >; copy for more -->"
_MISSED_LEFT = "<!-- Left empty, domain and confidence are found as for a proposal: by the source and by the quote -->"

#: What a program may take for the end of a line.
_BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_KIND_OF = {"enriches": "extend", "duplicate": "confirm", "challenges": "challenge"}
_NOT_LOCATED = "Not located: this quote does not stand in the source word for word."
_NEW, _CONTRADICTED = "3. Is it new?", "4. Does anything here contradict it?"


def nothing_id(packet: Packet) -> str:
    """The id of the box that says that a source without proposals holds no claim."""
    return hashlib.sha256(f"nothing\0{packet.source}\0{packet.source_sha256}".encode()).hexdigest()[:12]


def proposal_id(source: str, title: str, quotes: Iterable[str], digits: int = 12) -> str:
    """Hex digits of what is proposed from where; the same proposal has the same id."""
    return hashlib.sha256("\0".join([source, title, *quotes]).encode()).hexdigest()[:digits]


# -- writing ---------------------------------------------------------------------------------------


class Placer:
    """Says where a quote stands, for a person: lines of the file and characters of the body."""

    def __init__(self, source: Source, body_line: int, others: Callable[[str], tuple[str, int]] | None = None) -> None:
        """`others` gives body and first line of another source, for what is asked again."""
        self._here = source.path
        self._place = source.body, body_line
        self._others = others

    def __call__(self, evidence: Evidence) -> str:
        elsewhere = self._others if evidence.source != self._here else None
        body, line = elsewhere(evidence.source) if elsewhere else self._place
        first = line + body.count("\n", 0, evidence.start)
        last = line + body.count("\n", 0, max(evidence.start, evidence.end - 1))
        lines = f"line {first}" if first == last else f"lines {first}-{last}"
        return f"Quote: {PurePosixPath(evidence.source).name}, {lines} (characters {evidence.start}-{evidence.end})"


def render(packet: Packet, byline: str, place: Callable[[Evidence], str]) -> str:
    """The packet as Markdown; `place` says where a quote stands, for a person."""
    sections = [render_section(proposal, place) for proposal in packet.proposals] or [nothing_section(packet)]
    return "\n".join([render_head(packet, byline), *sections, missed_section(), END]) + "\n"


def render_head(packet: Packet, byline: str) -> str:
    """What stands above the sections, ending in a newline."""
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
        _MARKS,
        "",
        f"Source: {link}",
        "",
    ]
    told = _told(packet)
    return "\n".join([*head, *told, *[""] * bool(told)])


def nothing_section(packet: Packet) -> str:
    """The section of a packet without proposals."""
    if packet.later:
        return f"## [ ] {ALONE}\n\n<!-- id: {nothing_id(packet)} -->\n\n{_ALONE_HOW}\n"
    return f"## [ ] {NOTHING}\n\n<!-- id: {nothing_id(packet)} -->\n\n- reason: no sentence here makes a claim\n"


def with_box(text: str, packet: Packet) -> str:
    """A text without a proposal's section, with the box of a source without proposals, marked: nothing else is left."""
    section = nothing_section(packet).replace("[ ]", "[x]", 1) + "\n"
    return reading.join(reading.parse(text), [section.replace("\n", reading.newline_of(text))])


def box(packet: Packet) -> str:
    """The title of the box of a packet without proposals."""
    return ALONE if packet.later else NOTHING


def missed_section() -> str:
    """The section to fill where the source claims something that nobody proposed."""
    return f"## {MISSED}\n\n{_MISSED_HOW}\n{_MISSED_LEFT}\n\n- description:\n- domain:\n- confidence:\n\n>\n"


def with_missed(text: str, missed: Sequence[Section]) -> str:
    """The packet's text with these sections of missed claims in place of its own, where there are any."""
    parsed = reading.parse(text)
    replaced = dataclasses.replace(parsed, missed=tuple(missed) or parsed.missed)
    return reading.join(replaced, [section.text for section in parsed.sections])


def without_missed(parsed: ParsedPacket, taken: Collection[Section]) -> ParsedPacket:
    """The packet without these sections of missed claims, and with an empty one."""
    left = tuple(section for section in parsed.missed if section not in taken)
    newline = reading.newline_of(parsed.preamble)
    empty = reading.parse(missed_section().replace("\n", newline)).missed
    return dataclasses.replace(parsed, missed=left or empty)


def retold(text: str, packet: Packet) -> str:
    """A packet's text as it was edited, with what the packet's run tells in place of what an earlier run told."""
    text = text.removeprefix("\ufeff")
    head = reading.parse(text).preamble
    kept = "\n".join(line for line in head.split("\n") if not line.startswith((RUN, HELD))).rstrip("\n")
    told = _told(packet)
    return "\n".join([kept, "", *told, *[""] * bool(told), text[len(head) :].lstrip("\n")])


def _told(packet: Packet) -> list[str]:
    """What is to be known of a run, a line each."""
    return [f"{RUN}{_plain(line)}" for line in packet.report] + [
        f"{HELD}({_plain(reason)}): {_plain(title)}" for title, reason in packet.held
    ]


def render_section(proposal: Proposal, place: Callable[[Evidence], str]) -> str:
    """One proposal's section, ending in a newline."""
    proposal = as_shown(proposal)
    lines = [
        f"## [ ] {one_line(proposal.title)}",
        "",
        f"<!-- id: {proposal.id} -->",
        "",
        f"- description: {one_line(proposal.description)}",
        f"- domain: {one_line(proposal.domain)}",
        f"- confidence: {one_line(proposal.confidence)}",
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
    if proposal.blind:
        lines += [_NEW]
    elif proposal.nearest:
        lines += [f"{_NEW} Nearest claims ({_plain(proposal.relation)}):"]
    else:
        lines += [f"{_NEW} No claim is near."]
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
    return _with_question(text, proposal, place, _CONTRADICTED)


def with_nearest(text: str, proposal: Proposal) -> str:
    """A section's text with the claims that are nearest now; the rest stays as it was edited."""
    return _with_question(text, proposal, lambda _: "", _NEW)


def refreshed(text: str, before: Packet, now: Packet) -> str:
    """A packet's text with what is nearest now, in the sections where that is something else than before."""
    known = {p.id: (p.nearest, p.relation) for p in before.proposals}
    changed = {p.id: p for p in now.proposals if known.get(p.id) != (p.nearest, p.relation)}
    if not changed:
        return text
    parsed = reading.parse(text)
    return reading.join(
        parsed, [with_nearest(s.text, changed[s.id]) if s.id in changed else s.text for s in parsed.sections]
    )


def _with_question(text: str, proposal: Proposal, place: Callable[[Evidence], str], question: str) -> str:
    """A section's text with one question as it now reads, at the end where it is missing; its end stays as it is."""
    newline = reading.newline_of(text)
    lines = [line.rstrip("\r\n") for line in reading.lines_of(text.rstrip())]
    fresh = render_section(proposal, place).rstrip("\n").split("\n")
    asked = next(number for number, line in enumerate(fresh) if line.startswith(question))
    answer = [fresh[asked], *takewhile(_below, fresh[asked + 1 :])]
    start = next((number for number, line in enumerate(lines) if line.startswith(question)), len(lines))
    left = list(dropwhile(_below, lines[start + 1 :]))
    gap = [""] if left and not left[0].startswith(_CONTRADICTED) else []
    end = text[len(text.rstrip()) :] or newline
    return newline.join([*lines[:start], *answer, *gap, *left]) + end


def _below(line: str) -> bool:
    """Does this line belong to the question above it?"""
    return not line.strip() or line.startswith("   ")


def with_notice(text: str, near: Hit) -> str:
    """A section's text unmarked, with the notice that a claim says nearly the same, which it may be added to."""
    newline = reading.newline_of(text)
    heading, *lines = [line.rstrip("\r\n") for line in reading.lines_of(text.rstrip())]
    begins = f"<!-- near: {_plain(near.path)} "
    lines = [line for line in lines if reading.field_of(line) not in (ADDS_TO, AS) and not line.startswith(begins)]
    at = next((number for number, line in enumerate(lines) if reading.field_of(line) == "reason"), len(lines))
    notice = [
        f"{begins}{near.score:.2f} says nearly the same: + adds to it, x again makes another claim -->",
        f"- {ADDS_TO}: {link(near.path)}",
        f"- {AS}: {_KIND_OF['duplicate']}",
    ]
    end = text[len(text.rstrip()) :] or newline
    return newline.join([reading.with_mark(heading, " "), *lines[:at], *notice, *lines[at:]]) + end


def with_missed_notice(text: str, near: Hit) -> str:
    """The text of a missed claim's section with the notice that a claim says nearly the same."""
    newline = reading.newline_of(text)
    begins = f"<!-- near: {_plain(near.path)} "
    kept = "".join(line for line in reading.lines_of(text) if not line.startswith(begins)).rstrip()
    said = "says nearly the same: delete this section, or apply again to make it all the same"
    return newline.join([kept, "", f"{begins}{near.score:.2f} {said} -->", "", ""])


def addition(proposal: Proposal) -> tuple[str, str] | None:
    """The path of the claim that a proposal may be added to, and how; None where it relates to none."""
    proposal = as_shown(proposal)
    path = proposal.target or (proposal.nearest[0].path if proposal.nearest else "")
    kind = _KIND_OF.get(proposal.relation)
    return (path, kind) if path and kind else None


def link(path: str) -> str:
    """A claim's file as a link."""
    # What no reader sees may tell two files' names apart: it stays, all but control characters.
    name = " ".join(_CONTROL.sub(" ", PurePosixPath(path).stem).split())
    return f"[[{_no_comment(name)}]]"


def _items(texts: Iterable[str]) -> list[str]:
    """Texts below a question, where nothing in them can be read as a field, a heading, an id or a quote."""
    return [f"   - {_plain(text)}" for text in texts]


def _quoted(quote: str) -> list[str]:
    return [f"> {line}".rstrip(" ") for line in quote_lines(quote)]


def quote_lines(quote: str) -> list[str]:
    """The quote's lines as a packet shows them: without what no reader sees and the spaces that end a line."""
    return [visible(line).rstrip() for line in _BREAK.split(quote)]


def _plain(text: str) -> str:
    """On one line, unable to open or close a comment."""
    return _no_comment(one_line(text))


def _no_comment(line: str) -> str:
    return line.replace("<!--", "<! --").replace("-->", "-- >")


def annotate(text: str, errors: Sequence[PacketError]) -> str:
    """The packet with each error as a comment below its line; the rest stays as it was typed."""
    newline = reading.newline_of(text)
    lines = reading.lines_of(text)
    if errors and lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += newline
    for error in sorted(errors, key=lambda e: e.line, reverse=True):
        lines.insert(min(error.line, len(lines)), f"<!-- ! {_plain(error.message)} -->{newline}")
    return "".join(lines)


def without_errors(text: str) -> str:
    """The packet without the comments that `annotate` put in."""
    return "".join(line for line in reading.lines_of(text) if not reading.is_error(line))
