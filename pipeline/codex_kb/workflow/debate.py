"""`codex debate`: two sides argue about a proposal, each point with a quote that is checked; the person judges."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from codex_kb import debate, packet, prompts, replies
from codex_kb.errors import Conflict, ModelError
from codex_kb.markdown_file import parse
from codex_kb.paid import Answers, Spent
from codex_kb.prompts import Known
from codex_kb.records import Packet, Proposal, Source, Turn
from codex_kb.store import packet_path, packet_to_json, record_path
from codex_kb.workflow import index as indexes
from codex_kb.workflow.background import Background
from codex_kb.workflow.ingest import Placer
from codex_kb.workflow.kb import KnowledgeBase
from codex_kb.workflow.review import full_id
from codex_kb.workflow.team import Team

_KNOWN = 5
#: What of the source each side reads around the quotes, in characters.
_EXCERPT = 6_000


class Debates:
    """Runs debates with one model, within one budget."""

    def __init__(self, kb: KnowledgeBase, model: str | None, budget: float | None) -> None:
        """Raises UsageError: the model is not one that can argue."""
        name = model or kb.settings.propose.model
        self._kb = kb
        self._team = Team(kb, name, 1, kb.settings.propose.budget if budget is None else budget, again=False)
        self._answers: Answers = self._team.answers(name)
        self._background = Background(kb, indexes.load(kb), ())

    @property
    def spent(self) -> Spent:
        """What the debates took."""
        return self._team.spent

    def one(self, beginning: str) -> Proposal:
        """Debate the proposal whose id begins like this, and put the transcript into its packet.

        Raises:
            NotFound: no such proposal waits.
            ModelError: the model failed; nothing was written.
        """
        packets = {p.id: each for each in self._kb.store.packets() for p in each.proposals}
        found = full_id(beginning, packets)
        return self._debate(packets[found], found)

    def _debate(self, waiting: Packet, proposal_id: str) -> Proposal:
        proposal = next(p for p in waiting.proposals if p.id == proposal_id)
        source = self._kb.store.source(waiting.source)
        argued = dataclasses.replace(proposal, debate=tuple(self._turns(proposal, source)))
        with self._kb.writing("debate"):
            self._write(waiting, argued, source)
        return argued

    def _turns(self, proposal: Proposal, source: Source) -> list[Turn]:
        known = self._background.known(proposal.title, _KNOWN)
        places = [(source.path, source.body), *((each.path, self._shown(each)) for each in known)]
        excerpt = _around(source, proposal)
        quotes = [evidence.quote for evidence in proposal.evidence]
        turns: list[Turn] = []
        while side := debate.next_side(turns):
            asked = prompts.debate_turn(side, proposal.title, quotes, excerpt, known, turns)
            text = self._answers.ask(asked, prompts.tokens(asked.system + asked.user), Spent())
            try:
                point, quote = replies.point(text)
            except ValueError as error:
                raise ModelError("invalid", f"the answer cannot be read: {error}") from error
            turns.append(debate.judge_point(side, point, quote, places))
        return turns

    def _shown(self, claim: Known) -> str:
        """What may be quoted of a claim."""
        return "\n\n".join([claim.title, claim.description, self._kb.store.claim(claim.path).body])

    def _write(self, waiting: Packet, argued: Proposal, source: Source) -> None:
        """The record and the packet with the transcript; the rest of the packet stays as it was edited."""
        if self._kb.store.packet(waiting.name) != waiting:
            raise Conflict("its proposals changed meanwhile", path=packet_path(waiting.name), hint="run it again")
        text = self._kb.store.packet_text(waiting)
        proposals = tuple(argued if p.id == argued.id else p for p in waiting.proposals)
        written = dataclasses.replace(waiting, proposals=proposals)
        file = parse(self._kb.store.read_bytes(waiting.source), waiting.source)
        place = Placer(source, file.body_line)
        changes = [self._kb.change(record_path(waiting.name), packet_to_json(written))]
        if text is not None:
            changes.append(self._kb.change(packet_path(waiting.name), _with(text, argued, place).encode()))
        turns = len(argued.debate)
        self._kb.apply(changes, self._kb.commit_message(
            f"{waiting.proposer}: debate about {waiting.name}",
            f"What: {turns} points about the proposal {argued.id}.\nWhy: the reviewer may judge by both sides.",
            {"Source": waiting.source, "Proposed-by": waiting.proposer},
        ))  # fmt: skip


def _with(text: str, argued: Proposal, place: Placer) -> str:
    """The packet's text with the debate at the end of its proposal's section, in place of an earlier one."""
    parsed = packet.parse(text)
    sections = [
        packet.with_debate(section.text, argued, place) if section.id == argued.id else section.text
        for section in parsed.sections
    ]
    return packet.join(parsed.preamble, sections)


def _around(source: Source, proposal: Proposal) -> str:
    """The part of the source around the proposal's quotes."""
    first = min((e.start for e in proposal.evidence), default=0)
    start = max(0, first - _EXCERPT // 2)
    return source.body[start : start + _EXCERPT]


def debate_all(
    kb: KnowledgeBase, sources: Sequence[str], model: str | None, jobs: int | None, budget: float | None
) -> int:
    """Debate every proposal that waits from these sources; how many."""
    debates = Debates(kb, model, budget)
    waiting = [p.id for each in kb.store.packets() if each.source in sources for p in each.proposals if not p.debate]
    for number, proposal_id in enumerate(waiting):
        kb.progress("debating", number, len(waiting))
        debates.one(proposal_id)
    kb.progress("debating", len(waiting), len(waiting))
    return len(waiting)
