"""The third stage: an edited packet becomes decisions. Decides only; applying them is the workflow's."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from codex_kb.records import Approved, Decision, Evidence, Packet, Proposal, Source
from codex_kb.review import packet as packets
from codex_kb.review.packet import PacketError, Section
from codex_kb.text import ground
from codex_kb.text.fields import CONFIDENCES

REMOVED = "removed"
NO_REASON = "no reason given"
LOST = "the source changed: this quote no longer stands in it; quote it anew or reject"
_NOT_THERE = "a quote does not stand in the source word for word"
_ADDED_AS = "added_as"
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


@dataclass(frozen=True, slots=True)
class Rejected:
    """A proposal that the reviewer did not want."""

    proposal: Proposal
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a packet's text decides.

    `waiting` are the ids left open, `text` the packet without what was decided, `nothing` says
    that the reviewer found nothing to claim in a source without proposals.
    """

    approved: tuple[Approved, ...] = ()
    added: tuple[Added, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    waiting: tuple[str, ...] = ()
    text: str = ""
    nothing: bool = False
    errors: tuple[PacketError, ...] = ()

    @property
    def decided(self) -> int:
        """How many boxes this decides."""
        return len(self.approved) + len(self.added) + len(self.rejected) + self.nothing


def _nobody(_: str) -> Sequence[str]:
    return ()


def decide(packet: Packet, text: str, source: Source, named: Named = _nobody) -> Outcome:
    """Read every mark of an edited packet; with any error nothing is decided. `named` finds claims."""
    parsed = packets.parse(text)
    known: dict[str, Proposal | None] = {p.id: p for p in packet.proposals}
    known = known or {packets.nothing_id(packet): None}
    errors = list(parsed.errors)
    approved: list[Approved] = []
    added: list[Added] = []
    rejected: list[Rejected] = []
    open_sections: list[Section] = []
    nothing = False
    for section in parsed.sections:
        errors += section.errors
        if section.errors:
            continue
        if section.id not in known:
            errors.append(PacketError(section.line, f"no proposal {section.id} waits here; delete the section"))
        elif section.mark == "wait":
            open_sections.append(section)
        elif (proposal := known[section.id]) is None:
            nothing = section.mark == "approve"
            open_sections += [] if nothing else [section]
        elif section.mark == "reject":
            rejected.append(Rejected(proposal, section.title, section.fields.get("reason") or NO_REASON))
        elif section.mark == "add":
            addition, faults = _add(proposal, section, source, named)
            errors += faults
            added += [addition] if addition else []
        else:
            result, faults = _approve(proposal, section, source)
            errors += faults
            approved += [result] if result else []
    present = {s.id for s in parsed.sections}
    for proposal_id, proposal in known.items():
        if proposal_id not in present and proposal is not None:
            rejected.append(Rejected(proposal, proposal.title, REMOVED))
    if errors:
        return Outcome(errors=tuple(errors), waiting=tuple(known))
    left = packets.join(parsed.preamble, [s.text for s in open_sections])
    waiting = tuple(s.id for s in open_sections)
    return Outcome(tuple(approved), tuple(added), tuple(rejected), waiting, left, nothing)


def decide_named(
    packet: Packet, text: str, source: Source, named: Named = _nobody, *, approve: Collection[str] = (),
    add: Collection[str] = (), reject: Mapping[str, str],
) -> Outcome:  # fmt: skip
    """Decide these proposals and no others, as they stand in the packet now."""
    parsed = packets.parse(text)
    sections = {s.id: s for s in parsed.sections}
    approved: list[Approved] = []
    added: list[Added] = []
    rejected: list[Rejected] = []
    errors: list[PacketError] = []
    nothing = packets.nothing_id(packet) in approve and not packet.proposals
    for proposal in packet.proposals:
        section = sections.get(proposal.id) or _untouched(proposal)
        if proposal.id in reject:
            rejected.append(Rejected(proposal, section.title, reject[proposal.id] or NO_REASON))
        elif proposal.id in approve:
            result, faults = _approve(proposal, section, source)
            errors += faults
            approved += [result] if result else []
        elif proposal.id in add:
            addition, faults = _add(proposal, section, source, named)
            errors += faults
            added += [addition] if addition else []
    if errors:
        return Outcome(errors=tuple(errors))
    done = {a.proposal.id for a in approved} | {a.proposal.id for a in added} | {r.proposal.id for r in rejected}
    waiting = tuple(p.id for p in packet.proposals if p.id not in done)
    left = packets.join(parsed.preamble, [s.text for s in parsed.sections if s.id not in done])
    return Outcome(tuple(approved), tuple(added), tuple(rejected), waiting, left, nothing)


def _untouched(proposal: Proposal) -> Section:
    """A proposal's section as it was written, for one whose section is not in the text."""
    text = packets.render_section(proposal, lambda _: "")
    return packets.parse(f"type: proposals\n{text}").sections[0]


def _approve(proposal: Proposal, section: Section, source: Source) -> tuple[Approved | None, list[PacketError]]:
    """The proposal as its section has it; errors where it cannot become a claim."""
    line = section.line
    errors = []
    values = {name: section.fields.get(name, "") for name in ("description", "domain", "confidence")}
    if not section.title:
        errors.append(PacketError(line, "an approved claim needs a title"))
    if not values["description"]:
        errors.append(PacketError(line, "an approved claim needs a description on one line"))
    if not _FOLDER.match(values["domain"]):
        errors.append(PacketError(line, f'domain "{values["domain"]}" cannot name a folder: letters, digits, hyphens'))
    if values["confidence"] not in CONFIDENCES:
        message = f'confidence "{values["confidence"]}" is not one of {", ".join(CONFIDENCES)}'
        errors.append(PacketError(line, message))
    evidence, faults = _evidence(proposal, section, source)
    if errors or faults:
        return None, errors + faults
    return Approved(proposal, section.title, **values, evidence=evidence), []


def _add(proposal: Proposal, section: Section, source: Source, named: Named) -> tuple[Added | None, list[PacketError]]:
    """The proposal as evidence for a claim that is there; errors where it cannot be that."""
    line = section.line
    errors = []
    if not section.fields.get("description"):
        errors.append(PacketError(line, "evidence that is added needs a description on one line"))
    path, kind = packets.addition(proposal) or ("", packets.KINDS[0])
    kind = section.fields.get(packets.AS) or kind
    if kind not in packets.KINDS:
        errors.append(PacketError(line, f'as "{kind}" is not one of {", ".join(packets.KINDS)}'))
    shown = packets.link(path) if path else ""
    link = section.fields.get(packets.ADDS_TO, shown)
    # Other claims may have the same stem: an unedited link means the claim that it was written for.
    meant = path if link == shown else link.removeprefix("[[").removesuffix("]]")
    claims = named(meant) if meant else ()
    if not meant:
        errors.append(PacketError(line, f'name the claim that it is added to: "- {packets.ADDS_TO}: [[claim]]"'))
    elif not claims:
        errors.append(PacketError(line, f"{link} names no claim that there is"))
    elif len(claims) > 1:
        errors.append(PacketError(line, f"{link} may mean {', '.join(claims)}: name the path"))
    evidence, faults = _evidence(proposal, section, source)
    if errors or faults:
        return None, errors + faults
    return Added(proposal, section.title, section.fields["description"], evidence, claims[0], kind), []


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
        else:
            found.append(evidence_at(source, span))
    if not section.quotes:
        errors.append(PacketError(section.line, "an approval needs a quote from the source (lines with >)"))
    return tuple(found), errors


def evidence_at(source: Source, span: tuple[int, int]) -> Evidence:
    """Evidence for a span of the source's body."""
    start, end = span
    return Evidence(source.path, source.body_sha256, source.body[start:end], start, end)


def relocated(packet: Packet, source: Source) -> tuple[Packet, list[str]]:
    """The packet with its quotes located in the source as it is now, and the ids of those that lost one."""
    lost = []
    proposals = []
    for proposal in packet.proposals:
        spans = [ground.locate_again(e, source.body) for e in proposal.evidence]
        if None in spans:
            lost.append(proposal.id)
            proposals.append(proposal)
            continue
        evidence = tuple(evidence_at(source, span) for span in spans if span)
        proposals.append(dataclasses.replace(proposal, evidence=evidence, source_sha256=source.body_sha256))
    moved = dataclasses.replace(packet, source_sha256=source.body_sha256, proposals=tuple(proposals))
    return moved, lost


def lost_quotes(text: str, lost: Sequence[str]) -> list[PacketError]:
    """A comment for each section whose quote no longer stands in the source."""
    return [PacketError(s.line, LOST) for s in packets.parse(text).sections if s.id in lost]


def decisions(outcome: Outcome, claims: Mapping[str, str], reviewer: str, time: str) -> list[Decision]:
    """What goes on record; `claims` maps the ids of approved proposals to the paths of their new claims.

    An addition is approved with the claim that it was added to, and `proposal` says how under "added_as".
    """
    rows = [_decision(a.proposal, "approved", "", a.title, claims[a.proposal.id], reviewer, time)
            for a in outcome.approved]  # fmt: skip
    rows += [_decision(a.proposal, "approved", "", a.title, a.claim, reviewer, time, a.kind) for a in outcome.added]
    rows += [_decision(r.proposal, "rejected", r.reason, r.title, None, reviewer, time) for r in outcome.rejected]
    return rows


def _decision(
    proposal: Proposal, verdict: Any, reason: str, title: str, claim: str | None, reviewer: str, time: str,
    added_as: str = "",
) -> Decision:  # fmt: skip
    return Decision(
        id=proposal.id,
        time=time,
        reviewer=reviewer,
        verdict=verdict,
        reason=reason,
        title=title,
        proposal={
            "title": proposal.title,
            "description": proposal.description,
            "domain": proposal.domain,
            "confidence": proposal.confidence,
            "evidence": [dataclasses.asdict(e) for e in proposal.evidence],
            "relation": proposal.relation,
            "target": proposal.target,
            "why": proposal.why,
            "unlocated": list(proposal.unlocated),
            **({_ADDED_AS: added_as} if added_as else {}),
        },
        claim=claim,
        source=proposal.source,
        source_sha256=proposal.source_sha256,
        proposer=proposal.proposer,
        generation=proposal.generation,
        shown={
            "relation": proposal.relation,
            "nearest": [dataclasses.asdict(hit) for hit in proposal.nearest],
            "notes": list(proposal.notes),
            "debate": [dataclasses.asdict(turn) for turn in proposal.debate],
        },
    )


def added_as(decision: Decision) -> str:
    """How a decision added evidence to a claim that was there; empty where it did not."""
    return str(decision.proposal.get(_ADDED_AS, ""))


def null_note(reasons: Sequence[str]) -> str:
    """Why nothing was claimed from a source, in one line."""
    if not reasons:
        return "nothing to claim here"
    counted = Counter(reasons)
    return "nothing approved: " + ", ".join(f"{n} {reason}" for reason, n in sorted(counted.items()))
