"""`codex ingest`: read sources, propose claims from each, write packets, set `processing`, commit."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from codex_kb import engine as engines
from codex_kb import language, sources
from codex_kb.acts import writing
from codex_kb.apply import proposed
from codex_kb.apply.batch import Part, write
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
from codex_kb.propose import afar, alone, drafts, mixing
from codex_kb.propose.again import Asked
from codex_kb.propose.alone import Alone
from codex_kb.propose.background import Background
from codex_kb.propose.step import Worked, draft
from codex_kb.propose.team import Proposers, Team, total
from codex_kb.records import Draft, Packet, Plan, Problem, Proposal, Source
from codex_kb.run.cluster import Cluster
from codex_kb.run.local import in_order
from codex_kb.text import ground, lifecycle, markdown_file
from codex_kb.text.fields import PROCESSING
from codex_kb.text.lifecycle import Row

#: Sources that an engine's run commits at a time, where `[git] batch` does not say.
_BATCH = 50


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


class Ingest:
    """One run over some paths."""

    def __init__(
        self, kb: KnowledgeBase, model: str | None, max_claims: int | None, again: bool, jobs: int | None = None,
        budget: float | None = None, dry_run: bool = False, engine: str | None = None,
    ) -> None:  # fmt: skip
        """What is None is as the settings have it; `engine` is who proposes, `local` this process.

        Raises:
            UsageError: there is no such model or engine.
        """
        self.kb = kb
        self.engine = engine if engine is None else engines.named(kb, engine)
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
                with engines.opened(self.kb, self.engine) as cluster:
                    _Proposing(self, packets).run(chosen, cluster)
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
        return total(known.proposers.of(source).plan(source, known.most(source.path)) for source in found)


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
    """What is looked up once for all sources of a run, the work on each, and what waits to be written."""

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
        self.rows = {row.path: number for number, row in enumerate(self.result.rows)}
        self.parts: list[Part] = []
        self.failed = 0
        self.began = time.monotonic()

    def most(self, path: str) -> int:
        """So many drafts, since some may have been decided before."""
        return self.max_claims + len(self.history.of(path))

    def run(self, chosen: Sequence[str], cluster: Cluster | None) -> None:
        """Propose from each of these sources, here or on a cluster; what became of it is its row."""
        batch = self.kb.settings.git.batch or (_BATCH if cluster else 1)
        working = self._working(chosen, cluster)
        try:
            for number, (path, worked) in enumerate(working):
                self.kb.progress("proposing", number, len(chosen), self._note(number))
                self._try(path, worked)
                if len(self.parts) >= batch:
                    self._write()
                if self.result.stopped:
                    for later in chosen[number + 1 :]:
                        self._is(later, Row(later, "skipped", reason=self.result.stopped.message))
                    break
        except KeyboardInterrupt:
            with language.last_answers():
                self.proposers.close()
                working.close()
            self._write()
            raise
        finally:
            self.proposers.close()
            working.close()
            self.result.spent = self.team.spent
        self._write()
        self.kb.progress("proposing", len(chosen), len(chosen), self._note(len(chosen)))

    def _working(
        self, chosen: Sequence[str], cluster: Cluster | None
    ) -> Generator[tuple[str, Callable[[], Worked]], None, None]:  # fmt: skip
        """Each source with what gives its drafts, in their order."""
        read, store = self.kb.store.read_bytes, self.kb.store
        if cluster is None:
            return in_order(lambda path: draft(store, self.proposers, path, read(path), self.most(path)), chosen,
                            self.team.at_once)  # fmt: skip
        files = self.kb.settings.run.files
        return cluster.in_order(
            afar.proposing, afar.told(self.kb, self.team), chosen,
            lambda path: afar.task(path, read(path), self.most(path), files),
            afar.answering(self.team) if self.team.asks else None, self.team.at_once,
        )  # fmt: skip

    def _note(self, done: int) -> str:
        """How it goes: how fast, at what cost, what failed."""
        minutes = (time.monotonic() - self.began) / 60
        spent = self.team.spent
        cost = f"${spent.cost:.2f}" if spent.priced else "of unknown price"
        notes = [f"{done / minutes:.0f} a minute" if done else "", cost if spent.asked else "",
                 f"{self.failed} failed" if self.failed else ""]  # fmt: skip
        return ", ".join(filter(None, notes))

    def _is(self, path: str, row: Row) -> None:
        """What became of a source; a fault's row may name another file, where the fault is."""
        self.result.rows[self.rows[path]] = row

    def _try(self, path: str, worked: Callable[[], Worked]) -> None:
        """Work on one source; what goes wrong with it is its own row."""
        try:
            self._is(path, self._source(worked()))
        except (Conflict, ServiceError, RefusedFile) as error:
            self._fails(path, error)

    def _fails(self, path: str, error: CodexError) -> None:
        self.failed += 1
        row = _refused(path, error)
        if isinstance(error, Conflict):
            self.result.conflict = error
        elif isinstance(error, ServiceError) and (not isinstance(error, ModelError) or error.final):
            self.result.stopped = error
            row = Row(path, "skipped", reason=error.message, hint=error.hint)
        self._is(path, row)

    def _write(self) -> None:
        """Write what waits as one."""
        parts, self.parts = self.parts, []
        for path, error in write(self.kb, parts).items():
            self._fails(path, error)

    def _source(self, work: Worked) -> Row:
        source, path = work.source, work.source.path
        proposals, held, left = self._proposals(work)
        self.result.held += len(held)
        before = self.packets.get(path)
        if before is not None and before.later:
            return Row(path, "unchanged", reason="waits to be read without proposals")
        if before is not None and not self._adds(before, proposals):
            return Row(path, "unchanged", reason="nothing new beside what waits")
        name = self.names.of(path)
        written = Packet(name, path, source.body_sha256, work.proposer, self.generation, tuple(proposals),
                         tuple(held), report=work.drafted.report, model=work.model,
                         proposed=self.kb.now())  # fmt: skip
        if self.alone.takes(path, bool(proposals), before is not None or bool(self.history.of(path))):
            written = alone.first(written)
        changes = (*proposed.changes(self.kb, written, before, source, work.data),
                   *self._candidates(work, name, left))  # fmt: skip
        act = proposed.act(self.kb, changes, written, source, work.proposer, "the source was unprocessed")
        if self.parts and self.parts[0].act.branch != act.branch:
            self._write()
        self.parts.append(Part(written, act))
        self.packets[path] = written
        return Row(path, "proposed", claims=len(proposals))

    def _proposals(self, work: Worked) -> tuple[list[Proposal], list[tuple[str, str]], list[Draft]]:
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

    def _candidates(self, work: Worked, name: str, left: Sequence[Draft]) -> list[Change]:
        """What is not shown, for who measures. Nothing does before a first generation, or where none are told."""
        if not left:
            return []
        source = work.source
        kept = tuple(Candidate(drafts.candidate_id(source, each), each.features) for each in left[: candidates.MOST])
        found = Candidates(source.path, source.body_sha256, self.generation, len(left), kept)
        return records.changes(self.kb.layout.root, self.kept.get(name, ()), name, found)

    def _beside(self, work: Worked, found: Sequence[Draft]) -> list[Proposal]:
        """Drafts as proposals beside their nearest claims, each once, with what its proposer was told."""
        told = self.team.told(work.source)
        made = proposed.beside(self.kb, self.claims, work.source, found, work.proposer, self.generation)
        return [dataclasses.replace(each, trial=work.drafted.trial, instructions=told.half, tried=told.trial)
                for each in made]  # fmt: skip

    @staticmethod
    def _adds(before: Packet, proposals: Sequence[Proposal]) -> bool:
        return bool({p.id for p in proposals} - {p.id for p in before.proposals})


def _refused(path: str, error: CodexError) -> Row:
    return Row(error.path or path, "refused", reason=error.message, line=error.line, hint=error.hint)
