"""What one packet's decisions change: claims, evidence, the log, the packet, the source and the index, as one act."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from codex_kb import acts
from codex_kb.acts import Act
from codex_kb.apply import additions, entries
from codex_kb.apply.log import Log
from codex_kb.apply.near import Placed
from codex_kb.disk.serialise import packet_to_json
from codex_kb.disk.transaction import Change, change
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import packet_path, record_path
from codex_kb.records import Approved, Decision, Hit, Packet, Proposal, Source
from codex_kb.review import decide, publish, relocate
from codex_kb.review import packet as packets
from codex_kb.review.decide import Outcome
from codex_kb.review.standing import standing
from codex_kb.text import markdown_file
from codex_kb.text.fields import NULL_RESULT, PROCESSED, byline
from codex_kb.text.fields import text as text_of


@dataclass(frozen=True, slots=True)
class Case:
    """One packet with what was decided in it, the source's bytes, and the packet's text on disk (None: deleted).

    `placed` are its approvals beside what is near, `held` those, by id, that wait since a claim says nearly the same.
    """

    packet: Packet
    outcome: Outcome
    data: bytes
    source: Source
    text: str | None
    placed: Placed
    held: Mapping[str, Hit]

    @property
    def closes(self) -> bool:
        """Is everything decided, and nothing kept until the source was read?"""
        return not self.outcome.waiting and not self.packet.later


@dataclass(frozen=True, slots=True)
class Applied:
    """The act of one packet's decisions, the paths of its new claims by the ids of their proposals, and all ids."""

    act: Act
    claims: Mapping[str, str]
    decided: frozenset[str]


def applied(kb: KnowledgeBase, case: Case, reviewer: str, seconds: Mapping[str, float]) -> Applied:
    """What the decisions of one packet change; `seconds` are what each took, by id, where known. Writes nothing.

    Raises:
        NotFound: a claim that evidence is added to is gone.
        RefusedFile: a file cannot be read, or edited without changing other parts.
        UsageError: a pattern of `[git]` is none.
    """
    return _Applying(kb, case, reviewer).applied(seconds)


class _Applying:
    """Gathers the changes of one packet's decisions."""

    def __init__(self, kb: KnowledgeBase, case: Case, reviewer: str) -> None:
        self.kb = kb
        self.case = case
        self.reviewer = reviewer
        self.branch = acts.branch_for(kb.settings.git, case.packet.name)
        self.log = Log(kb, case.packet.name)
        self.paths = case.placed.paths
        self.near = case.placed.links

    def applied(self, seconds: Mapping[str, float]) -> Applied:
        """The act."""
        kb, case = self.kb, self.case
        rows = self.log.settled(decide.decisions(case.outcome, self.paths, self.reviewer, kb.now(), seconds))
        claims = [*self._claims(), *additions.changes(kb, case.outcome.added)]
        changes = [*claims, *self.log.appended(rows), *self._packet_changes()]
        if case.closes:
            changes.append(Change(case.packet.source, case.data, self._closed(rows)))
        ours = (packet_path(case.packet.name), record_path(case.packet.name))
        act = Act(
            (*changes, *entries.changes(kb, claims)), self._message(), self.branch,
            tuple(c.path for c in changes if c.path not in ours),
        )  # fmt: skip
        return Applied(act, self.paths, frozenset(each.id for each in rows))

    def _claims(self) -> list[Change]:
        return [
            Change(path, None, self._claim(each, path).encode())
            for each in self.case.outcome.new
            for path in [self.paths[each.proposal.id]]
        ]

    def _claim(self, approved: Approved, path: str) -> str:
        people = (byline(self.case.source), self.reviewer)
        topic = self._topic(approved.domain)
        links = self.near.get(path, ())
        return publish.claim_text(approved, self.case.source, path, links, people, self.kb.today(), topic)

    def _proposals(self) -> Iterator[Proposal]:
        """What was decided about."""
        outcome = self.case.outcome
        for group in (outcome.new, outcome.added, outcome.rejected):  # what is asked again was proposed before
            yield from (each.proposal for each in group)

    def _topic(self, domain: str) -> str:
        """The topic map of a domain, where its folder has one."""
        path = f"{self.kb.settings.write_folder}/{domain}/_map"
        return path if self.kb.layout.path(f"{path}.md").exists() else ""

    def _packet_changes(self) -> list[Change]:
        case, root = self.case, self.kb.layout.root
        path, record = packet_path(case.packet.name), record_path(case.packet.name)
        before = None if case.text is None else case.text.encode()
        if case.closes:
            return [Change(path, before, None), change(root, record, None)]
        if not case.outcome.waiting:
            return self._shown_now(path, before, record)
        kept = set(case.outcome.waiting)
        left = dataclasses.replace(case.packet, proposals=tuple(p for p in case.packet.proposals if p.id in kept))
        return [Change(path, before, case.outcome.text.encode()), change(root, record, packet_to_json(left))]

    def _shown_now(self, path: str, before: bytes | None, record: str) -> list[Change]:
        """The packet of a source that was read without proposals, with them."""
        case = self.case
        now = dataclasses.replace(case.packet, proposals=case.packet.later, later=())
        moved, lost = relocate.relocated(now, case.source)
        line = markdown_file.parse(case.data, case.packet.source).body_line
        text = packets.render(moved, byline(case.source), packets.Placer(case.source, line, self.kb.store.quoted))
        text = packets.annotate(text, relocate.lost_quotes(text, lost))
        return [Change(path, before, text.encode()), change(self.kb.layout.root, record, packet_to_json(moved))]

    def _closed(self, rows: Sequence[Decision]) -> bytes:
        """The source with everything decided: processed, or a null result that says why."""
        case = self.case
        known = standing([*self.log.decisions(), *rows]).values()
        decided = [d for d in known if d.source == case.packet.source and not d.shown.get("repeat_of")]
        stems = [PurePosixPath(d.claim).stem for d in decided if d.claim and not decide.added_as(d)]
        enriched = [d.claim for d in decided if d.claim and decide.added_as(d)]
        values: dict[str, Any] = {
            "status": PROCESSED if stems or enriched else NULL_RESULT,
            "processed_by": case.packet.proposer,
            "processed_date": self.kb.today(),
            "claims_extracted": stems,
        }
        if case.packet.model:
            values["extraction_model"] = case.packet.model
        if enriched:
            values["enrichments"] = additions.enrichments(self.kb, case.source, enriched)
        elif not stems:
            note = decide.null_note([d.reason for d in decided], "; ".join(case.outcome.reasons.values()))
            before = text_of(case.source.fields.get("notes"))
            values["notes"] = f"{before}; {note}" if before else note
        names = self.kb.settings.fields
        return markdown_file.set_fields(
            case.data, {names.get(key, key): value for key, value in values.items()}, case.packet.source
        )

    def _message(self) -> str:
        case = self.case
        approved, rejected = case.outcome.new, case.outcome.rejected
        added = case.outcome.added
        again = f"{len(case.outcome.repeated)} decided again, " if case.outcome.repeated else ""
        titles = {each.claim: additions.title(self.kb, each.claim) for each in added}
        count = len(approved) or len(titles)
        what = f"add {'' if approved else 'evidence to '}{count} claim{'s' * (count != 1)}"
        if not count:
            what = f"reject {len(rejected)} proposal{'s' * (len(rejected) != 1)}" if rejected else "claim nothing"
            what = "decide again" if case.outcome.repeated and not rejected else what
            what = "read without proposals" if case.packet.later and not case.outcome.waiting else what
        linked = {h.path for hits in self.near.values() for h in hits if h.score >= publish.LINKED} | titles.keys()
        links = sorted({PurePosixPath(path).stem for path in linked})
        agent = case.packet.proposer
        return acts.message(
            self.kb.settings.git,
            f"{agent}: {what} from {case.packet.name}",
            "\n".join([
                f"What: {len(approved)} approved, {f'{len(added)} added, ' if added else ''}{len(rejected)} rejected, "
                f"{again}{len(case.outcome.waiting)} left to decide.",
                *(f"- {'missed before: ' if a.proposal.missed else ''}{a.title}" for a in approved),
                *(f"- added as {each.kind} to {titles[each.claim]}: {each.title}" for each in added),
                *(f"- rejected as {r.reason}: {r.title}" for r in rejected),
                f"Why: {text_of(case.source.fields.get('rationale')) or 'drawn from ' + byline(case.source)}",
                f"Connections: {'; '.join(links) or 'none'}",
            ]),
            {
                "Source": case.packet.source,
                "Proposed-by": ", ".join(dict.fromkeys(each.proposer for each in self._proposals())) or agent,
                "Reviewed-by": self.reviewer,
                "Generation": str(case.packet.generation),
            },
            agent=agent, n=count, source=case.packet.name, slug=case.packet.name,
        )  # fmt: skip
