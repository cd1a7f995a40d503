"""`codex review`: packets that a person marked become claims or evidence, decisions and a commit a source."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from codex_kb.acts import Act, perform, writing
from codex_kb.apply import additions
from codex_kb.apply.near import Nearby
from codex_kb.apply.outcome import Case, applied
from codex_kb.disk.store import packet_to_json
from codex_kb.disk.transaction import Change, change
from codex_kb.errors import CodexError, Conflict, NotFound, RefusedFile, UsageError
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import packet_path, record_path
from codex_kb.propose import missed
from codex_kb.records import Decision, Packet, Source
from codex_kb.review import account, decide, packet, reading
from codex_kb.review.decide import Outcome
from codex_kb.review.reading import PacketError
from codex_kb.review.waiting import decided_as, full_id, ids_of, select
from codex_kb.text import markdown_file
from codex_kb.text.fields import byline

#: Opens a file in the user's editor and returns when it is closed, with what the editor ended with.
Edit = Callable[[Path], int]
#: Asks whether what a line tells of shall be applied.
Agreed = Callable[[str], bool]
#: Reads a packet's text against its record and source; these ids are not to be approved.
Decide = Callable[[Packet, str, Source, Collection[str]], Outcome]


@dataclass
class Reviewed:
    """What a run of review did."""

    approved: list[str] = field(default_factory=list)
    #: (claim, how) of what was added to claims that are there.
    added: list[tuple[str, str]] = field(default_factory=list)
    #: Claims that depend on one that was challenged.
    look_again: list[str] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    #: (id, how) of what was decided the same way before.
    already: list[tuple[str, str]] = field(default_factory=list)
    #: How many proposals wait now, from every source.
    waiting: int = 0
    #: (title, verdict) of what was decided before and asked again.
    again: list[tuple[str, str]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    faults: list[CodexError] = field(default_factory=list)

    @property
    def removed(self) -> list[str]:
        """Titles of the proposals whose sections were deleted."""
        return [title for title, reason in self.rejected if reason == decide.REMOVED]


@dataclass(frozen=True, slots=True)
class _Opened:
    """A packet as the editor gets it: as it was found, as it is now, its text, and what was written for that."""

    found: Packet
    packet: Packet
    text: str
    source: Source
    changes: tuple[Change, ...]

    @property
    def plain(self) -> str:
        """The text without comments that tell of errors."""
        return packet.without_errors(self.text)


class EditorEnded(RefusedFile):
    """The user ended the session from the editor, as vim does with :cq."""


def told(waiting: Packet, outcome: Outcome) -> str:
    """What is about to be applied, in one line; what is asked again is not told from the rest."""
    verdicts = [each.verdict for each in outcome.repeated]
    approved = len(outcome.approved) + verdicts.count("approved")
    rejected = len(outcome.rejected) + verdicts.count("rejected")
    added = f"{len(outcome.added)} added, " if outcome.added else ""
    reasons = [*(each.reason for each in outcome.rejected), *(each.reason for each in outcome.repeated)]
    removed = reasons.count(decide.REMOVED)
    deleted = f" ({removed} by deletion)" if removed else ""
    missed = f"{len(outcome.missed)} missed before, " if outcome.missed else ""
    return (f"{waiting.name}: {approved} approved, {added}{missed}{rejected} rejected"
            f"{deleted}, {len(outcome.waiting)} wait")  # fmt: skip


class Review:
    """One run by one reviewer."""

    def __init__(self, kb: KnowledgeBase, reviewer: str, anyway: bool = False) -> None:
        """With `anyway` an approval becomes a claim where one says nearly the same."""
        self.kb = kb
        self.reviewer = reviewer
        self.anyway = anyway
        self.result = Reviewed()
        self._nearby = Nearby(kb)
        self._named = partial(additions.named, kb)

    def apply(self, sources: Sequence[str]) -> Reviewed:
        """Apply the marks in the packets of these sources, or in all, as they are on disk.

        Raises:
            NotFound: nothing waits for a named source.
        """
        with writing(self.kb, "review"):
            for waiting in self.selected(sources):
                self._try(waiting, self._marks)
        return self._finished()

    def named(self, approve: Sequence[str], reject: Mapping[str, str], add: Sequence[str] = ()) -> Reviewed:
        """Decide the proposals with these ids, or unique beginnings of ids, and no others.

        Ids that nobody knows, or that were decided otherwise before, are among the faults.

        Raises:
            UsageError: several begin like this, or one is decided in two ways.
        """
        with writing(self.kb, "review"):
            packets = self.kb.store.packets()
            ids = {i: p for p in packets for i in ids_of(p)}
            before = {each.id: each for each in self.kb.store.decisions()[0]}
            yes = {i for each in approve if (i := self._open(each, "approved", ids, before))}
            no = {i: reason for each, reason in reject.items() if (i := self._open(each, "rejected", ids, before))}
            more = {i for each in add if (i := self._open(each, "added", ids, before))}
            if twice := yes & no.keys() | more & {*yes, *no}:
                raise UsageError(f"{min(twice)} is decided in two ways at once", hint="name it once")

            def judge(waiting: Packet, text: str, source: Source, held: Collection[str]) -> Outcome:
                approved = yes - {*held}
                return self._spelled(
                    decide.decide_named(waiting, text, source, self._named, approve=approved, add=more, reject=no), text
                )

            for waiting in packets:
                if any(ids[i] is waiting for i in (*yes, *more, *no)):
                    self._try(waiting, judge)
        return self._finished()

    def _open(self, beginning: str, how: str, ids: Collection[str], before: Mapping[str, Decision]) -> str:
        """The id that is meant, where it waits; empty where it was decided already, or nobody knows it.

        The last decision in time counts. A beginning that several ids have is none, decided or not: what is run
        again means the same ids.
        """
        try:
            found = full_id(beginning, {*ids, *before})
        except NotFound:
            self.result.faults.append(self._no_proposal(beginning))
            return ""
        if found in ids:
            return found
        known = decided_as(before[found])
        if known == how:
            self.result.already.append((found, how))
        elif known:
            self.result.faults.append(
                Conflict(f"{found} was {known} by {before[found].reviewer} before", hint=f"codex show {found}")
            )
        else:
            self.result.faults.append(self._no_proposal(found))
        return ""

    def _no_proposal(self, id_: str) -> NotFound:
        """Why none of this id waits, and what to do."""
        for kept in self.kb.store.all_aside()[0]:
            if id_ and any(each.id.startswith(id_) for each in kept.proposals):
                return NotFound(f"{id_} was set aside", hint=f"codex review --set-aside {kept.name} brings it back")
        return NotFound(f"no proposal {id_ or 'without an id'} waits", hint="codex proposals lists the ids")

    def edit(self, sources: Sequence[str], edit: Edit, agreed: Agreed = lambda _: True) -> Reviewed:
        """Open each packet in the editor, then apply it where `agreed` says so; one that is faulty opens again.

        Where the editor gives it back unchanged and still faulty, it is left as it is. An editor that ends with
        anything but 0 ends the session.

        Raises:
            NotFound: nothing waits for a named source.
        """
        with writing(self.kb, "review"):
            packets = self.selected(sources)
        for waiting in packets:
            try:
                with writing(self.kb, "review"):
                    opened = self._prepare(waiting)
                self._edit(opened, edit, agreed)
            except EditorEnded as error:
                self.result.faults.append(error)
                break
            except (RefusedFile, Conflict, NotFound) as error:
                self.result.faults.append(error)
        return self._finished()

    def _finished(self) -> Reviewed:
        self.result.waiting = sum(len(ids_of(each)) for each in self.kb.store.packets())
        return self.result

    def _edit(self, opened: _Opened, edit: Edit, agreed: Agreed) -> None:
        waiting, shown = opened.packet, opened.text
        path = self.kb.layout.path(packet_path(waiting.name))
        reopened = False
        while True:
            if ended := edit(path):
                self._put_back(opened)
                raise EditorEnded(
                    f"the editor ended with {ended}: session ended; nothing in {waiting.name} was applied",
                    hint="what you saved stays marked in the packet; codex review goes on",
                )
            text = self.kb.store.packet_text(waiting)
            if text is None:
                self.kb.say(f"{packet_path(waiting.name)} is gone; nothing was decided")
                return
            plain = packet.without_errors(text)
            outcome = self._marks(waiting, plain, opened.source, ())
            if not outcome.errors or (reopened and text == shown):
                self._ask(opened, agreed)
                return
            shown, reopened = packet.annotate(plain, outcome.errors), True
            with writing(self.kb, "review"):
                perform(self.kb, Act((Change(packet_path(waiting.name), text.encode(), shown.encode()),)))

    def _ask(self, opened: _Opened, agreed: Agreed) -> None:
        """Apply what was typed where somebody agrees; what changed while they were asked is left."""
        waiting = opened.packet
        case = self._case(waiting, self._marks)
        if case.outcome.decided and not agreed(told(waiting, case.outcome)):
            self.kb.say(f"nothing in {waiting.name} was applied; your marks are kept. next: codex review --apply")
            self._put_back(opened)
            return
        if not case.outcome.decided and not case.held and self._put_back(opened):
            waiting, case = opened.found, self._case(opened.found, self._marks)
        with writing(self.kb, "review"):
            if self.kb.store.packet_text(waiting) != case.text:
                raise Conflict("changed while it was asked about; nothing in it was applied",
                               path=packet_path(waiting.name), hint="codex review")  # fmt: skip
            self._try(waiting, self._marks)

    def _put_back(self, opened: _Opened) -> bool:
        """Leave a packet as it was found where nobody edited it: a run that decides nothing changes nothing."""
        path = packet_path(opened.found.name)
        with writing(self.kb, "review"):
            text = self.kb.store.packet_text(opened.packet)
            written = {each.path: each for each in opened.changes}
            if text is None or written[path].before is None or packet.without_errors(text) != opened.plain:
                return False
            now = {**{name: each.after for name, each in written.items()}, path: text.encode()}
            perform(self.kb, Act(tuple(Change(name, now[name], each.before) for name, each in written.items())))
        return True

    def _marks(self, waiting: Packet, text: str, source: Source, _: Collection[str]) -> Outcome:
        return self._spelled(decide.decide(waiting, text, source, self._named), text)

    def _spelled(self, outcome: Outcome, text: str) -> Outcome:
        """The outcome, or errors where a domain differs in case alone from one that there is: some disks know one."""
        folder = self.kb.layout.path(self.kb.settings.write_folder)
        there = {each.name for each in folder.iterdir() if each.is_dir()} if folder.is_dir() else set()
        known = {name.casefold(): name for name in there}
        lines = {section.id: section.line for section in reading.parse(text).sections}
        errors = []
        for each in outcome.approved:
            other = known.setdefault(each.domain.casefold(), each.domain)
            if each.domain not in {other, *there}:
                errors.append(PacketError(lines.get(each.proposal.id, 1),
                                          f'domain "{each.domain}" is "{other}" here: write it so'))  # fmt: skip
        return Outcome(errors=tuple(errors)) if errors else outcome

    # -- one packet --------------------------------------------------------------------------------

    def _prepare(self, waiting: Packet) -> _Opened:
        """The packet as it opens: quotes located in the source as it is now, lost ones shown as such."""
        source = self.kb.store.source(waiting.source)
        text = self.kb.store.packet_text(waiting)
        moved, lost = decide.relocated(waiting, source)
        moved = self._nearby.refreshed(moved)
        fresh = self._rendered(moved) if text is None else packet.refreshed(text, waiting, moved)
        changes = []
        if moved != waiting:
            plain = packet.without_errors(fresh)
            fresh = packet.annotate(plain, decide.lost_quotes(plain, lost))
            changes.append(change(self.kb.layout.root, record_path(moved.name), packet_to_json(moved)))
        before = None if text is None else text.encode()
        changes.append(Change(packet_path(moved.name), before, fresh.encode()))
        perform(self.kb, Act(tuple(changes)))
        return _Opened(waiting, moved, fresh, source, tuple(changes))

    def _rendered(self, waiting: Packet) -> str:
        file = self.kb.store.read_markdown(waiting.source)
        source = self.kb.store.as_source(file, waiting.source)
        return packet.render(waiting, byline(source), packet.Placer(source, file.body_line, self.kb.store.quoted))

    def _try(self, waiting: Packet, judge: Decide) -> None:
        """Decide one packet; what stops it is kept with the others' results."""
        try:
            self._one(waiting, judge)
        except (RefusedFile, Conflict, NotFound) as error:
            self.result.faults.append(error)

    def _one(self, waiting: Packet, judge: Decide) -> None:
        case = self._case(waiting, judge)
        path = packet_path(waiting.name)
        for error in case.outcome.errors:
            hint = f"mend it, then codex review --apply {shlex.quote(waiting.name)}"
            self.result.faults.append(RefusedFile(error.message, path=path, line=error.line, hint=hint))
        for proposal_id, hit in case.held.items():
            self.result.faults.append(
                RefusedFile(f"{proposal_id} says nearly what {hit.path} says ({hit.score:.2f}), and waits", path=path,
                            hint=f"codex review --add {proposal_id} adds it there; --anyway makes another claim")
            )  # fmt: skip
        if case.outcome.decided:
            self._perform(case)
        elif case.held:
            before = None if case.text is None else case.text.encode()
            perform(self.kb, Act((Change(path, before, case.outcome.text.encode()),)))

    def _case(self, waiting: Packet, judge: Decide) -> Case:
        """What a packet's text decides now; what has become nearly the same as a claim waits, with a notice."""
        if self.kb.store.packet(waiting.name) != waiting:
            raise Conflict("its proposals changed meanwhile; your text is kept", path=packet_path(waiting.name),
                           hint="codex review")  # fmt: skip
        data = self.kb.store.read_bytes(waiting.source)
        source = self.kb.store.as_source(markdown_file.parse(data, waiting.source), waiting.source)
        on_disk = self.kb.store.packet_text(waiting)
        text = self._rendered(waiting) if on_disk is None else on_disk
        outcome = judge(waiting, text, source, ())
        placed = self._nearby.placed(outcome.new)
        held = {} if self.anyway else self._nearby.repeated(placed, outcome.noticed)
        for each in outcome.missed:
            if hit := held.get(each.proposal.id):
                there = self.kb.layout.path(hit.path).exists()
                what = f"{hit.path} says" if there else "another claim of this packet says"
                raise RefusedFile(f'"{each.title}" says nearly what {what} ({hit.score:.2f})',
                                  path=packet_path(waiting.name),
                                  hint="nothing of this packet was applied: delete its section, or codex review "
                                       "--anyway makes another claim")  # fmt: skip
        if held:
            outcome = judge(waiting, account.with_notices(waiting, text, held), source, held)
            placed = self._nearby.placed(outcome.new)
        return Case(waiting, outcome, data, source, on_disk, placed, held)

    def _perform(self, case: Case) -> None:
        """Write and commit what one packet's decisions change."""
        if case.outcome.missed:
            case = dataclasses.replace(case, outcome=self._told(case))
        done = applied(self.kb, case, self.reviewer)
        perform(self.kb, done.act)
        added = case.outcome.added
        self.result.approved += done.claims.values()
        self.result.added += [(each.claim, each.kind) for each in added]
        self.result.rejected += [(r.title, r.reason) for r in case.outcome.rejected]
        self.result.again += [(r.title, r.verdict) for r in case.outcome.repeated]
        if case.closes:
            self.result.done.append(case.packet.source)
        again = additions.look_again(self.kb, added)
        self.result.look_again += [path for path in again if path not in self.result.look_again]

    def _told(self, case: Case) -> Outcome:
        """The outcome where claims that nobody proposed are the reviewer's, with what can be learned from them."""
        known = [] if case.packet.model else missed.sentences(self.kb, case.source)
        found = [
            dataclasses.replace(each, proposal=dataclasses.replace(
                each.proposal, proposer=self.reviewer, features=missed.features(known, each.evidence)
            ))
            for each in case.outcome.missed
        ]  # fmt: skip
        return dataclasses.replace(case.outcome, missed=tuple(found))

    def selected(self, sources: Sequence[str]) -> list[Packet]:
        """The packets that wait of these sources, of all where none is named. Raises NotFound."""
        for copy in self.kb.store.packet_copies():
            self.kb.say(f"{copy}: not the packet of its source, left out: codex check says more")
        return select(self.kb.store.packets(), sources, self.kb.layout.relative)
