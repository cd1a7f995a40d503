"""An agent's own proposal: put through the stages of ingest, into the packet of its source; a person decides."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from codex_kb.acts import perform, writing
from codex_kb.apply import proposed
from codex_kb.disk.generations import Generations
from codex_kb.errors import Conflict, UsageError
from codex_kb.index import opened as indexes
from codex_kb.index.opened import ClaimIndex
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import packet_path
from codex_kb.propose import drafts, mixing
from codex_kb.propose.features import features
from codex_kb.records import Draft, Packet, Proposal, Source
from codex_kb.text import ground, lifecycle, markdown_file, proposition
from codex_kb.text.fields import CONFIDENCES
from codex_kb.text.marks import one_line

#: What stands before an agent's name where the proposer is told: no model's or person's name begins like this.
AGENT = "agent:"
_NAME = 60


@dataclass(frozen=True)
class Suggestion:
    """A claim that an agent suggests, with words of the source that it rests on; what it leaves empty is found out."""

    title: str
    quote: str
    description: str = ""
    domain: str = ""
    confidence: str = ""


@dataclass(frozen=True)
class Proposed:
    """What became of a suggestion: it waits since now or before, or people decided about it already (`reason`)."""

    status: Literal["proposed", "waiting", "held back"]
    proposal: Proposal | None = None
    packet: str = ""
    reason: str = ""


def propose(kb: KnowledgeBase, agent: str, named: str, suggested: Suggestion) -> Proposed:
    """Have a suggestion about a source (path, file or stem) wait for a person; never a claim.

    Raises:
        NotFound: there is no such source.
        RefusedFile: it cannot be read or edited.
        UsageError: the quote does not stand in it, it is no source to propose from, or the agent has no name.
        Conflict: another run holds the lock, the source has changes of the user's own, or is to be read alone first.
    """
    proposer = _proposer(agent)
    with writing(kb, "mcp"):
        path, data = kb.store.source_named(named)
        source = kb.store.as_source(markdown_file.parse(data, path), path)
        _require_source(source)
        draft = _draft(source, suggested)
        packets = kb.store.packets()
        before = next((each for each in packets if each.source == path), None)
        if before is not None and before.later:
            raise Conflict("a person reads this source without proposals first", path=path,
                           hint="propose from another source, or later")  # fmt: skip
        new, held = drafts.History(kb.store.decisions()[0]).split(source, [draft])
        if held:
            return Proposed("held back", reason=held[0][1])
        with _index(kb) as claims:
            (each,) = proposed.beside(kb, claims, source, new, proposer, kb.generation)
        for waits in before.proposals if before else ():
            if waits.id == each.id:
                return Proposed("waiting", waits, packet_path(before.name if before else ""))
        name = before.name if before else kb.store.names(packets).of(path)
        each = _placed(kb, each, before)
        written = _packet(name, source, each, before, kb.now())
        made = proposed.changes(kb, written, before, source, data)
        perform(kb, proposed.act(kb, made, written, source, proposer, "an agent suggested it"))
    return Proposed("proposed", each, packet_path(name))


def _proposer(agent: str) -> str:
    name = one_line(agent)[:_NAME].strip()
    if not name:
        raise UsageError("the agent has no name", hint="say who proposes in `agent`")
    return AGENT + name


def _require_source(source: Source) -> None:
    verdict, reason = lifecycle.verdict(source.fields, waiting=False, again=True)
    if verdict != "proposed":
        raise UsageError(f"nothing is proposed from it: {reason}", path=source.path, hint="name another source")


def _draft(source: Source, suggested: Suggestion) -> Draft:
    """The suggestion with its quote at its place; what the claim test says of its title is for the reviewer."""
    title = one_line(suggested.title)
    if not title or len(title) > proposition.MAX_LENGTH:
        raise UsageError(f"a title has 1 to {proposition.MAX_LENGTH} characters",
                         hint="say the claim in one sentence that can be argued for")  # fmt: skip
    if suggested.confidence and suggested.confidence not in CONFIDENCES:
        raise UsageError(f"no confidence is called {suggested.confidence}", hint=f"one of {', '.join(CONFIDENCES)}")
    if len(" ".join(suggested.quote.split()).encode()) < ground.LEAST:
        raise UsageError(f"a quote has at least {ground.LEAST} characters", hint="quote the whole sentence")
    span = ground.locate(suggested.quote, source.body)
    if span is None:
        raise UsageError("the quote does not stand in this source word for word", path=source.path,
                         hint="read_source gives its text; nothing was written")  # fmt: skip
    start, end = span
    told = features(title, source.body[start:end], start / max(1, len(source.body)))
    return Draft(title, (span,), suggested.description, suggested.domain or source.domain, suggested.confidence,
                 notes=tuple(proposition.faults(title)), features=told)  # fmt: skip


@contextlib.contextmanager
def _index(kb: KnowledgeBase) -> Iterator[ClaimIndex]:
    found = indexes.load(kb)
    try:
        yield found
    finally:
        found.close()


def _placed(kb: KnowledgeBase, each: Proposal, before: Packet | None) -> Proposal:
    """The proposal at its place in the packet; from the first generation on it is blind as often as any other."""
    blind = kb.settings.review.blind if Generations(kb.layout.root).events else 0
    (each,) = mixing.mixed([each], (), (), blind)
    return dataclasses.replace(each, place=len(before.proposals) + 1 if before else 1)


def _packet(name: str, source: Source, each: Proposal, before: Packet | None, now: str) -> Packet:
    """A packet with the one proposal; what waits already keeps what is told of its own run."""
    if before is None:
        return Packet(name, source.path, source.body_sha256, each.proposer, each.generation, (each,), proposed=now)
    return dataclasses.replace(before, source_sha256=source.body_sha256, proposals=(each,))
