"""A section that was marked, as what it makes: a claim, or evidence for one that is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from codex_kb.layout import RESERVED
from codex_kb.records import Approved, Evidence, Proposal, Source
from codex_kb.review import packet as packets
from codex_kb.review import reading
from codex_kb.review.reading import PacketError, Section
from codex_kb.text import ground
from codex_kb.text.fields import CONFIDENCES

LOST = "the source changed: this quote no longer stands in it; quote it anew or reject"
_NOT_THERE = "a quote does not stand in the source word for word"
_TOO_SHORT = "a quote is too short to be evidence: quote the sentence"
_LONGEST_DOMAIN = 200
_FOLDER = re.compile(r"[^\W_](?:[\w-]*[^\W_])?$")

#: The paths of the claims that a path, a file's stem or a title may mean.
Named = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Added:
    """A proposal whose quotes go to a claim that is there; `claim` is its path, `kind` one of packet.KINDS."""

    proposal: Proposal
    title: str
    description: str
    evidence: tuple[Evidence, ...]
    claim: str
    kind: str


def approve(proposal: Proposal, section: Section, source: Source) -> tuple[Approved | None, list[PacketError]]:
    """The proposal as its section has it; errors where it cannot become a claim."""
    line = section.line
    errors = []
    values = {name: section.fields.get(name, "") for name in ("description", "domain", "confidence")}
    if not section.title:
        errors.append(PacketError(line, "an approved claim needs a title"))
    if values["domain"].casefold() in RESERVED:
        errors.append(PacketError(line, f'domain "{values["domain"]}" is the name of a folder of ours: take another'))
    elif not _FOLDER.match(values["domain"]):
        errors.append(PacketError(line, f'domain "{values["domain"]}" cannot name a folder: letters, digits, hyphens'))
    elif len(values["domain"].encode()) > _LONGEST_DOMAIN:
        errors.append(PacketError(line, f"this domain is too long for the name of a folder: {_LONGEST_DOMAIN} bytes"))
    if values["confidence"] not in CONFIDENCES:
        message = f'confidence "{values["confidence"]}" is not one of {", ".join(CONFIDENCES)}'
        errors.append(PacketError(line, message))
    evidence, faults = _evidence(proposal, section, source)
    if errors or faults:
        return None, errors + faults
    return Approved(proposal, section.title, **values, evidence=evidence), []


def add(proposal: Proposal, section: Section, source: Source, named: Named) -> tuple[Added | None, list[PacketError]]:
    """The proposal as evidence for a claim that is there; errors where it cannot be that."""
    line = section.line
    errors = []
    path, kind = packets.addition(proposal) or ("", packets.KINDS[0])
    kind = section.fields.get(reading.AS) or kind
    if kind not in packets.KINDS:
        errors.append(PacketError(line, f'as "{kind}" is not one of {", ".join(packets.KINDS)}'))
    shown = packets.link(path) if path else ""
    link = section.fields.get(reading.ADDS_TO, shown)
    # Other claims may have the same stem: an unedited link means the claim that it was written for.
    meant = path if link == shown else link.removeprefix("[[").removesuffix("]]")
    claims = named(meant) if meant else ()
    if not meant:
        errors.append(PacketError(line, f'name the claim that it is added to: "- {reading.ADDS_TO}: [[claim]]"'))
    elif not claims:
        errors.append(PacketError(line, f"{link} names no claim that there is"))
    elif len(claims) > 1:
        errors.append(PacketError(line, f"{link} may mean {', '.join(claims)}: name the path"))
    evidence, faults = _evidence(proposal, section, source)
    if errors or faults:
        return None, errors + faults
    return Added(proposal, section.title, section.fields.get("description", ""), evidence, claims[0], kind), []


def _evidence(proposal: Proposal, section: Section, source: Source) -> tuple[tuple[Evidence, ...], list[PacketError]]:
    """The section's quotes, found in the source as it is now."""
    found: list[Evidence] = []
    errors: list[PacketError] = []
    shown = ["\n".join(packets.quote_lines(e.quote)) for e in proposal.evidence]
    for number, quote in enumerate(section.quotes):
        before = next((e for e, text in zip(proposal.evidence, shown, strict=True) if text == quote), None)
        near = proposal.evidence[min(number, len(proposal.evidence) - 1)].start if proposal.evidence else 0
        span = ground.locate_again(before, source.body) if before else ground.locate(quote, source.body, near)
        if span is None:
            changed = before is not None and source.body_sha256 != before.source_sha256
            errors.append(PacketError(section.line, LOST if changed else _NOT_THERE))
        elif before is None and len(" ".join(quote.split()).encode()) < ground.LEAST:
            errors.append(PacketError(section.line, _TOO_SHORT))
        else:
            found.append(evidence_at(source, span))
    if not section.quotes:
        errors.append(PacketError(section.line, "an approval needs a quote from the source (lines with >)"))
    return tuple(found), errors


def evidence_at(source: Source, span: tuple[int, int]) -> Evidence:
    """Evidence for a span of the source's body."""
    start, end = span
    return Evidence(source.path, source.body_sha256, source.body[start:end], start, end)
