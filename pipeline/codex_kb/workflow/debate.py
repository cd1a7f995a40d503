"""`codex debate`: two sides argue about a proposal, each point with a quote that is checked; the person judges."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from codex_kb import language
from codex_kb.acts import Act, branch_for, message, perform, writing
from codex_kb.disk.serialise import packet_to_json
from codex_kb.disk.transaction import change
from codex_kb.errors import Conflict, ModelError, UsageError
from codex_kb.index import opened as indexes
from codex_kb.kb import KnowledgeBase
from codex_kb.language.paid import Asker, Spent
from codex_kb.layout import packet_path, record_path
from codex_kb.propose import prompts, replies
from codex_kb.propose.background import Background
from codex_kb.propose.prompts import Known
from codex_kb.propose.team import Team, total
from codex_kb.records import Packet, Plan, Proposal, Source, Turn
from codex_kb.review import debate, packet, reading
from codex_kb.review.waiting import full_id
from codex_kb.run.local import in_order
from codex_kb.text.markdown_file import parse

_KNOWN = 5
#: What of the source each side reads around the quotes, in characters.
_EXCERPT = 6_000
#: Tokens of a question and of its answer, about.
_TURN_TOKENS, _POINT_TOKENS = 2500, 200


@dataclass
class Debated:
    """What debates came to: the proposals with their transcripts, and the ids of those that a model failed on."""

    argued: list[Proposal] = field(default_factory=list)
    failed: list[tuple[str, ModelError]] = field(default_factory=list)
    #: What ended the run before its end: a service that failed, a budget that is spent.
    stopped: ModelError | None = None


@dataclass(frozen=True)
class _Argued:
    """Turns about a proposal, and what they took."""

    turns: tuple[Turn, ...]
    spent: Spent
    model: str


class Debates:
    """Runs debates with the models of a team, within its budget; several at a time."""

    def __init__(self, kb: KnowledgeBase, team: Team) -> None:
        self._kb = kb
        self._team = team
        self._background = Background(kb, indexes.load(kb), ())
        self._stopping = False

    def of(self, beginnings: Iterable[str]) -> Debated:
        """Debate the proposals whose ids begin like these.

        Raises:
            NotFound: no such proposal waits.
            UsageError: the model is not one that can argue.
        """
        waiting = self._waiting()
        return self._run(list(dict.fromkeys(full_id(beginning, waiting) for beginning in beginnings)), waiting)

    def of_sources(self, paths: Iterable[str]) -> Debated:
        """Debate what waits from these sources, where a language model proposed it and nobody argued yet."""
        chosen = {path for path in paths if language.knows(self._team.model(self._kb.store.source(path)))}
        waiting = self._waiting()
        return self._run([
            found for found, packet_ in waiting.items()
            if packet_.source in chosen and _open(_proposal(packet_, found))
        ], waiting)  # fmt: skip

    def _waiting(self) -> dict[str, Packet]:
        return {p.id: each for each in self._kb.store.packets() for p in each.proposals}

    def _run(self, ids: Sequence[str], waiting: Mapping[str, Packet]) -> Debated:
        """Ask several at a time, write one after the other; a failure costs its proposal only."""
        done = Debated()
        self._team.ready()
        sources = {path: self._kb.store.source(path) for path in {waiting[each].source for each in ids}}
        for source in sources.values():
            self._model(source)

        def work(proposal_id: str) -> _Argued:
            packet_ = waiting[proposal_id]
            return self._argue(_proposal(packet_, proposal_id), sources[packet_.source])

        debates = in_order(work, ids, self._team.at_once)
        try:
            for number, (proposal_id, argued) in enumerate(debates):
                self._kb.progress("debating", number, len(ids))
                packet_ = waiting[proposal_id]
                self._take(done, packet_.name, proposal_id, argued, sources[packet_.source])
                if done.stopped:
                    break
        except KeyboardInterrupt:
            self._stopping = True
            with language.last_answers():
                debates.close()
            raise
        finally:
            self._stopping = True
            debates.close()
        self._kb.progress("debating", len(ids), len(ids))
        return done

    def _take(self, done: Debated, name: str, proposal_id: str, argued: Callable[[], _Argued], source: Source) -> None:
        """Write one debate into the packet of that name, or keep why there is none."""
        try:
            result = argued()
        except ModelError as error:
            if error.final:
                done.stopped = error
            else:
                done.failed.append((proposal_id, error))
            return
        with writing(self._kb, "debate"):
            now = self._kb.store.packet(name)
            if now is None or proposal_id not in {p.id for p in now.proposals}:
                raise Conflict(f"{proposal_id} was decided meanwhile", path=packet_path(name), hint="codex proposals")
            written = dataclasses.replace(_proposal(now, proposal_id), debate=result.turns)
            self._write(now, written, source, result)
        done.argued.append(written)

    def _model(self, source: Source) -> Asker:
        """What asks the model that argues about this source's proposals."""
        name = self._team.model(source)
        if not language.knows(name):
            raise no_language_model()
        return self._team.answers(name)

    def _argue(self, proposal: Proposal, source: Source) -> _Argued:
        answers = self._model(source)
        known = self._background.known(proposal.title, _KNOWN)
        places = [(source.path, source.body), *((each.path, self._shown(each)) for each in known)]
        excerpt = _around(source, proposal)
        quotes = [evidence.quote for evidence in proposal.evidence]
        turns: list[Turn] = []
        spent = Spent()
        while side := debate.next_side(turns):
            if self._stopping:
                raise ModelError("unavailable", "the debate was stopped")
            asked = prompts.debate_turn(side, proposal.title, quotes, excerpt, known, turns)
            text = answers.ask(asked, prompts.tokens(asked.system + asked.user), spent)
            try:
                point, quote = replies.point(text)
            except ValueError as error:
                raise ModelError("invalid", f"the answer cannot be read: {error}") from error
            turns.append(debate.judge_point(side, point, quote, places))
        return _Argued(tuple(turns), spent, answers.model.name)

    def _shown(self, claim: Known) -> str:
        """What may be quoted of a claim."""
        return "\n\n".join([claim.title, claim.description, self._kb.store.claim(claim.path).body])

    def _write(self, waiting: Packet, argued: Proposal, source: Source, result: _Argued) -> None:
        """The record and the packet with the transcript; the rest of the packet stays as it was edited."""
        text = self._kb.store.packet_text(waiting)
        written = dataclasses.replace(
            waiting, proposals=tuple(argued if p.id == argued.id else p for p in waiting.proposals),
            report=(*waiting.report, f"debate about {argued.id}, {result.model}: {result.spent}"),
        )  # fmt: skip
        file = parse(self._kb.store.read_bytes(waiting.source), waiting.source)
        place = packet.Placer(source, file.body_line)
        changes = [change(self._kb.layout.root, record_path(waiting.name), packet_to_json(written))]
        if text is not None:
            told = packet.retold(_with(text, argued, place), written)
            changes.append(change(self._kb.layout.root, packet_path(waiting.name), told.encode()))
        turns = len(argued.debate)
        perform(self._kb, Act(tuple(changes), message(
            self._kb.settings.git,
            f"{waiting.proposer}: debate about {waiting.name}",
            f"What: {turns} points about the proposal {argued.id}.\nWhy: the reviewer may judge by both sides.",
            {"Source": waiting.source, "Proposed-by": waiting.proposer},
        ), branch_for(self._kb.settings.git, waiting.name)))  # fmt: skip


def no_language_model() -> UsageError:
    """Nobody is there who could argue."""
    return UsageError("a debate needs a language model", hint=f"--model M, or [propose] model: {language.forms()}")


def _with(text: str, argued: Proposal, place: packet.Placer) -> str:
    """The packet's text with the debate at the end of its proposal's section, in place of an earlier one."""
    parsed = reading.parse(text)
    sections = [
        packet.with_debate(section.text, argued, place) if section.id == argued.id else section.text
        for section in parsed.sections
    ]
    return reading.join(parsed, sections)


def _around(source: Source, proposal: Proposal) -> str:
    """The part of the source around the proposal's quotes."""
    first = min((e.start for e in proposal.evidence), default=0)
    start = max(0, first - _EXCERPT // 2)
    return source.body[start : start + _EXCERPT]


def _open(proposal: Proposal) -> bool:
    """Has nobody argued about it yet, and is it of the packet's own source?"""
    return not (proposal.debate or proposal.repeat_of)


def _proposal(waiting: Packet, proposal_id: str) -> Proposal:
    return next(p for p in waiting.proposals if p.id == proposal_id)


def of_sources(kb: KnowledgeBase, team: Team, paths: Sequence[str]) -> Debated:
    """Debate what a language model proposed from these sources and nobody argued about, within the team's budget."""
    return Debates(kb, team).of_sources(paths) if paths else Debated()


def plan(kb: KnowledgeBase, team: Team, paths: Sequence[str], proposals: int) -> Plan:
    """What debates about so many proposals of each of these sources would take at most."""
    return total(_plan(team, kb.store.source(path), proposals) for path in paths)


def _plan(team: Team, source: Source, proposals: int) -> Plan:
    """What debates about so many proposals of a source would take at most."""
    model = team.model(source)
    if not language.knows(model):
        return Plan()
    calls = debate.ROUNDS * proposals
    tokens, answered = calls * _TURN_TOKENS, calls * _POINT_TOKENS
    return Plan(calls, tokens, answered, team.answers(model).price(tokens, answered))
