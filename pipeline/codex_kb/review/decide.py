"""The third stage: an edited packet becomes decisions. Decides only; applying them is the workflow's."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from codex_kb.layout import RESERVED
from codex_kb.records import Approved, Decision, Evidence, Packet, Proposal, Source
from codex_kb.review import packet as packets
from codex_kb.review import reading
from codex_kb.review.account import Accounted, account
from codex_kb.review.blind import as_shown
from codex_kb.review.reading import PacketError, Section
from codex_kb.text import ground
from codex_kb.text.fields import CONFIDENCES, byline

REMOVED = "removed"
NO_REASON = "no reason given"
LOST = "the source changed: this quote no longer stands in it; quote it anew or reject"
_NOT_THERE = "a quote does not stand in the source word for word"
_ADDED_AS = "added_as"
_LEFT_AS = "left_as"
#: The fields of a section that each mark has a use for.
_USED = {
    "approve": ("reason", "description", "domain", "confidence"),
    "add": ("reason", "description", reading.ADDS_TO, reading.AS),
    "reject": ("reason",),
    "by name": (),
}
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
    that the reviewer found nothing to claim in a source without proposals. `noticed` are for each
    id the paths of the claims that its section says are near. `reasons` say why by id, for whatever
    mark, and `left` is what else was changed in a section that its mark has no use for.
    """

    approved: tuple[Approved, ...] = ()
    added: tuple[Added, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    waiting: tuple[str, ...] = ()
    text: str = ""
    nothing: bool = False
    errors: tuple[PacketError, ...] = ()
    noticed: Mapping[str, Collection[str]] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def decided(self) -> int:
        """How many boxes this decides."""
        return len(self.approved) + len(self.added) + len(self.rejected) + self.nothing


def _nobody(_: str) -> Sequence[str]:
    return ()


def decide(packet: Packet, text: str, source: Source, named: Named = _nobody) -> Outcome:
    """Read every mark of an edited packet; with any error nothing is decided. `named` finds claims."""
    read = account(packet, text, byline(source))
    judged = _Judged(source, named, list(read.errors))
    for section, proposal in read.sections:
        judged.errors += section.errors
        if section.mark == "none":
            judged.error(section, "this heading lost its brackets: ## [ ] title")
        elif section.mark not in reading.MARKS.values():
            judged.error(section, f'the mark is x, +, - or empty, not "{section.mark.strip()}"')
        elif section.errors or section.mark == "wait":
            continue
        elif proposal is None:
            judged.find_nothing(packet, section)
        elif section.mark == "reject":
            judged.reject(proposal, section.title, section.fields.get("reason", ""))
            judged.keep("reject", proposal, section)
        else:
            judged.take(section.mark, proposal, section)
    for removed in read.removed:
        judged.reject(removed, removed.title, REMOVED)
    if judged.errors:
        ids = [p.id for p in packet.proposals] or [packets.nothing_id(packet)]
        return Outcome(errors=tuple(judged.errors), waiting=tuple(ids))
    waiting = () if judged.nothing else tuple(s.id for s, _ in read.sections if s.id not in judged.done)
    return judged.outcome(read, waiting)


def decide_named(
    packet: Packet, text: str, source: Source, named: Named = _nobody, *, approve: Collection[str] = (),
    add: Collection[str] = (), reject: Mapping[str, str],
) -> Outcome:  # fmt: skip
    """Decide these proposals and no others, as they stand in the packet now."""
    read = account(packet, text, byline(source))
    sections = {proposal.id: section for section, proposal in read.sections if proposal}
    judged = _Judged(source, named, list(read.errors))
    judged.nothing = packets.nothing_id(packet) in approve and not packet.proposals
    if packets.nothing_id(packet) in {*reject, *add}:
        judged.errors.append(PacketError(1, f"nothing is proposed here: --approve {packets.nothing_id(packet)} closes "
                                         "the source, ingest --again proposes anew"))  # fmt: skip
    for proposal in packet.proposals:
        section = sections.get(proposal.id) or _untouched(proposal)
        if proposal.id in reject:
            judged.reject(proposal, section.title, reject[proposal.id])
            judged.keep("by name", proposal, section)
        elif proposal.id in approve or proposal.id in add:
            judged.errors += section.errors
            judged.take("approve" if proposal.id in approve else "add", proposal, section)
    if judged.errors:
        return Outcome(errors=tuple(judged.errors))
    outcome = judged.outcome(read, tuple(p.id for p in packet.proposals if p.id not in judged.done))
    return dataclasses.replace(outcome, noticed={})  # a notice is for who reads the packet


class _Judged:
    """Gathers what is decided about one packet's proposals, and what is wrong with it."""

    def __init__(self, source: Source, named: Named, errors: list[PacketError]) -> None:
        self.source = source
        self.named = named
        self.errors = errors
        self.approved: list[Approved] = []
        self.added: list[Added] = []
        self.rejected: list[Rejected] = []
        self.nothing = False
        self.reasons: dict[str, str] = {}
        self.left: dict[str, Mapping[str, Any]] = {}

    def error(self, section: Section, message: str) -> None:
        """Something is wrong with a section as a whole."""
        self.errors.append(PacketError(section.line, message))

    def reject(self, proposal: Proposal, title: str, reason: str) -> None:
        """Nobody wants this one."""
        self.rejected.append(Rejected(proposal, title, reason or NO_REASON))

    def take(self, mark: str, proposal: Proposal, section: Section) -> None:
        """Make a claim of the proposal (mark approve), or evidence of one (add), as its section has it."""
        if mark == "approve":
            approved, faults = _approve(proposal, section, self.source)
            self.approved += [approved] if approved else []
        else:
            added, faults = _add(proposal, section, self.source, self.named)
            self.added += [added] if added else []
        self.errors += faults
        self.keep(mark, proposal, section)

    def keep(self, mark: str, proposal: Proposal, section: Section) -> None:
        """Nothing that was typed is lost, whatever its section was marked in the end."""
        if reason := section.fields.get("reason"):
            self.reasons[proposal.id] = reason
        if left := _changed(proposal, section, _USED[mark]):
            self.left[proposal.id] = left

    def find_nothing(self, packet: Packet, section: Section) -> None:
        """The box of a source without proposals: marked x there is nothing, and a reason may say why."""
        written = reading.parse(packets.nothing_section(packet)).sections[0]
        reason = section.fields.get("reason", "")
        if section.title != written.title or section.quotes or section.fields.keys() - {"reason"}:
            self.error(section, "only a mark and a reason belong here")
        self.nothing = section.mark == "approve"
        if reason != written.fields["reason"]:
            self.reasons[section.id] = reason

    @property
    def done(self) -> set[str]:
        """The ids that are decided."""
        groups: tuple[Sequence[Approved | Added | Rejected], ...] = (self.approved, self.added, self.rejected)
        return {each.proposal.id for group in groups for each in group}

    def outcome(self, read: Accounted, waiting: tuple[str, ...]) -> Outcome:
        """What is decided, and the text without it."""
        left = reading.join(read.parsed, [s.text for s in read.parsed.sections if s.id not in self.done])
        return Outcome(
            tuple(self.approved), tuple(self.added), tuple(self.rejected), waiting, left, self.nothing,
            noticed={s.id: frozenset(s.noticed) for s in read.parsed.sections}, reasons=self.reasons, left=self.left,
        )  # fmt: skip


def _untouched(proposal: Proposal) -> Section:
    """A proposal's section as it was written, for one whose section is not in the text."""
    text = packets.render_section(proposal, lambda _: "")
    return reading.parse(text).sections[0]


def _changed(proposal: Proposal, section: Section, used: Collection[str]) -> dict[str, Any]:
    """What was changed in a section beside its title, without what its mark has a use for and what a notice wrote."""
    written = _untouched(proposal)
    noticed = {packets.link(path) for path in section.noticed}
    fields = {name: text for name, text in section.fields.items() if name not in used}
    changed: dict[str, Any] = {name: text for name, text in fields.items()
                               if text != written.fields.get(name, "") and not (noticed and name == reading.AS)
                               and text not in noticed}  # fmt: skip
    if not {"domain", reading.ADDS_TO} & {*used} and section.quotes != written.quotes:
        changed["quotes"] = section.quotes
    return changed


def _approve(proposal: Proposal, section: Section, source: Source) -> tuple[Approved | None, list[PacketError]]:
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


def _add(proposal: Proposal, section: Section, source: Source, named: Named) -> tuple[Added | None, list[PacketError]]:
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
    return [PacketError(s.line, LOST) for s in reading.parse(text).sections if s.id in lost]


def decisions(outcome: Outcome, claims: Mapping[str, str], reviewer: str, time: str) -> list[Decision]:
    """What goes on record; `claims` maps the ids of approved proposals to the paths of their new claims.

    An addition is approved with the claim that it was added to, and `proposal` says how under "added_as". Under
    "left_as" it says what was changed in a section that its verdict has no use for.
    """
    rows = [_decision(outcome, a.proposal, "approved", a.title, claims[a.proposal.id], reviewer, time)
            for a in outcome.approved]  # fmt: skip
    rows += [_decision(outcome, a.proposal, "approved", a.title, a.claim, reviewer, time, {_ADDED_AS: a.kind})
             for a in outcome.added]  # fmt: skip
    return rows + [
        dataclasses.replace(_decision(outcome, r.proposal, "rejected", r.title, None, reviewer, time), reason=r.reason)
        for r in outcome.rejected
    ]


def _decision(
    outcome: Outcome, proposal: Proposal, verdict: Any, title: str, claim: str | None, reviewer: str, time: str,
    more: Mapping[str, str] = {},
) -> Decision:  # fmt: skip
    left = outcome.left.get(proposal.id)
    return Decision(
        id=proposal.id,
        time=time,
        reviewer=reviewer,
        verdict=verdict,
        reason=outcome.reasons.get(proposal.id, ""),
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
            **more,
            **({_LEFT_AS: left} if left else {}),
        },
        claim=claim,
        source=proposal.source,
        source_sha256=proposal.source_sha256,
        proposer=proposal.proposer,
        generation=proposal.generation,
        shown=_shown(proposal),
        features=proposal.features,
    )


def _shown(proposal: Proposal) -> dict[str, Any]:
    """What the reviewer saw beside the proposal, and why it was among those shown; never a score."""
    seen = as_shown(proposal)
    hints = {
        "relation": seen.relation,
        "nearest": [dataclasses.asdict(hit) for hit in seen.nearest],
        "notes": list(seen.notes),
        "debate": [dataclasses.asdict(turn) for turn in seen.debate],
    }
    chosen = {name: getattr(proposal, name) for name in CHOSEN if getattr(proposal, name) != _AS_USUAL[name]}
    return hints | chosen


#: How a proposal came to be shown, as a decision records it; left out where it is as usual.
CHOSEN = ("place", "blind", "explored", "chance", "trial", "repeat_of")
_AS_USUAL = {field.name: field.default for field in dataclasses.fields(Proposal) if field.name in CHOSEN}


def added_as(decision: Decision) -> str:
    """How a decision added evidence to a claim that was there; empty where it did not."""
    return str(decision.proposal.get(_ADDED_AS, ""))


def null_note(reasons: Sequence[str], why: str = "") -> str:
    """Why nothing was claimed from a source, in one line; `why` are the reviewer's words where nothing was proposed."""
    if not reasons:
        return f"nothing to claim here{f': {why}' if why else ''}"
    counted = Counter(reasons)
    return "nothing approved: " + ", ".join(f"{n} {reason}" for reason, n in sorted(counted.items()))
