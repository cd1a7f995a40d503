"""`codex review --triage` and `--set-aside`: what would almost surely be rejected is not shown, and comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from codex_kb.acts import perform, writing
from codex_kb.apply import aside
from codex_kb.errors import CodexError, NotFound, RefusedFile
from codex_kb.kb import KnowledgeBase
from codex_kb.learn.triage import Threshold
from codex_kb.records import Proposal
from codex_kb.review.waiting import ids_of, select


@dataclass
class SetAside:
    """What was set aside or brought back, how many proposals wait now, by which threshold; what stood in the way."""

    proposals: list[Proposal] = field(default_factory=list)
    waiting: int = 0
    threshold: Threshold | None = None
    faults: list[CodexError] = field(default_factory=list)


def triage(kb: KnowledgeBase, alpha: float, sources: Sequence[str] = ()) -> SetAside:
    """Set aside, from these sources or all, what would almost surely be rejected: at most `alpha` of approvals.

    Raises:
        NotFound: nothing waits for a named source.
        UsageError: too little is on record to promise that, or proposals are not what they were.
    """
    with writing(kb, "review"):
        packets = select(kb.store.packets(), sources, kb.layout.relative)
        rule = aside.rule(kb, alpha, packets)
        done = SetAside(threshold=rule.threshold)
        for packet in packets:
            if found := aside.set_aside(kb, packet, rule):
                act, going = found
                perform(kb, act)
                done.proposals += going
    return _counted(kb, done)


def bring_back(kb: KnowledgeBase, sources: Sequence[str] = ()) -> SetAside:
    """Bring back what was set aside from these sources, or all.

    Raises:
        NotFound: nothing was set aside from a named source.
    """
    with writing(kb, "review"):
        kept, problems = kb.store.all_aside()
        wanted = [each for each in kept if not sources or {each.source, each.name} & {*sources}]
        damaged = [each for each in problems if not sources or PurePosixPath(each.path).stem in sources]
        names = {each for packet in wanted for each in (packet.source, packet.name)}
        names |= {PurePosixPath(each.path).stem for each in damaged}
        if missing := [each for each in sources if each not in names]:
            raise NotFound("nothing was set aside from this source", path=missing[0], hint="codex proposals lists it")
        done = SetAside(faults=[RefusedFile(each.message, path=each.path, hint=each.hint) for each in damaged])
        for packet in wanted:
            try:
                act, back = aside.brought_back(kb, packet)
            except (NotFound, RefusedFile) as error:  # the others come back all the same
                done.faults.append(error)
                continue
            perform(kb, act)
            done.proposals += back
    return _counted(kb, done)


def _counted(kb: KnowledgeBase, done: SetAside) -> SetAside:
    done.waiting = sum(len(ids_of(each)) for each in kb.store.packets())
    return done
