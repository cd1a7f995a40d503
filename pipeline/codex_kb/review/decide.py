"""The third stage: an edited packet becomes decisions. Decides only; applying them is the workflow's."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from codex_kb.records import Approved, Decision, Packet, Proposal, Source, Verdict
from codex_kb.review import missed, reading
from codex_kb.review import packet as packets
from codex_kb.review.account import Accounted, account
from codex_kb.review.blind import as_shown
from codex_kb.review.marked import Added, Named, add, approve
from codex_kb.review.reading import PacketError, Section
from codex_kb.text.fields import byline

REMOVED = "removed"
NO_REASON = "no reason given"
_ADDED_AS = "added_as"
_LEFT_AS = "left_as"
#: The fields of a section that each mark has a use for.
_USED = {
    "approve": ("reason", "description", "domain", "confidence"),
    "add": ("reason", "description", reading.ADDS_TO, reading.AS),
    "reject": ("reason",),
    "by name": (),
}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A proposal that the reviewer did not want."""

    proposal: Proposal
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """What was decided before and asked again; `reason` is that of a rejection."""

    proposal: Proposal
    title: str
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a packet's text decides.

    `waiting` are the ids left open, `text` the packet without what was decided, `nothing` says
    that the reviewer found nothing to claim in a source without proposals. `noticed` are for each
    id the paths of the claims that its section says are near. `reasons` say why by id, for whatever
    mark, and `left` is what else was changed in a section that its mark has no use for. `missed` are the claims that
    nobody proposed and the reviewer added, `held` those of them, title by id, that were to wait, and `repeated` changes
    the log alone.
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
    missed: tuple[Approved, ...] = ()
    repeated: tuple[Repeated, ...] = ()
    held: Mapping[str, str] = field(default_factory=dict)

    @property
    def decided(self) -> int:
        """How many boxes this decides, and claims it adds."""
        return len(self.new) + len(self.added) + len(self.rejected) + len(self.repeated) + self.nothing

    @property
    def new(self) -> tuple[Approved, ...]:
        """What becomes a claim."""
        return (*self.approved, *self.missed)


def _nobody(_: str) -> Sequence[str]:
    return ()


def decide(
    packet: Packet, text: str, source: Source, named: Named = _nobody, held: Collection[str] = ()
) -> Outcome:
    """Read every mark of an edited packet; with any error nothing is decided. `named` finds claims.

    Missed claims whose ids are `held` wait, and while one does the packet stays open.
    """
    read = account(packet, text, byline(source))
    judged = _Judged(source, named, list(read.errors), held)
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
        elif proposal.repeat_of:
            judged.repeat(section.mark, proposal, section)
        elif section.mark == "reject":
            judged.reject(proposal, section.title, section.fields.get("reason", ""))
            judged.keep("reject", proposal, section)
        else:
            judged.take(section.mark, proposal, section)
    for removed in read.removed:
        judged.remove(removed)
    for section in read.missed:
        judged.miss(packet, section)
    if judged.errors:
        ids = [p.id for p in packet.proposals] or [packets.nothing_id(packet)]
        return Outcome(errors=tuple(judged.errors), waiting=tuple(ids))
    judged.nothing = judged.nothing and not judged.held
    waiting = () if judged.nothing else tuple(s.id for s, _ in read.sections if s.id not in judged.done)
    outcome = judged.outcome(read, waiting)
    if judged.held and not waiting:  # only what was missed is left: the packet is as of a source without proposals
        text = packets.with_box(outcome.text, packet)
        outcome = dataclasses.replace(outcome, text=text, waiting=(packets.nothing_id(packet),))
    return outcome


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
        if proposal.repeat_of and proposal.id in {*approve, *add, *reject}:
            section.fields["reason"] = reject.get(proposal.id) or section.fields.get("reason", "")
            judged.repeat("reject" if proposal.id in reject else "approve", proposal, section)
        elif proposal.id in reject:
            judged.reject(proposal, section.title, reject[proposal.id])
            judged.keep("by name", proposal, section)
        elif proposal.id in approve or proposal.id in add:
            judged.errors += section.errors
            judged.take("approve" if proposal.id in approve else "add", proposal, section)
    waiting = tuple(p.id for p in packet.proposals if p.id not in judged.done)
    if read.missed and not waiting:
        judged.error(read.missed[0], "a missed claim is filled in here: codex review --apply adds it")
    if judged.errors:
        return Outcome(errors=tuple(judged.errors))
    outcome = judged.outcome(read, waiting)
    return dataclasses.replace(outcome, noticed={})  # a notice is for who reads the packet


class _Judged:
    """Gathers what is decided about one packet's proposals, and what is wrong with it."""

    def __init__(
        self, source: Source, named: Named, errors: list[PacketError], hold: Collection[str] = ()
    ) -> None:
        self.source = source
        self.named = named
        self.errors = errors
        self.hold = hold
        self.approved: list[Approved] = []
        self.added: list[Added] = []
        self.rejected: list[Rejected] = []
        self.missed: list[Approved] = []
        self.held: dict[str, str] = {}
        self.taken: list[Section] = []
        self.noticed: dict[str, Collection[str]] = {}
        self.repeated: list[Repeated] = []
        self.nothing = False
        self.reasons: dict[str, str] = {}
        self.left: dict[str, Mapping[str, Any]] = {}

    def error(self, section: Section, message: str) -> None:
        """Something is wrong with a section as a whole."""
        self.errors.append(PacketError(section.line, message))

    def reject(self, proposal: Proposal, title: str, reason: str) -> None:
        """Nobody wants this one."""
        self.rejected.append(Rejected(proposal, title, reason or NO_REASON))

    def remove(self, proposal: Proposal) -> None:
        """Its section was deleted."""
        if proposal.repeat_of:
            self.repeated.append(Repeated(proposal, proposal.title, "rejected", REMOVED))
        else:
            self.reject(proposal, proposal.title, REMOVED)

    def take(self, mark: str, proposal: Proposal, section: Section) -> None:
        """Make a claim of the proposal (mark approve), or evidence of one (add), as its section has it."""
        if mark == "approve":
            approved, faults = approve(proposal, section, self.source)
            self.approved += [approved] if approved else []
        else:
            added, faults = add(proposal, section, self.source, self.named)
            self.added += [added] if added else []
        self.errors += faults
        self.keep(mark, proposal, section)

    def miss(self, packet: Packet, section: Section) -> None:
        """Make a claim of what a person added."""
        self.errors += section.errors
        if section.errors:
            return
        proposal = missed.proposal(packet, section, self.source)
        approved, faults = approve(proposal, section, self.source)
        faults += [PacketError(section.line, f'"{name}" has no use in a missed claim')
                   for name, text in section.fields.items() if text and name not in missed.FIELDS]  # fmt: skip
        if proposal.id in self.noticed or proposal.id in {each.id for each in packet.proposals}:
            faults.append(PacketError(section.line, "this claim stands in the packet already: delete this section"))
        self.errors += faults
        self.noticed[proposal.id] = frozenset(section.noticed)
        if proposal.id in self.hold:
            self.held[proposal.id] = section.title
            return
        self.taken.append(section)
        self.missed += [approved] if approved else []
        if reason := section.fields.get("reason"):
            self.reasons[proposal.id] = reason

    def repeat(self, mark: str, proposal: Proposal, section: Section) -> None:
        """Take down how an old decision was answered now."""
        rejected = mark == "reject"
        reason = section.fields.get("reason", "")
        self.repeated.append(Repeated(proposal, section.title, "rejected" if rejected else "approved",
                                      (reason or NO_REASON) if rejected else reason))  # fmt: skip
        if left := _changed(proposal, section, _USED["reject"]):
            self.left[proposal.id] = left

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
        if section.title != written.title or section.quotes or section.fields.keys() - written.fields.keys():
            self.error(section, "only a mark belongs here" if packet.later else "only a mark and a reason belong here")
        self.nothing = section.mark == "approve"
        if reason != written.fields.get("reason", ""):
            self.reasons[section.id] = reason

    @property
    def done(self) -> set[str]:
        """The ids that are decided."""
        groups: tuple[Sequence[Approved | Added | Rejected | Repeated], ...] = (
            self.approved, self.added, self.rejected, self.repeated,
        )  # fmt: skip
        return {each.proposal.id for group in groups for each in group}

    def outcome(self, read: Accounted, waiting: tuple[str, ...]) -> Outcome:
        """What is decided, and the text without it."""
        parsed = packets.without_missed(read.parsed, self.taken) if self.missed else read.parsed
        left = reading.join(parsed, [s.text for s in parsed.sections if s.id not in self.done])
        return Outcome(
            tuple(self.approved), tuple(self.added), tuple(self.rejected), waiting, left, self.nothing,
            noticed=self.noticed | {s.id: frozenset(s.noticed) for s in read.parsed.sections}, reasons=self.reasons,
            left=self.left, missed=tuple(self.missed), repeated=tuple(self.repeated), held=self.held,
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


def decisions(
    outcome: Outcome, claims: Mapping[str, str], reviewer: str, time: str, seconds: Mapping[str, float] = {}
) -> list[Decision]:  # fmt: skip
    """What goes on record; `claims` maps the ids of approved proposals to the paths of their new claims.

    `seconds` are what deciding took, by id, where a door measured it.

    An addition is approved with the claim that it was added to, and `proposal` says how under "added_as". Under
    "left_as" it says what was changed in a section that its verdict has no use for.
    """
    rows = [_decision(outcome, a.proposal, "approved", a.title, claims[a.proposal.id], reviewer, time)
            for a in outcome.new]  # fmt: skip
    rows += [_decision(outcome, a.proposal, "approved", a.title, a.claim, reviewer, time, {_ADDED_AS: a.kind})
             for a in outcome.added]  # fmt: skip
    rows += [
        dataclasses.replace(_decision(outcome, r.proposal, "rejected", r.title, None, reviewer, time), reason=r.reason)
        for r in outcome.rejected
    ]
    rows += [
        dataclasses.replace(_decision(outcome, r.proposal, r.verdict, r.title, None, reviewer, time), reason=r.reason)
        for r in outcome.repeated
    ]
    return [dataclasses.replace(each, seconds=seconds.get(each.id)) for each in rows]


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
        missed=proposal.missed,
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
    chosen |= {"chance": proposal.chance} if proposal.place else {}
    return hints | chosen | ({"repeat": True} if proposal.repeat_of else {})


#: How a proposal came to be shown, as a decision records it; left out where it is as usual.
CHOSEN = ("place", "blind", "explored", "chance", "trial", "repeat_of", "alone", "instructions", "tried")
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
