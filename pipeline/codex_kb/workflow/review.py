"""`codex review`: packets that a person marked become claims or evidence, decisions and a commit a source."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from codex_kb import layout as places
from codex_kb.disk.store import as_claim, decision_lines, decisions_path, packet_path, packet_to_json, record_path
from codex_kb.disk.transaction import Change, read, write_file
from codex_kb.errors import CodexError, Conflict, NotFound, RefusedFile, UsageError
from codex_kb.index import opened as indexes
from codex_kb.index import stored
from codex_kb.index.entry import entry_path, key_of, manifest, texts_of, title_text
from codex_kb.kb import KnowledgeBase
from codex_kb.propose import drafts
from codex_kb.records import Approved, Decision, Hit, Packet, Source
from codex_kb.review import decide, packet, publish
from codex_kb.review.decide import Outcome
from codex_kb.text import markdown_file
from codex_kb.text.fields import NULL_RESULT, PROCESSED
from codex_kb.text.fields import text as text_of
from codex_kb.workflow import additions
from codex_kb.workflow.ingest import Placer

_NEAREST = 8

#: Opens a file in the user's editor and returns when it is closed; False where the editor failed.
Edit = Callable[[Path], bool]
#: Reads a packet's text against its record and source.
Decide = Callable[[Packet, str, Source], Outcome]


@dataclass
class Reviewed:
    """What a run of review did."""

    approved: list[str] = field(default_factory=list)
    #: (claim, how) of what was added to claims that are there.
    added: list[tuple[str, str]] = field(default_factory=list)
    #: Claims that depend on one that was challenged.
    look_again: list[str] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    #: How many proposals wait now, from every source.
    waiting: int = 0
    done: list[str] = field(default_factory=list)
    faults: list[CodexError] = field(default_factory=list)

    @property
    def removed(self) -> list[str]:
        """Titles of the proposals whose sections were deleted."""
        return [title for title, reason in self.rejected if reason == decide.REMOVED]


class Review:
    """One run by one reviewer."""

    def __init__(self, kb: KnowledgeBase, reviewer: str) -> None:
        self.kb = kb
        self.reviewer = reviewer
        self.result = Reviewed()
        self._named = partial(additions.named, kb)
        self._decide: Decide = partial(decide.decide, named=self._named)

    def apply(self, sources: Sequence[str]) -> Reviewed:
        """Apply the marks in the packets of these sources, or in all, as they are on disk.

        Raises:
            NotFound: nothing waits for a named source.
        """
        with self.kb.writing("review"):
            for waiting in select_packets(self.kb, sources):
                self._try(waiting, self._decide)
        return self._finished()

    def named(self, approve: Sequence[str], reject: Mapping[str, str], add: Sequence[str] = ()) -> Reviewed:
        """Decide the proposals with these ids, or unique beginnings of ids, and no others.

        Raises:
            NotFound: no proposal has the id.
            UsageError: several have it, or one is decided in two ways.
        """
        with self.kb.writing("review"):
            packets = self.kb.store.packets()
            ids = {i: p for p in packets for i in _ids(p)}
            yes = [full_id(i, ids) for i in approve]
            no = {full_id(i, ids): reason for i, reason in reject.items()}
            more = {full_id(i, ids) for i in add}
            if twice := set(yes) & set(no) | more & {*yes, *no}:
                raise UsageError(f"{min(twice)} is decided in two ways at once", hint="name it once")
            judge = partial(decide.decide_named, named=self._named, approve=yes, add=more, reject=no)
            for waiting in packets:
                if any(ids[i] is waiting for i in (*yes, *more, *no)):
                    self._try(waiting, judge)
        return self._finished()

    def edit(self, sources: Sequence[str], edit: Edit) -> Reviewed:
        """Open each packet in the editor, then apply it; one that cannot be understood opens again.

        Where the editor gives it back unchanged and still faulty, it is left as it is.

        Raises:
            NotFound: nothing waits for a named source.
        """
        with self.kb.writing("review"):
            packets = select_packets(self.kb, sources)
        for waiting in packets:
            try:
                with self.kb.writing("review"):
                    current, text, source = self._prepare(waiting)
                self._edit(current, text, source, edit)
            except (RefusedFile, Conflict, NotFound) as error:
                self.result.faults.append(error)
        return self._finished()

    def _finished(self) -> Reviewed:
        self.result.waiting = sum(len(_ids(each)) for each in self.kb.store.packets())
        return self.result

    def _edit(self, waiting: Packet, shown: str, source: Source, edit: Edit) -> None:
        path = self.kb.layout.path(packet_path(waiting.name))
        reopened = False
        while True:
            if not edit(path):
                raise RefusedFile("the editor failed; nothing in it was applied", path=packet_path(waiting.name),
                                  hint="codex review opens it again")  # fmt: skip
            text = self.kb.store.packet_text(waiting)
            if text is None:
                self.kb.say(f"{packet_path(waiting.name)} is gone; nothing was decided")
                return
            plain = packet.without_errors(text)
            outcome = self._decide(waiting, plain, source)
            if not outcome.errors or (reopened and text == shown):
                with self.kb.writing("review"):
                    self._try(waiting, self._decide)
                return
            shown, reopened = packet.annotate(plain, outcome.errors), True
            with self.kb.writing("review"):
                write_file(path, shown.encode())

    # -- one packet --------------------------------------------------------------------------------

    def _prepare(self, waiting: Packet) -> tuple[Packet, str, Source]:
        """The packet as it opens: quotes located in the source as it is now, lost ones shown as such."""
        source = self.kb.store.source(waiting.source)
        text = self.kb.store.packet_text(waiting)
        moved, lost = decide.relocated(waiting, source)
        fresh = text if text is not None else self._rendered(moved)
        if moved != waiting:
            plain = packet.without_errors(fresh)
            fresh = packet.annotate(plain, decide.lost_quotes(plain, lost))
            write_file(self.kb.layout.path(record_path(moved.name)), packet_to_json(moved))
        if fresh != text:
            write_file(self.kb.layout.path(packet_path(moved.name)), fresh.encode())
        return moved, fresh, source

    def _rendered(self, waiting: Packet) -> str:
        file = self.kb.store.read_markdown(waiting.source)
        source = self.kb.store.as_source(file, waiting.source)
        return packet.render(waiting, drafts.byline(source), Placer(source, file.body_line))

    def _try(self, waiting: Packet, judge: Decide) -> None:
        """Decide one packet; what stops it is kept with the others' results."""
        try:
            self._one(waiting, judge)
        except (RefusedFile, Conflict, NotFound) as error:
            self.result.faults.append(error)

    def _one(self, waiting: Packet, judge: Decide) -> None:
        path = packet_path(waiting.name)
        if self.kb.store.packet(waiting.name) != waiting:
            raise Conflict("its proposals changed meanwhile; your text is kept", path=path, hint="codex review")
        data = self.kb.store.read_bytes(waiting.source)
        source = self.kb.store.as_source(markdown_file.parse(data, waiting.source), waiting.source)
        on_disk = self.kb.store.packet_text(waiting)
        text = self._rendered(waiting) if on_disk is None else on_disk
        outcome = judge(waiting, text, source)
        for error in outcome.errors:
            self.result.faults.append(
                RefusedFile(
                    error.message,
                    path=path,
                    line=error.line,
                    hint=f"mend it, then codex review --apply {shlex.quote(waiting.name)}",
                )
            )
        if not outcome.errors and outcome.decided:
            self._write(_Case(waiting, outcome, data, source, on_disk))

    def _write(self, case: _Case) -> None:
        """Everything that one packet's decisions change, as one transaction and one commit."""
        name, branch = case.packet.name, self.kb.branch_for(case.packet.name)
        paths = self._paths(case.outcome.approved)
        added = case.outcome.added
        rows = decide.decisions(case.outcome, paths, self.reviewer, self.kb.now())
        decided_before = [d for d in self.kb.store.decisions()[0] if d.source == case.packet.source]
        near = self._nearest(case.outcome.approved, paths)
        changes = [
            Change(paths[a.proposal.id], None, self._claim(a, case.source, paths[a.proposal.id], near).encode())
            for a in case.outcome.approved
        ]
        enriched = additions.changes(self.kb, added)
        changes += enriched
        embedded = self._entries(changes, enriched)
        if rows:
            log = decisions_path(name)
            earlier = read(self.kb.layout.root, log) or b""
            if earlier and not earlier.endswith(b"\n"):
                earlier += b"\n"
            changes.append(self.kb.change(log, earlier + decision_lines(rows)))
        changes += self._packet_changes(case)
        if not case.outcome.waiting:
            changes.append(Change(case.packet.source, case.data, self._closed(case, [*decided_before, *rows])))
        written = [c.path for c in changes if c.path not in (packet_path(name), record_path(name))]
        self.kb.require_committed(written, branch)
        changes += embedded
        self.kb.apply(changes, self._message(case, near), branch)
        self.result.approved += paths.values()
        self.result.added += [(each.claim, each.kind) for each in added]
        self.result.rejected += [(r.title, r.reason) for r in case.outcome.rejected]
        if not case.outcome.waiting:
            self.result.done.append(case.packet.source)
        again = additions.look_again(self.kb, added)
        self.result.look_again += [path for path in again if path not in self.result.look_again]

    def _paths(self, approved: Sequence[Approved]) -> dict[str, str]:
        """Where each approved proposal's claim goes; no stem is given twice in the knowledge base."""
        taken = {publish.stem_key(PurePosixPath(path).stem) for path in self.kb.store.claim_paths()}
        taken |= {publish.stem_key(PurePosixPath(path).stem) for path in self.kb.store.source_paths()}
        paths = {}
        for each in approved:
            stem = publish.free_stem(each.title, taken)
            taken.add(publish.stem_key(stem))
            paths[each.proposal.id] = f"{self.kb.settings.write_folder}/{each.domain}/{stem}.md"
        return paths

    def _nearest(self, approved: Sequence[Approved], paths: Mapping[str, str]) -> dict[str, tuple[Hit, ...]]:
        """For each new claim the claims nearest to it, those that come with it included, itself left out."""
        if not approved:
            return {}
        vectors = self.kb.encoder.encode([title_text(a.title, a.description) for a in approved])
        index = indexes.load(self.kb, announce=False)
        known = index.nearest_titles(vectors, _NEAREST)
        index.close()
        near = {}
        for one, (own, hits) in enumerate(zip(approved, known, strict=True)):
            beside = [
                Hit(paths[other.proposal.id], other.title, round(float(vectors[one] @ vectors[two]), 4))
                for two, other in enumerate(approved) if two != one
            ]  # fmt: skip
            ranked = sorted([*hits, *beside], key=lambda hit: (-hit.score, hit.path))
            near[paths[own.proposal.id]] = tuple(ranked[:_NEAREST])
        return near

    def _entries(self, claims: Sequence[Change], changed: Sequence[Change]) -> list[Change]:
        """The committed entries of claims as their files will read; those of the changed ones as they were go.

        And the manifest, where it is missing.
        """
        name = self.kb.encoder.name
        texts = [texts_of(as_claim(markdown_file.parse(c.after or b"", c.path), c.path)) for c in claims]
        made = stored.embed(self.kb.encoder, {key_of(name, each): each for each in texts})
        changes = [self.kb.change(entry_path(places.INDEX, key), data) for key, data in made.items()]
        if changed:
            changes += additions.replaced_entries(self.kb, changed, set(made))
        if claims and not self.kb.layout.path(places.MANIFEST).exists():
            changes.append(self.kb.change(places.MANIFEST, manifest(name, "")))
        return changes

    def _claim(self, approved: Approved, source: Source, path: str, near: Mapping[str, tuple[Hit, ...]]) -> str:
        people = (drafts.byline(source), self.reviewer)
        topic = self._topic(approved.domain)
        return publish.claim_text(approved, source, path, near.get(path, ()), people, self.kb.today, topic)

    def _topic(self, domain: str) -> str:
        """The topic map of a domain, where its folder has one."""
        path = f"{self.kb.settings.write_folder}/{domain}/_map"
        return path if self.kb.layout.path(f"{path}.md").exists() else ""

    def _packet_changes(self, case: _Case) -> list[Change]:
        path, record = packet_path(case.packet.name), record_path(case.packet.name)
        before = None if case.text is None else case.text.encode()
        if not case.outcome.waiting:
            return [Change(path, before, None), self.kb.change(record, None)]
        kept = set(case.outcome.waiting)
        left = dataclasses.replace(case.packet, proposals=tuple(p for p in case.packet.proposals if p.id in kept))
        return [Change(path, before, case.outcome.text.encode()), self.kb.change(record, packet_to_json(left))]

    def _closed(self, case: _Case, decided: Sequence[Decision]) -> bytes:
        """The source with everything decided: processed, or a null result that says why."""
        stems = [PurePosixPath(d.claim).stem for d in decided if d.claim and not decide.added_as(d)]
        enriched = [d.claim for d in decided if d.claim and decide.added_as(d)]
        values: dict[str, Any] = {
            "status": PROCESSED if stems or enriched else NULL_RESULT,
            "processed_by": case.packet.proposer,
            "processed_date": self.kb.today,
            "claims_extracted": stems,
        }
        if case.packet.model:
            values["extraction_model"] = case.packet.model
        if enriched:
            values["enrichments"] = additions.enrichments(self.kb, case.source, enriched)
        elif not stems:
            note = decide.null_note([d.reason for d in decided])
            earlier = text_of(case.source.fields.get("notes"))
            values["notes"] = f"{earlier}; {note}" if earlier else note
        names = self.kb.settings.fields
        return markdown_file.set_fields(
            case.data, {names.get(key, key): value for key, value in values.items()}, case.packet.source
        )

    def _message(self, case: _Case, near: Mapping[str, tuple[Hit, ...]]) -> str:
        approved, rejected = case.outcome.approved, case.outcome.rejected
        added = case.outcome.added
        titles = {each.claim: additions.title(self.kb, each.claim) for each in added}
        count = len(approved) or len(titles)
        what = f"add {'' if approved else 'evidence to '}{count} claim{'s' * (count != 1)}"
        if not count:
            what = f"reject {len(rejected)} proposal{'s' * (len(rejected) != 1)}" if rejected else "claim nothing"
        linked = {h.path for hits in near.values() for h in hits if h.score >= publish.LINKED} | titles.keys()
        links = sorted({PurePosixPath(path).stem for path in linked})
        agent = case.packet.proposer
        return self.kb.commit_message(
            f"{agent}: {what} from {case.packet.name}",
            "\n".join([
                f"What: {len(approved)} approved, {f'{len(added)} added, ' if added else ''}{len(rejected)} rejected, "
                f"{len(case.outcome.waiting)} left to decide.",
                *(f"- {a.title}" for a in approved),
                *(f"- added as {each.kind} to {titles[each.claim]}: {each.title}" for each in added),
                *(f"- rejected as {r.reason}: {r.title}" for r in rejected),
                f"Why: {text_of(case.source.fields.get('rationale')) or 'drawn from ' + drafts.byline(case.source)}",
                f"Connections: {'; '.join(links) or 'none'}",
            ]),
            {
                "Source": case.packet.source,
                "Proposed-by": agent,
                "Reviewed-by": self.reviewer,
                "Generation": str(case.packet.generation),
            },
            agent=agent, n=count, source=case.packet.name,
        )  # fmt: skip


@dataclass(frozen=True)
class _Case:
    """One packet with what it decides, the source's bytes, and the packet's text on disk."""

    packet: Packet
    outcome: Outcome
    data: bytes
    source: Source
    text: str | None


def _ids(waiting: Packet) -> list[str]:
    return [p.id for p in waiting.proposals] or [packet.nothing_id(waiting)]


def full_id(beginning: str, ids: Collection[str]) -> str:
    """The one id that begins like this.

    Raises:
        NotFound: none does.
        UsageError: several do.
    """
    found = [i for i in ids if i == beginning] or [i for i in ids if beginning and i.startswith(beginning.lower())]
    if not found:
        raise NotFound(f"no proposal {beginning or 'without an id'} waits", hint="codex proposals lists the ids")
    if len(found) > 1:
        raise UsageError(f"{beginning} may mean {', '.join(sorted(found))}", hint="type more of the id")
    return found[0]


def select_packets(kb: KnowledgeBase, sources: Sequence[str]) -> list[Packet]:
    """The packets of these sources (path, packet or name), all where none is named.

    Raises:
        NotFound: nothing waits for a named source.
    """
    packets = kb.store.packets()
    if not sources:
        return packets
    chosen = []
    for named in sources:
        names = {named, PurePosixPath(named).stem}
        with contextlib.suppress(UsageError):
            names.add(kb.layout.relative(Path(named)))
        found = [p for p in packets if p.source in names or p.name in names or packet_path(p.name) in names]
        if not found:
            raise NotFound("no proposals wait for this source", path=named, hint="codex proposals lists what waits")
        chosen += [p for p in found if p not in chosen]
    return chosen
