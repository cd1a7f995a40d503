"""`codex ingest`: read sources, propose claims from each, write packets, set `processing`, commit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from codex_kb import language, sources
from codex_kb.acts import perform, writing
from codex_kb.apply import proposed
from codex_kb.disk import candidates as records
from codex_kb.disk.transaction import Change
from codex_kb.errors import CodexError, Conflict, ModelError, NotFound, RefusedFile, ServiceError
from codex_kb.index import opened as indexes
from codex_kb.kb import KnowledgeBase
from codex_kb.language.paid import Spent
from codex_kb.layout import is_packet
from codex_kb.learn import candidates, worth
from codex_kb.learn.candidates import Candidate, Candidates
from codex_kb.learn.worth import Seen
from codex_kb.ports import Proposer
from codex_kb.propose import alone, drafts, mixing
from codex_kb.propose.again import Asked
from codex_kb.propose.alone import Alone
from codex_kb.propose.background import Background
from codex_kb.propose.team import Proposers, Team, total
from codex_kb.records import Draft, Drafted, Packet, Plan, Problem, Proposal, Source
from codex_kb.run.local import in_order
from codex_kb.text import ground, lifecycle, markdown_file
from codex_kb.text.fields import PROCESSING
from codex_kb.text.lifecycle import Row


@dataclass
class Ingested:
    """What a run of ingest did: one row a file, and what was held back."""

    rows: list[Row] = field(default_factory=list)
    held: int = 0
    conflict: CodexError | None = None
    #: What ended the run before its end: a service that failed, a budget that is spent.
    stopped: CodexError | None = None
    #: What is wrong in the frontmatter of the sources proposed from; the first of each.
    faults: list[Problem] = field(default_factory=list)
    spent: Spent = field(default_factory=Spent)
    plan: Plan | None = None

    @property
    def proposals(self) -> int:
        """How many proposals were written (or, in a dry run, none)."""
        return sum(row.claims for row in self.rows)

    @property
    def told(self) -> list[Row]:
        """The rows that a person is told of: packets that are skipped go without saying, unless they alone are here."""
        return [row for row in self.rows if row.status != "skipped" or not is_packet(row.path)] or self.rows

    @property
    def refused(self) -> list[Row]:
        """The rows of the files that were refused."""
        return [row for row in self.rows if row.status == "refused"]


@dataclass(frozen=True)
class _Work:
    """A source that was proposed from: its bytes, what it says, who proposed, and what."""

    data: bytes
    source: Source
    proposer: Proposer
    drafted: Drafted


class Ingest:
    """One run over some paths."""

    def __init__(
        self, kb: KnowledgeBase, model: str | None, max_claims: int | None, again: bool, jobs: int | None = None,
        budget: float | None = None, dry_run: bool = False,
    ) -> None:  # fmt: skip
        self.kb = kb
        self.team = Team(kb, model or "", jobs or kb.settings.propose.jobs,
                         kb.settings.propose.budget if budget is None else budget, again, keyless=dry_run)  # fmt: skip
        self.max_claims = max_claims if max_claims is not None else kb.settings.ingest.max_claims
        self.again = again
        self.dry_run = dry_run
        self._status_field = kb.settings.fields.get("status", "status")
        self.result = Ingested()

    def run(self, named: Sequence[str], limit: int | None = None, base: Path = Path()) -> Ingested:
        """Work through every source that these names mean, seen from a folder; propose from at most `limit`."""
        found = sources.find(self.kb.store, named, base)
        if self.dry_run:
            packets = self.kb.store.packets()
            chosen = self._select(found, limit, packets)
            self.result.plan = self._plan(chosen, packets) if chosen and self.team.asks else Plan()
            return self.result
        with writing(self.kb, "ingest"):
            packets = self.kb.store.packets()
            chosen = self._select(found, limit, packets)
            if chosen:
                _Proposing(self, packets).run(chosen)
        return self.result

    def _select(
        self, found: Iterable[tuple[str, RefusedFile | None]], limit: int | None, packets: Sequence[Packet]
    ) -> list[str]:
        """List every file once; the paths of the sources to work on."""
        waiting = {p.source for p in packets}
        queue = _Queue(limit)
        for path, refused in found:
            row = _refused(path, refused) if refused else self._look(path, waiting, queue)
            self.result.rows.append(row)
        chosen = queue.first()
        kept = set(chosen)
        for at, row in enumerate(self.result.rows):
            if row.status == "proposed" and row.path not in kept:
                self.result.rows[at] = Row(row.path, "skipped", reason=f"beyond --limit {limit}")
        self.result.faults = [fault for fault in self.result.faults if fault.path in kept]
        return chosen

    def _look(self, path: str, waiting: set[str], queue: _Queue) -> Row:
        try:
            if self.kb.layout.path(path).is_symlink():
                self.kb.store.read_bytes(path)  # refused where it leads nowhere, or round in a circle
                target = self.kb.layout.path(path).resolve()
                return Row(path, "skipped", reason=f"a link to {self.kb.layout.relative(target)}")
            data = self.kb.store.read_bytes(path)
            source = self.kb.store.as_source(markdown_file.parse(data, path), path)
            status, reason = lifecycle.verdict(source.fields, path in waiting, self.again)
            if is_packet(path) and status != "skipped":
                return Row(path, "skipped", reason="it stands among the packets: move it to have it read")
            queue.add(source, status == "proposed")
            if status == "proposed":  # said before a model is asked, not after
                markdown_file.set_fields(data, {self._status_field: PROCESSING}, path)
                self.result.faults += source.problems[:1]
        except (RefusedFile, NotFound) as error:
            return _refused(path, error)
        return Row(path, status, reason=reason)

    def _plan(self, chosen: Sequence[str], packets: Sequence[Packet]) -> Plan:
        """What a run over these sources would ask, and cost."""
        known = _Proposing(self, packets)
        found = [self.kb.store.source(path) for path in chosen]
        return total(known.proposers.of(source).plan(source, known.most(source)) for source in found)


class _Queue:
    """The sources of a run that wait, and those that are done and say which of them to read first."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._paths: list[str] = []
        self._waiting: list[Seen] = []
        self._done: list[tuple[Seen, bool]] = []

    def add(self, source: Source, waits: bool) -> None:
        """A source that was looked at."""
        if waits:
            self._paths.append(source.path)
        if self._limit is None:
            return
        nothing = worth.gave_nothing(source.status)
        if waits:
            self._waiting.append(worth.see(source.fields, source.body))
        elif nothing is not None:
            self._done.append((worth.see(source.fields, source.body), nothing))

    def first(self) -> list[str]:
        """Those within the limit: where some must wait, those that are least likely to give nothing."""
        if self._limit is None or len(self._paths) <= self._limit:
            return self._paths
        chances = worth.nothing(self._done, self._waiting)
        order = range(len(self._paths)) if chances is None else np.argsort(chances, kind="stable")
        return [self._paths[at] for at in order[: self._limit]]


class _Proposing:
    """What is looked up once for all sources of a run, and the work on each."""

    def __init__(self, run: Ingest, packets: Sequence[Packet]) -> None:
        run.team.ready()
        self.kb = run.kb
        self.team = run.team
        self.max_claims = run.max_claims
        self.result = run.result
        self.generation = run.kb.generation
        self.claims = indexes.load(run.kb)
        decisions = run.kb.store.decisions()[0]
        self.history = drafts.History(decisions)
        self.asked = Asked(decisions, packets)
        many = run.kb.settings.review.alone if run.team.preference.begun else 0
        self.alone = Alone(many, self.generation, decisions, packets)
        self.proposers = Proposers(run.team, Background(run.kb, self.claims, decisions))
        self.packets = {p.source: p for p in packets}
        self.kept = records.kept(run.kb.layout.root)
        self.names = run.kb.store.names(packets)

    def most(self, source: Source) -> int:
        """So many drafts, since some may have been decided before."""
        return self.max_claims + len(self.history.of(source.path))

    def run(self, chosen: Sequence[str]) -> None:
        """Propose from each of these sources; what became of it is its row."""
        rows = {row.path: number for number, row in enumerate(self.result.rows)}
        working = in_order(self._drafts, chosen, self.team.at_once)
        try:
            for number, (path, drafted) in enumerate(working):
                self.kb.progress("proposing", number, len(chosen))
                self.result.rows[rows[path]] = self._try(path, drafted)
                if self.result.stopped:
                    for later in chosen[number + 1 :]:
                        self.result.rows[rows[later]] = Row(later, "skipped", reason=self.result.stopped.message)
                    break
        except KeyboardInterrupt:
            with language.last_answers():
                self.proposers.close()
                working.close()
            raise
        finally:
            self.proposers.close()
            working.close()
            self.result.spent = self.team.spent
        self.kb.progress("proposing", len(chosen), len(chosen))

    def _try(self, path: str, drafted: Callable[[], _Work]) -> Row:
        """What became of one source; what goes wrong with it is its own row."""
        try:
            return self._source(drafted())
        except Conflict as error:
            self.result.conflict = error
            return _refused(path, error)
        except ServiceError as error:
            if not isinstance(error, ModelError) or error.final:
                self.result.stopped = error
                return Row(path, "skipped", reason=error.message, hint=error.hint)
            return _refused(path, error)
        except RefusedFile as error:
            return _refused(path, error)

    def _drafts(self, path: str) -> _Work:
        data = self.kb.store.read_bytes(path)
        file = markdown_file.parse(data, path)
        source = self.kb.store.as_source(file, path)
        proposer = self.proposers.of(source)
        return _Work(data, source, proposer, proposer.propose(source, self.most(source)))

    def _source(self, work: _Work) -> Row:
        source, path, proposer = work.source, work.source.path, work.proposer
        proposals, held, left = self._proposals(work)
        self.result.held += len(held)
        before = self.packets.get(path)
        if before is not None and before.later:
            return Row(path, "unchanged", reason="waits to be read without proposals")
        if before is not None and not self._adds(before, proposals):
            return Row(path, "unchanged", reason="nothing new beside what waits")
        name = self.names.of(path)
        written = Packet(name, path, source.body_sha256, proposer.name, self.generation, tuple(proposals),
                         tuple(held), report=work.drafted.report, model=proposer.model,
                         proposed=self.kb.now())  # fmt: skip
        if self.alone.takes(path, bool(proposals), before is not None or bool(self.history.of(path))):
            written = alone.first(written)
        changes = (*proposed.changes(self.kb, written, before, source, work.data),
                   *self._candidates(work, name, left))  # fmt: skip
        perform(self.kb, proposed.act(self.kb, changes, written, source, proposer.name,
                                      "the source was unprocessed"))  # fmt: skip
        self.packets[path] = written
        return Row(path, "proposed", claims=len(proposals))

    def _proposals(self, work: _Work) -> tuple[list[Proposal], list[tuple[str, str]], list[Draft]]:
        """At most `max_claims` new proposals beside their nearest claims, what was held back, and what is not shown."""
        new, held = self.history.split(work.source, work.drafted.drafts)
        chosen = drafts.ranked(self._beside(work, new[: self.max_claims]))
        if not self.team.preference.begun:
            return mixing.mixed(chosen, (), (), 0), held, []
        settings = self.kb.settings.review
        left, _ = self.history.split(work.source, [*new[self.max_claims :], *work.drafted.left])
        count = mixing.explored(len(left), len(chosen), settings.explore)
        at = mixing.sample([draft.title for draft in left], count)
        others = [
            dataclasses.replace(each, explored=True, chance=count / len(left))
            for each in self._beside(work, [left[row] for row in at])
        ]
        kept = [draft for row, draft in enumerate(left) if row not in {*at}]
        return mixing.mixed(chosen, others, self._repeats(work.source, chosen), settings.blind), held, kept

    def _repeats(self, source: Source, chosen: Sequence[Proposal]) -> list[Proposal]:
        """Old decisions about other sources, to be asked for again, beside what is near but their own claims."""
        if source.path in self.packets:  # it has its own already
            return []
        found = []
        for decision, each in self.asked.beside(chosen, source.path, self.kb.settings.review.repeat):
            body = self.kb.store.quoted(each.source)[0]
            if any(ground.placed(evidence, body) is None for evidence in each.evidence):
                continue
            (hits,) = self.claims.nearest_titles(self.kb.encoder.encode([each.title]), drafts.NEAREST + 1)
            near = tuple(hit for hit in hits if hit.path != decision.claim)[: drafts.NEAREST]
            hint = drafts.relation(near, drafts.alike(self.kb.encoder, each.title, near))
            found.append(dataclasses.replace(each, nearest=near, relation=hint, generation=self.generation))
        return found

    def _candidates(self, work: _Work, name: str, left: Sequence[Draft]) -> list[Change]:
        """What is not shown, for who measures. Nothing does before a first generation, or where none are told."""
        if not left:
            return []
        source = work.source
        kept = tuple(Candidate(drafts.candidate_id(source, each), each.features) for each in left[: candidates.MOST])
        found = Candidates(source.path, source.body_sha256, self.generation, len(left), kept)
        return records.changes(self.kb.layout.root, self.kept.get(name, ()), name, found)

    def _beside(self, work: _Work, found: Sequence[Draft]) -> list[Proposal]:
        """Drafts as proposals beside their nearest claims, each once, with what its proposer was told."""
        told = self.team.told(work.source)
        made = proposed.beside(self.kb, self.claims, work.source, found, work.proposer.name, self.generation)
        return [dataclasses.replace(each, trial=work.drafted.trial, instructions=told.half, tried=told.trial)
                for each in made]  # fmt: skip

    @staticmethod
    def _adds(before: Packet, proposals: Sequence[Proposal]) -> bool:
        return bool({p.id for p in proposals} - {p.id for p in before.proposals})


def _refused(path: str, error: CodexError) -> Row:
    return Row(error.path or path, "refused", reason=error.message, line=error.line, hint=error.hint)
