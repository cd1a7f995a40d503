"""`codex proposals`, `codex show` and `codex status`: where everything stands; nothing is written."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from codex_kb.apply.near import Nearby
from codex_kb.disk.generations import Generations
from codex_kb.disk.store import claim_evidence
from codex_kb.errors import CodexError, NotFound, RefusedFile, UsageError
from codex_kb.index import opened as indexes
from codex_kb.index.names import find_claim
from codex_kb.kb import KnowledgeBase
from codex_kb.learn import course
from codex_kb.records import Claim, Decision, Evidence, Hit, Packet, Proposal, Source
from codex_kb.review import reading
from codex_kb.review.blind import as_shown
from codex_kb.review.publish import approved_ids
from codex_kb.review.waiting import full_id
from codex_kb.text import ground
from codex_kb.text.fields import status_of

_CONTEXT_CHARS = 200
_PART, _LAST_PART = re.compile(r"\A\S+(?=\s)"), re.compile(r"(?<=\s)\S+\Z")  # of a word that is cut
_NEAREST = 5


@dataclass(frozen=True)
class Quote:
    """A quote with the text before and after it; `stands` says whether it is still in its source."""

    evidence: Evidence
    before: str
    after: str
    stands: bool


@dataclass(frozen=True)
class Shown:
    """A proposal, a claim or a source, with everything behind it.

    `held` are the claims that say nearly what the proposal says, by path, for which review has it wait.
    """

    proposal: Proposal | None = None
    claim: Claim | None = None
    source: Source | None = None
    packet: Packet | None = None
    quotes: tuple[Quote, ...] = ()
    nearest: tuple[Hit, ...] = ()
    held: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True)
class Status:
    """Counts of everything, and whether the index agrees with the claims."""

    sources: dict[str, int]
    proposals: int
    claims: int
    problems: int
    fresh: bool
    indexed: int
    generation: int
    #: The newest generation, and the one on trial; 0 for none.
    newest: int = 0
    on_trial: int = 0
    pinned: bool = False
    #: How many proposals were set aside unread.
    set_aside: int = 0
    #: What the settings want that the user did not grant.
    wants: tuple[str, ...] = ()
    unfinished: bool = False
    #: The first folder of sources.
    inbox: str = "inbox"
    waiting: list[str] = field(default_factory=list)
    #: When the oldest of what waits was proposed (UTC); empty where none waits, or nobody knows.
    oldest: str = ""
    #: How many decisions no generation was made from, and from how many on distill makes one.
    untaught: int = 0
    every: int = 0
    #: The time now (UTC).
    time: str = ""


def show(kb: KnowledgeBase, named: str) -> Shown:
    """A proposal by its id, a decided proposal by its id, a claim by path, stem or title, a source by path.

    Raises:
        NotFound: there is none.
        UsageError: the beginning of an id is that of several.
    """
    if os.path.lexists(named):
        with contextlib.suppress(UsageError):  # outside there is nothing to show, whatever is there
            named = kb.layout.relative(Path(named))
    decisions, _ = kb.store.decisions()
    waiting = {proposal.id: (packet, proposal) for packet in kb.store.packets() for proposal in packet.proposals}
    with contextlib.suppress(NotFound):
        packet, waits = waiting[full_id(named, waiting)]
        return _proposal(kb, packet, waits, decisions)
    decided = []
    with contextlib.suppress(NotFound):
        found = full_id(named, {d.id for d in decisions})
        decided = [d for d in decisions if d.id == found]
    claim = decided[-1].claim if decided else None
    if decided and not (claim and kb.layout.path(claim).exists()):
        return Shown(decisions=tuple(decided))
    with contextlib.closing(indexes.load(kb, announce=False)) as index:
        try:
            path = find_claim(kb, index.catalog, claim or named)
        except NotFound:
            return _source(kb, named, decisions)
        return _claim(kb, index, path, decisions)


def _proposal(kb: KnowledgeBase, packet: Packet, waits: Proposal, decisions: list[Decision]) -> Shown:
    """A proposal that waits, beside the claims that are nearest now; where no model may say, that were nearest once."""
    alone = dataclasses.replace(packet, proposals=(waits,))
    if not waits.blind:
        with contextlib.suppress(CodexError):
            alone = Nearby(kb).refreshed(alone)
    proposal = as_shown(alone.proposals[0])
    return Shown(proposal=proposal, packet=packet, quotes=_quotes(kb, proposal.evidence), nearest=proposal.nearest,
                 held=_held(kb, packet, waits.id),
                 decisions=tuple(d for d in decisions if d.id == waits.id))  # fmt: skip


def _held(kb: KnowledgeBase, packet: Packet, proposal_id: str) -> tuple[str, ...]:
    """The claims that a notice in the packet names, as far as they are there."""
    sections = reading.parse(kb.store.packet_text(packet) or "").sections
    named = {path for section in sections if section.id == proposal_id for path in section.noticed}
    return tuple(sorted(path for path in named if kb.layout.path(path).exists()))


def behind(kb: KnowledgeBase, paths: Sequence[str]) -> dict[str, Shown]:
    """Claims by path with their quotes and decisions, without what is near; those that are gone are left out."""
    decisions, _ = kb.store.decisions()
    found = {}
    for path in paths:
        with contextlib.suppress(NotFound, RefusedFile):
            found[path] = _with_quotes(kb, path, decisions)
    return found


def _claim(kb: KnowledgeBase, index: indexes.ClaimIndex, path: str, decisions: list[Decision]) -> Shown:
    row = index.catalog.by_path([path])[path].id
    near = index.nearest_titles(index.title[row : row + 1], _NEAREST + 1)[0]
    nearest = tuple(hit for hit in near if hit.path != path)[:_NEAREST]
    return dataclasses.replace(_with_quotes(kb, path, decisions), nearest=nearest)


def _with_quotes(kb: KnowledgeBase, path: str, decisions: list[Decision]) -> Shown:
    claim = kb.store.claim(path)
    about = {d.id for d in decisions if d.claim == path} | approved_ids(claim)  # these stay with one that moved
    return Shown(claim=claim, quotes=_quotes(kb, tuple(claim_evidence(claim))),
                 decisions=tuple(d for d in decisions if d.id in about))  # fmt: skip


def _source(kb: KnowledgeBase, named: str, decisions: list[Decision]) -> Shown:
    paths = [p for p in kb.store.source_paths() if named in (p, PurePosixPath(p).name, PurePosixPath(p).stem)]
    if not paths:
        raise NotFound("no proposal, claim or source has this name", path=named, hint="codex proposals; codex search")
    waiting = next((p for p in kb.store.packets() if p.source == paths[0]), None)
    if waiting:
        waiting = dataclasses.replace(waiting, proposals=tuple(map(as_shown, waiting.proposals)))
    return Shown(source=kb.store.source(paths[0]), packet=waiting,
                 decisions=tuple(d for d in decisions if d.source == paths[0]))  # fmt: skip


def _quotes(kb: KnowledgeBase, evidence: tuple[Evidence, ...]) -> tuple[Quote, ...]:
    found = []
    for item in evidence:
        try:
            body = kb.store.read_markdown(item.source).body
        except (NotFound, RefusedFile):
            body = ""
        place = ground.placed(item, body) if item.quote else None
        start, end = place or (0, 0)
        before, after = _around(body, start, end) if place else ("", "")
        found.append(Quote(item, before, after, place is not None))
    return tuple(found)


def _around(body: str, start: int, end: int) -> tuple[str, str]:
    """Some characters before and after body[start:end], cut between words where there are any."""
    first, last = max(0, start - _CONTEXT_CHARS), min(len(body), end + _CONTEXT_CHARS)
    before, after = body[first:start], body[end:last]
    if first and not body[first - 1].isspace():
        before = _PART.sub("", before, count=1)
    if last < len(body) and not body[last].isspace():
        after = _LAST_PART.sub("", after)
    return before, after


def status(kb: KnowledgeBase) -> Status:
    """Counts what waits and what is done; reads every file once."""
    from codex_kb import check, facts  # noqa: PLC0415 (what shows one thing needs no rules)
    from codex_kb.apply import lessons  # noqa: PLC0415

    found = facts.read(kb.store, kb.encoder, kb.left_out)
    known = Generations(kb.layout.root)
    counts = Counter(status_of(source.fields) for source in found.sources)
    if found.unread_sources:
        counts["refused"] += found.unread_sources
    return Status(
        sources=dict(sorted(counts.items())),
        proposals=sum(len(p.proposals) for p in found.packets),
        claims=len(found.claims),
        problems=sum(p.severity == "error" for p in check.run(found, kb.settings.check)),
        fresh=not found.index,
        indexed=found.indexed,
        generation=kb.generation,
        newest=max((course.number(each.generation) for each in known.events), default=0),
        on_trial=course.number(known.course.trial),
        pinned=known.course.pinned,
        set_aside=sum(len(p.proposals) for p in kb.store.all_aside()[0]),
        wants=kb.ungranted(),
        unfinished=found.unfinished,
        inbox=kb.settings.kb.sources[0],
        waiting=[p.name for p in found.packets],
        untaught=lessons.untaught(kb),
        every=kb.settings.learn.every,
        time=kb.now(),
        oldest=min((p.proposed for p in found.packets if p.proposed), default=""),
    )
