"""Proposals set aside unread, since they would almost surely be rejected, and brought back.

They are kept in `inbox/proposals/set-aside/`, a record a source, and not in the packet: a packet goes when the rest of
it is decided, and what was set aside must keep none open and still come back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from codex_kb import acts
from codex_kb.acts import Act
from codex_kb.apply import log
from codex_kb.apply.reopen import Waits
from codex_kb.disk.serialise import packet_to_json
from codex_kb.disk.transaction import Change, change
from codex_kb.errors import UsageError
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import aside_path, packet_path, record_path
from codex_kb.learn import drift, examples, held_out, triage
from codex_kb.learn.examples import SCORE
from codex_kb.learn.held_out import Scorer
from codex_kb.learn.ranker import Floats
from codex_kb.learn.triage import Threshold
from codex_kb.records import Decision, Packet, Proposal
from codex_kb.review import account, reading
from codex_kb.review.reading import Section
from codex_kb.review.standing import standing
from codex_kb.text import markdown_file
from codex_kb.text.fields import PROCESSING
from codex_kb.text.marks import counted, one_line


@dataclass(frozen=True)
class Rule:
    """Which proposals are set aside: those that `scorer` scores below the threshold; `names` are its features."""

    threshold: Threshold
    scorer: Scorer
    names: tuple[str, ...]
    vectors: Mapping[str, Floats]

    def below(self, proposals: Sequence[Proposal]) -> set[str]:
        """The ids of those below the threshold."""
        some = [each for each in proposals if SCORE in each.features]
        if not some:
            return set()
        scores = self.scores(some)
        return {each.id for each, score in zip(some, scores, strict=True) if score < self.threshold.below}

    def scores(self, some: Sequence[Proposal]) -> Floats:
        """The scores of proposals that have features."""
        return self.scorer.score(
            np.array([each.features[SCORE] for each in some]),
            np.array([examples.plain(each.features, self.names) for each in some]).reshape(len(some), len(self.names)),
            np.array([self.vectors[each.title] for each in some]),
        )  # fmt: skip


def rule(kb: KnowledgeBase, alpha: float, packets: Sequence[Packet]) -> Rule:
    """What people's decisions allow to set aside from these packets, losing at most `alpha` of approvals.

    Raises:
        UsageError: too few approvals are on record, they say nothing, or proposals are not what they were.
    """
    cases = [each for each in standing(log.everything(kb)).values() if _counts(each)]
    approvals, needed = sum(each.verdict == "approved" for each in cases), triage.needed(alpha)
    if approvals < needed:
        raise UsageError(f"a limit of {alpha:g} takes {counted(needed, 'approval')}, and {approvals} "
                         f"{'is' if approvals == 1 else 'are'} on record",
                         hint="codex review, and approve what is worth it")  # fmt: skip
    waiting = [each for packet in packets for each in packet.proposals if SCORE in each.features]
    titles = list(dict.fromkeys([*map(examples.title, cases), *(each.title for each in waiting)]))
    vectors: dict[str, Floats] = dict(zip(titles, kb.encoder.encode(titles).astype(np.float64), strict=True))
    _require_kept(cases, alpha)
    _require_like(cases, waiting, vectors)
    names = examples.names(cases)
    groups = examples.groups(cases, names, vectors, kb.settings.agent_of)
    scores, scorer = held_out.approved(groups), held_out.scorer(groups)
    found = None if scores is None else triage.threshold(scores, alpha)
    if scorer is None or found is None:
        raise UsageError("the decisions on record do not tell what is approved from what is rejected",
                         hint="codex review; sources with both verdicts teach")  # fmt: skip
    return Rule(found, scorer, names, vectors)


def _counts(decision: Decision) -> bool:
    """Is it a case like those that are set aside?"""
    return examples.judges(decision) and SCORE in decision.features and examples.chosen(decision)


def _require_kept(cases: Sequence[Decision], alpha: float) -> None:
    """Stop where what was shown though it lay below was approved too often: the promise did not hold."""
    anyway = [each for each in cases if each.shown.get("chance", 1.0) <= triage.SHOWN_ANYWAY and not
              each.shown.get("blind")]  # fmt: skip
    since = min((each.time for each in anyway), default="")
    approvals = sum(each.verdict == "approved" and each.time >= since for each in cases) if since else 0
    wanted = sum(each.verdict == "approved" for each in anyway)
    if triage.broken(wanted, approvals, alpha):
        raise UsageError(f"{wanted} of {counted(approvals, 'approval')} since were of what lay below and was shown "
                         f"anyway: more than {alpha:.0%} would be lost",
                         hint="codex review without --triage")  # fmt: skip


def _require_like(
    cases: Sequence[Decision], waiting: Sequence[Proposal], vectors: Mapping[str, Floats]
) -> None:  # fmt: skip
    """Stop where proposals have drifted: what held of the old ones says nothing of these."""
    before = np.array([vectors[examples.title(each)] for each in cases])
    after = np.array([vectors[each.title] for each in waiting]).reshape(len(waiting), before.shape[1])
    found = drift.drift(before, [each.source for each in cases], after, [each.source for each in waiting])
    if found and found.drifted:
        raise UsageError(f"what waits is unlike what was decided (p = {found.p:.3f}): nothing can be promised of it",
                         hint="codex review without --triage")  # fmt: skip


def set_aside(kb: KnowledgeBase, packet: Packet, rule: Rule) -> tuple[Act, list[Proposal]] | None:
    """The act that sets aside what the rule says of one packet, and what that is; None for nothing.

    A tenth is shown anyway. Of a packet at least one proposal stays, the best: no source is closed unread.
    """
    text = kb.store.packet_text(packet)
    open_ = _untouched(packet, text)
    below = rule.below([each for each in packet.proposals if each.id in open_])
    going = [each for each in packet.proposals if each.id in below and not triage.shown_anyway(each.id)]
    if going and len(going) == len(packet.proposals):
        best = going[int(np.argmax(rule.scores(going)))]
        going = [each for each in going if each is not best]
    gone = {each.id for each in going}
    left = tuple(_kept(each, below) for each in packet.proposals if each.id not in gone)
    if left == packet.proposals:
        return None
    before = kb.store.aside(packet.name)
    there = [each for each in before.proposals if each.id not in gone] if before else []
    root = kb.layout.root
    changes = [change(root, record_path(packet.name), packet_to_json(dataclasses.replace(packet, proposals=left)))]
    if going:
        kept = packet_to_json(dataclasses.replace(packet, proposals=(*there, *going)))
        changes.append(change(root, aside_path(packet.name), kept))
    if text is not None:
        parsed = reading.parse(text)
        shown = reading.join(parsed, [section.text for section in parsed.sections if section.id not in gone])
        changes.append(Change(packet_path(packet.name), text.encode(), shown.encode()))
    threshold = rule.threshold
    return _act(kb, packet, changes, (
        f"set aside {counted(len(going), 'proposal')} from {packet.name}",
        f"What: {counted(len(going), 'proposal')} not shown; at most {threshold.limit:.1%} of what would be "
        f"approved is lost, at 90 % confidence, from {counted(threshold.approvals, 'approval')}.\n"
        "Why: they would almost surely be rejected. codex review --set-aside brings them back.",
    )), going  # fmt: skip


def _untouched(packet: Packet, text: str | None) -> set[str]:
    """The ids of the proposals that may be set aside: as they were written, and no part of what measures."""
    usual = {each.id: each for each in packet.proposals if not (each.blind or each.explored or each.repeat_of)}
    if text is None:
        return {*usual}
    read = account.account(packet, text)
    if read.errors or read.removed:
        return set()
    return {section.id for section, each in read.sections if each and each.id in usual and _as_written(section, each)}


def _as_written(section: Section, proposal: Proposal) -> bool:
    shown = (one_line(proposal.title), one_line(proposal.description))
    same = (section.title, section.fields.get("description")) == shown
    return section.mark == "wait" and same and not section.errors and not section.fields.get("reason")


def _kept(proposal: Proposal, below: set[str]) -> Proposal:
    """A proposal that is shown anyway had that chance of being shown, however often it was looked at."""
    anyway = proposal.id in below and triage.shown_anyway(proposal.id) and proposal.chance == 1.0
    return dataclasses.replace(proposal, chance=triage.SHOWN_ANYWAY) if anyway else proposal


def brought_back(kb: KnowledgeBase, aside: Packet) -> tuple[Act, list[Proposal]]:
    """The act that brings back what was set aside from a source, but what was decided or proposed since.

    Raises:
        NotFound: the source is gone.
        RefusedFile: a file cannot be read, or edited without changing other parts.
    """
    known = log.everything(kb)
    stands = standing(known)
    waiting = kb.store.packet(aside.name)
    there = {*stands, *(each.id for each in waiting.proposals if waiting)} if waiting else {*stands}
    back = [each for each in aside.proposals if each.id not in there]
    changes = [change(kb.layout.root, aside_path(aside.name), None)]
    if back:
        waits = Waits(kb, aside.name, aside.source, acts.branch_for(kb.settings.git, aside.name))
        about = [each for each in known if each.source == aside.source and not each.shown.get("repeat_of")]
        if about:
            opened = waits.opened(about, {each.id: each for each in stands.values() if each.source == aside.source})
        else:
            name = kb.settings.fields.get("status", "status")
            opened = Change(aside.source, waits.data,
                            markdown_file.set_fields(waits.data, {name: PROCESSING}, aside.source))  # fmt: skip
        changes += [opened, *waits.packet(back, opened.after or b"")]
    told = (f"bring back {counted(len(back), 'proposal')} of {aside.name}",
            f"What: {counted(len(back), 'proposal')} set aside before wait again.\nWhy: a person wants to read them.")
    return _act(kb, aside, changes, told), back


def _act(kb: KnowledgeBase, packet: Packet, changes: Sequence[Change], told: tuple[str, str]) -> Act:
    clean = tuple(each.path for each in changes if each.path == packet.source and each.before != each.after)
    return Act(tuple(changes), acts.message(
        kb.settings.git, f"codex: {told[0]}", told[1],
        {"Source": packet.source, "Generation": str(packet.generation)},
    ), acts.branch_for(kb.settings.git, packet.name), clean)  # fmt: skip
