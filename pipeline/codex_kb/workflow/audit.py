"""`codex audit`: what the generations miss, with intervals; who decided; whether proposals drift. Writes nothing."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from codex_kb.apply import log
from codex_kb.disk import pages
from codex_kb.disk.generations import Generations
from codex_kb.errors import NotFound, RefusedFile
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import GENERATIONS
from codex_kb.learn import audit as learned
from codex_kb.learn import course, drift, effort, examples, guarantee, orders, reviewers, triage, trial
from codex_kb.learn.audit import Before, Estimate, Figures, Judged
from codex_kb.learn.drift import Drift
from codex_kb.learn.effort import Effort
from codex_kb.learn.generation import Generation
from codex_kb.learn.guarantee import Certified, Guarantee, Sample
from codex_kb.learn.limits import Floats
from codex_kb.learn.orders import BesideGeneral
from codex_kb.learn.reviewers import People
from codex_kb.learn.trial import Record
from codex_kb.propose import drafts
from codex_kb.records import Decision, Proposal
from codex_kb.review.standing import WITHDRAWN, counting, quotes_of, standing
from codex_kb.text.marks import counted

#: Triage is spoken of for this share of approvals that it may miss.
_ALPHA = 0.05
_NO_DOMAIN = "no domain"


@dataclass(frozen=True)
class Drifted:
    """How far titles of proposals, and of those approved, lie from those of the generation before, and how much higher
    the rate of approval is."""

    proposals: Drift | None
    approvals: Drift | None
    answers: float | None


@dataclass(frozen=True)
class Account:
    """One generation, "" the untaught order: what its own decisions say, all and by domain.

    `before` is the number of the generation that it comes from, `beside` its gain over that one on decisions that
    neither was trained on, `gate` the record of its own trial, `reliability` chances beside what came of them,
    `certified` what may be said of it at its last look, `specialists` its specialists by name.
    """

    number: int
    name: str
    parents: tuple[str, ...]
    trained_on: int
    figures: Figures
    domains: Mapping[str, Figures]
    gate: Record
    reliability: tuple[tuple[float, Estimate], ...]
    certified: Certified
    beside: Estimate
    before: int | None = None
    drift: Drifted | None = None
    specialists: Mapping[str, BesideGeneral] = field(default_factory=dict)


@dataclass(frozen=True)
class Triage:
    """May what is almost surely rejected be set aside? `needed` approvals are missing, `why` says what forbids it."""

    allowed: bool
    approvals: int
    needed: int
    why: str


@dataclass(frozen=True)
class Audit:
    """Everything: `generation` is the newest number, `in_force` the one in force, `decisions` those that stand.

    `on_trial` is the number of the one that is tried beside it, 0 for none; `effort` says what people find alone and
    with proposals; `waits` whether anything waits for review.
    """

    generation: int
    in_force: int
    on_trial: int
    decisions: int
    accounts: tuple[Account, ...]
    guarantee: Guarantee
    people: People
    triage: Triage
    gate: Record
    effort: Effort
    waits: bool


def audit(kb: KnowledgeBase) -> Audit:
    """Look at every generation and decision.

    Raises:
        RefusedFile: a generation's files hold none or are gone, or a packet's record cannot be read.
    """
    found = _Gathered(kb)
    accounts = tuple(_account(found, name, g) for g, name in enumerate(("", *found.generations), 1))
    now = next((each for each in accounts if each.name == found.course.in_force), None)
    if now is None:
        raise RefusedFile("the generation in force is not there", path=f"{GENERATIONS}/{found.course.in_force}",
                          hint="git checkout it; or codex distill --rollback 0")  # fmt: skip
    record = trial.record(each for each in found.decisions if each.time > found.course.since)
    return Audit(
        accounts[-1].number, now.number, course.number(found.course.trial), len(found.decisions), accounts,
        _guarantee(found, now, accounts), reviewers.of(found.counting, found.domains), _triage(found, now), record,
        _effort(found), found.waits,
    )  # fmt: skip


def write(kb: KnowledgeBase, named: Path, made: bytes, page: bytes) -> None:
    """Write an audit's page, which may replace an earlier one; raises as `pages.write` does."""
    pages.write(kb.layout, named, made, page)


class _Gathered:
    """Everything that is looked at, read once; decisions by the name of the generation that showed them."""

    def __init__(self, kb: KnowledgeBase) -> None:
        known = Generations(kb.layout.root)
        self.generations = known.all
        self.course = known.course
        self.lessons = {"": set[str](), **{name: known.lessons(name) for name in known.all}}
        self._kb = kb
        review = kb.settings.review
        self.off = tuple(name for name in ("blind", "explore") if not getattr(review, name))
        self.alone = review.alone
        self.agents = kb.settings.agent_of
        recorded = log.everything(kb)
        self.lines = [each for each in recorded if each.verdict != WITHDRAWN]
        self.counting = [each for lines in counting(recorded).values() for each in lines]
        self.decisions = [each for each in standing(recorded).values() if not each.shown.get("repeat_of")]
        packets = list(kb.store.packets())
        waiting = [each for packet in packets for each in packet.proposals if not each.repeat_of]
        self._waiting = {each.source for each in waiting} | {packet.source for packet in packets if packet.later}
        in_force = {course.number(each.generation): each.generation for each in known.events
                    if each.kind != course.CLOSED and each.generation}  # fmt: skip
        self._shown: dict[str, list[Decision | Proposal]] = defaultdict(list)
        self._own: dict[str, list[Decision]] = defaultdict(list)
        shown: list[Decision | Proposal] = [*self.lines, *waiting]
        for each in shown:
            for name in learned.owners(each, in_force):
                self._shown[name].append(each)
        for decision in self.decisions:
            for name in learned.owners(decision, in_force):
                if examples.key(decision) not in self.lessons.get(name, ()):
                    self._own[name].append(decision)

    def own(self, name: str) -> list[Decision]:
        """The decisions about what a generation showed, none of which it was trained on, in order of time."""
        return self._own[name]

    def unknown(self, *names: str) -> list[Decision]:
        """The decisions about proposals that none of these generations was trained on."""
        known = set().union(*(self.lessons[name] for name in names))
        return [each for each in self.decisions if not each.missed and examples.key(each) not in known]

    def added(self, name: str) -> list[Decision]:
        """The claims that people added to what a generation showed."""
        return [each for each in self.own(name) if each.missed]

    @cached_property
    def rows(self) -> dict[str, list[Judged]]:
        """Each generation's own decisions about proposals."""
        return {name: self._rows(name) for name in self.lessons}

    def _rows(self, name: str) -> list[Judged]:
        places = learned.places(name, (each for each in self._shown[name] if not _set_apart(each)))
        own = [each for each in self.own(name) if not each.missed]
        told = learned.told(own, self._before, name)
        return [Judged(each, self.domains[each.id], places.get(each.id), told.get(each.id)) for each in own]

    @cached_property
    def _before(self) -> list[Before]:
        return learned.before(self.decisions)

    @property
    def waits(self) -> bool:
        """Does anything wait for review?"""
        return bool(self._waiting)

    def decided(self, source: str) -> bool:
        """Does nothing of a source wait?"""
        return source not in self._waiting

    @cached_property
    def domains(self) -> dict[str, str]:
        """The domain of each decision, by id: as it was proposed, else the source's."""
        proposed = {each.id: str(each.proposal.get("domain") or "") for each in self.lines}
        of_source = {each.source: "" for each in self.lines if not proposed[each.id]}
        for path in of_source:
            with contextlib.suppress(NotFound, RefusedFile):
                of_source[path] = self._kb.store.source(path).domain
        return {each.id: proposed[each.id] or of_source[each.source] or _NO_DOMAIN for each in self.lines}

    @cached_property
    def vectors(self) -> Mapping[str, Floats]:
        """The vectors of all titles; a model is loaded for them, where generations or claims are compared."""
        told = (each for each in self.counting if not each.shown.get("repeat_of"))
        titles = list(dict.fromkeys(map(examples.title, told)))
        return dict(zip(titles, self._kb.encoder.encode(titles).astype(float), strict=True)) if titles else {}

    def fits(self, generation: Generation | None) -> bool:
        """Was it made with the model that embeds now?"""
        return generation is None or generation.encoder == self._kb.encoder.name


def _set_apart(each: Decision | Proposal) -> bool:
    """Is this no proposal of the packet's order: a repeat, or a claim that a person added?"""
    return isinstance(each, Decision) and (each.missed or bool(each.shown.get("repeat_of")))


def _account(found: _Gathered, name: str, g: int) -> Account:
    """The account of the g-th generation, the untaught order being the first."""
    rows, added = found.rows[name], found.added(name)
    of_domain: dict[str, list[Judged]] = defaultdict(list)
    for row in rows:
        of_domain[row.domain].append(row)
    count = Counter(found.domains[each.id] for each in added)
    domains = {
        domain: learned.figures(of_domain.get(domain, []), count[domain]) for domain in sorted({*of_domain, *count})
    }
    generation = found.generations.get(name)
    record = trial.record(each for each in found.own(name) if name and each.shown.get("trial") == name)
    parents = generation.parents if generation else ()
    account = Account(
        course.number(name), name, parents, len(found.lessons[name]), learned.figures(rows, len(added)), domains,
        record, learned.reliability(rows), guarantee.of_proposed(guarantee.missed_blind(rows), g), Estimate(),
    )  # fmt: skip
    return _compared(found, account, generation) if generation else account


def _compared(found: _Gathered, account: Account, generation: Generation) -> Account:
    """The account beside the generation that it comes from: the last of its parents."""
    parent = generation.parents[-1] if generation.parents else ""
    before = found.generations.get(parent)
    beside = Estimate()
    if (not parent or before) and found.fits(generation) and found.fits(before):
        unknown = found.unknown(generation.name, parent)
        beside = orders.beside_parent(generation, before, unknown, found.vectors if unknown else {})
    drifted = _drift(found, found.own(parent), found.own(generation.name))
    return replace(account, before=course.number(parent), beside=beside, drift=drifted,
                   specialists=_specialists(found, generation))  # fmt: skip


def _specialists(found: _Gathered, generation: Generation) -> dict[str, BesideGeneral]:
    """Its specialists beside its general order, on decisions that it was not trained on."""
    if not generation.specialists or not found.fits(generation):
        return {}
    unknown = found.unknown(generation.name)
    return orders.beside_general(generation, unknown, found.vectors if unknown else {}, found.agents)


def _drift(found: _Gathered, before: Sequence[Decision], after: Sequence[Decision]) -> Drifted:
    """How what one generation showed differs from what another did; what both showed stands with the second."""
    later = {each.id for each in after}
    sides = [[each for each in before if each.id not in later], list(after)]
    sides = [[each for each in side if examples.judges(each) and not each.missed] for side in sides]
    approved = [[each for each in side if each.verdict == "approved"] for side in sides]
    answers = None
    if all(sides):
        rates = [len(yes) / len(side) for yes, side in zip(approved, sides, strict=True)]
        answers = rates[1] - rates[0]
    return Drifted(_apart(found, *sides), _apart(found, *approved), answers)


def _apart(found: _Gathered, before: Sequence[Decision], after: Sequence[Decision]) -> Drift | None:
    if not before or not after:
        return None
    left, right = ([found.vectors[examples.title(each)] for each in side] for side in (before, after))
    return drift.drift(left, [each.source for each in before], right, [each.source for each in after])


def _guarantee(found: _Gathered, now: Account, accounts: Sequence[Account]) -> Guarantee:
    rows = found.rows[now.name]
    g = 1 + [each.name for each in accounts].index(now.name)
    limits = [each.certified.limit for each in accounts if each.certified.limit is not None]
    return Guarantee(
        now.number, now.certified, guarantee.of_sources(_samples(found, now.name, rows), g),
        sum(row.blind for row in rows), sum(not row.proposed for row in rows), found.off, _drift_in_words(now),
        guarantee.compounded(limits),
    )  # fmt: skip


def _samples(found: _Gathered, name: str, rows: Sequence[Judged]) -> list[Sample]:
    """A generation's own sources with sentences that were mixed in, by the time of their last decision."""
    of_source: dict[str, list[Judged]] = defaultdict(list)
    for row in rows:
        of_source[row.decision.source].append(row)
    added = Counter(each.source for each in found.added(name))
    whole = [some for source, some in of_source.items()
             if found.decided(source) and any(not row.proposed for row in some)]  # fmt: skip
    whole.sort(key=lambda some: (some[-1].decision.time, some[-1].decision.source))
    return [guarantee.sample(some, added[some[0].decision.source]) for some in whole]


def _effort(found: _Gathered) -> Effort:
    """What is found alone and with proposals, of the sources that are decided."""

    def same(one: Decision, other: Decision) -> bool:
        if (one.claim and one.claim == other.claim) or quotes_of(one) & quotes_of(other):
            return True
        vectors = [found.vectors[examples.title(each)] for each in (one, other)]
        return float(vectors[0] @ vectors[1]) >= drafts.DUPLICATE

    return effort.effort((each for each in found.counting if found.decided(each.source)), same, found.alone)


def _drift_in_words(now: Account) -> str:
    between = now.drift and now.drift.proposals
    if not between:
        return ""
    more = "more than chance" if between.drifted else "no more than chance"
    return f"proposals drifted by {between.distance:.3f} from generation {now.before}, {more}"


def _triage(found: _Gathered, now: Account) -> Triage:
    """Counted are approvals with a score, by whatever generation in whose lessons they were not yet."""
    judged = (each for each in found.decisions if examples.judges(each) and not each.missed)
    approvals = sum(each.verdict == "approved" and examples.SCORE in each.features for each in judged)
    needed = max(0, triage.needed(_ALPHA) - approvals)
    drifted = bool(now.drift and now.drift.proposals and now.drift.proposals.drifted)
    why = f"it takes {counted(needed, 'more approval')}" if needed else "proposals drifted" if drifted else ""
    return Triage(not why, approvals, needed, why)
