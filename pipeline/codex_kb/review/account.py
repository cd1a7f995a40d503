"""Every proposal of a packet's record, and every line that was typed, is accounted for in the packet's text."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from codex_kb.records import Hit, Packet, Proposal, Source
from codex_kb.review import earlier, missed, reading
from codex_kb.review import packet as packets
from codex_kb.review.reading import PacketError, ParsedPacket, Section
from codex_kb.text.marks import one_line

ENDS_EARLY = f"ends early: was it cut off while saving? Where it is whole, end it with the line {reading.END}"
#: What was near on an earlier day.
_HINT = re.compile(r"3\. Is it new\? (?:No claim is near\.|Nearest claims \(\w+\):)|- \d\.\d\d \[\[[^\]]*\]\]"
                   rf"|{re.escape(earlier.NEAREST)}\w+\):")  # fmt: skip
#: What the head said when it was written, and need not say now.
_HEAD = re.compile(rf"# Review: |(?:source_sha256|proposer|generation): |{reading.RUN}|{reading.HELD}")
_PLACE = re.compile(r"\d+(?:-\d+)?")


@dataclass(frozen=True, slots=True)
class Accounted:
    """A packet's text set against its record; an earlier version's head is read as today's.

    `sections` are those with a proposal, None for the box of a source without one; their errors are their own.
    `removed` are the proposals that the whole text holds nowhere. `missed` are the sections of claims that nobody
    proposed, but those that are as they were written. With any of the errors nothing is decided.
    """

    parsed: ParsedPacket
    sections: tuple[tuple[Section, Proposal | None], ...]
    removed: tuple[Proposal, ...]
    errors: tuple[PacketError, ...]
    missed: tuple[Section, ...] = ()


def account(packet: Packet, text: str, byline: str = "") -> Accounted:
    """Find the section of each proposal; what is missing was deleted only where its id stands nowhere.

    `byline` is that of the source, which the head is written with.
    """
    parsed = reading.parse(text)
    known: dict[str, Proposal | None] = {p.id: p for p in packet.proposals}
    known = known or {packets.nothing_id(packet): None}
    old = earlier.wrote(parsed.preamble)
    _restore_ids(parsed.sections, known)
    present = [section.id for section in parsed.sections]
    missing = [each for each in known if each not in present]
    for number, section in enumerate(parsed.sections):
        if section.id not in known:
            section.errors.append(PacketError(section.line, _unknown(section, missing)))
        elif section.id in present[:number]:
            section.errors.append(PacketError(section.line, f"the id {section.id} stands in two sections"))
        else:
            section.errors += _typed(section, _known_lines(packet, known[section.id], old))
    for section in parsed.missed:
        section.errors += _typed(section, packets.missed_section().split("\n"))
    head = packets.render_head(packet, byline)
    errors = [*parsed.errors, *_typed_above(parsed, head), *_swallowed(text, missing)]
    if not is_whole(packet, parsed):
        errors.append(PacketError(len(reading.lines_of(text)), ENDS_EARLY))
    if None in (known[each] for each in missing):
        errors.append(PacketError(1, f"the box of this source is gone: put it back, ## [ ] {packets.box(packet)}, with "
                                     f"the id {missing[0]}"))  # fmt: skip
    removed = tuple(p for each in missing if (p := known[each]) is not None)
    if old and not errors:
        head = head.replace("\n", reading.newline_of(text)) + reading.newline_of(text)
        parsed = dataclasses.replace(parsed, preamble=head, ended=True)
    sections = tuple((s, known.get(s.id)) for s in parsed.sections)
    return Accounted(parsed, sections, removed, tuple(errors), tuple(filter(_filled, parsed.missed)))


def with_notices(packet: Packet, text: str, source: Source, near: Mapping[str, Hit]) -> str:
    """The text where these proposals and missed claims, by id, wait unmarked beside the claim that is near."""
    read = account(packet, text)
    sections = [packets.with_notice(s.text, near[s.id]) if s.id in near else s.text for s in read.parsed.sections]
    told = {id(s): hit for s in read.missed if (hit := near.get(missed.proposal(packet, s, source).id))}
    added = tuple(dataclasses.replace(s, text=packets.with_missed_notice(s.text, told[id(s)])) if id(s) in told else s
                  for s in read.parsed.missed)  # fmt: skip
    return reading.join(dataclasses.replace(read.parsed, missed=added), sections)


def is_whole(packet: Packet, parsed: ParsedPacket) -> bool:
    """Does the text go to its end: to the mark, or in an older packet without one to the last line that was written?"""
    if parsed.ended or parsed.missed or not parsed.sections:
        return parsed.ended
    last = parsed.sections[-1]
    if not packet.proposals:
        return last.id == packets.nothing_id(packet)
    written = {p.id: p for p in packet.proposals}
    if last.id not in written or packet.proposals[-1].id not in {s.id for s in parsed.sections}:
        return False
    if earlier.wrote(parsed.preamble):
        return _ends_as_earlier(last, packet, written[last.id])
    return last.text.rstrip().endswith(_written(packet, written[last.id])[-1].strip())


def _ends_as_earlier(last: Section, packet: Packet, proposal: Proposal) -> bool:
    """Is the last line of a section one that could be the last in an earlier version?"""
    line = last.text.rstrip().splitlines()[-1].strip()
    ends = [_written(packet, proposal)[-1]]
    ends += [] if proposal.nearest else [*earlier.section(proposal, _place(packet.source))][-1:]
    return bool(_HINT.fullmatch(line)) or _even(line) in [_even(end) for end in ends]


def _filled(section: Section) -> bool:
    """Was anything typed into the section of a missed claim?"""
    return bool(section.title or section.errors or any(section.fields.values()) or "".join(section.quotes).strip())


def _written(packet: Packet, proposal: Proposal | None) -> list[str]:
    """The lines of a section as it was written, without those that are empty."""
    if proposal is None:
        return packets.nothing_section(packet).split("\n")
    text = packets.render_section(proposal, lambda evidence: _place(evidence.source))
    return [line for line in text.split("\n") if line.strip()]


def _known_lines(packet: Packet, proposal: Proposal | None, old: bool) -> list[str]:
    """The lines of a section that nobody typed; an `old` packet is of an earlier version."""
    written = _written(packet, proposal)
    if proposal is not None and old:
        written += earlier.section(proposal, _place(packet.source))
    return written


def _place(source: str) -> str:
    """Where a quote stands, for lines whose numbers are not compared."""
    return f"Quote: {PurePosixPath(source).name}, line 1 (characters 0-1)"


def _restore_ids(sections: Sequence[Section], known: Mapping[str, Proposal | None]) -> None:
    """Give a section that lost its id line the id of the one proposal that has its title or a quote of it."""
    present = {section.id for section in sections}
    lost = [each for name, each in known.items() if name not in present and each is not None]
    found = {id(section): [p for p in lost if _alike(section, p)] for section in sections if not section.id}
    for section in sections:
        match = found.get(id(section), [])
        if len(match) == 1 and sum(match[0] in each for each in found.values()) == 1:
            section.id = match[0].id


def _alike(section: Section, proposal: Proposal) -> bool:
    written = (*(e.quote for e in proposal.evidence), *proposal.unlocated)
    quotes = {"\n".join(packets.quote_lines(each)) for each in written}
    return section.title.casefold() == one_line(proposal.title).casefold() or bool(quotes & {*section.quotes})


def _unknown(section: Section, missing: Sequence[str]) -> str:
    ids = " or ".join(missing)
    if not section.id:
        return f"this section lost its id line: put it back, with the id {ids}" if ids else "no proposal waits here"
    if ids:
        return f"no proposal {section.id} waits here: is it {ids}? Then mend its id line"
    return f"no proposal {section.id} waits here; delete the section"


def _swallowed(text: str, missing: Sequence[str]) -> Iterator[PacketError]:
    """Ids without a section that stand somewhere, but where the head tells of a run, or we of an error."""
    for number, line in enumerate(reading.lines_of(text), 1):
        if not line.startswith((reading.RUN, reading.HELD)) and not reading.is_error(line):
            for each in missing:
                if each in line:
                    yield PacketError(number, f"{each} stands here without a section of its own: "
                                      "put back its heading, ## [ ] and a title")  # fmt: skip


def _typed(section: Section, written: Sequence[str]) -> Iterator[PacketError]:
    """Lines of a section that belong to nothing."""
    return _foreign(((n, line) for n, line in section.loose if not _HINT.fullmatch(line.strip())), written)


def _typed_above(parsed: ParsedPacket, written: str) -> Iterator[PacketError]:
    """Lines above the sections that belong to nothing."""
    lines = enumerate(map(str.rstrip, reading.lines_of(parsed.preamble)), 1)
    ours = ((n, line) for n, line in lines if line.strip() and not reading.is_error(line))
    known = [*written.split("\n"), *earlier.HEAD, *earlier.INSTRUCTIONS]
    return _foreign(((n, line) for n, line in ours if not _HEAD.match(line)), known)


def _foreign(lines: Iterable[tuple[int, str]], written: Sequence[str]) -> Iterator[PacketError]:
    """Lines that the program did not write, nor in part where an editor wrapped them; numbers are not compared."""
    known = [_even(line) for line in written if line.strip()]
    rests: list[list[str]] = []  # several lines may begin with the same words
    for number, line in lines:
        words = _even(line)
        rests = [each[len(words) :] for each in (*rests, *known) if each[: len(words)] == words]
        if not rests:
            yield PacketError(number, f"this line belongs to nothing: {line.strip()}")


def _even(line: str) -> list[str]:
    """The words of a line, with every place in the source the same."""
    return [_PLACE.sub("0", "line" if word == "lines" else word) for word in line.split()]
