"""`codex review`: packets that a person marked become claims or evidence, decisions and a commit a source."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from codex_kb.acts import Act, perform, writing
from codex_kb.apply.judging import Judging
from codex_kb.apply.opened import Opened, prepared, put_back
from codex_kb.apply.reviewed import Reviewed, told
from codex_kb.disk.promising import ordered
from codex_kb.disk.transaction import Change
from codex_kb.errors import Conflict, NotFound, RefusedFile, UsageError
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import packet_path
from codex_kb.records import Decision, Packet, Source
from codex_kb.review import decide, packet
from codex_kb.review.decide import Outcome
from codex_kb.review.waiting import decided_as, full_id, ids_of, select

#: Opens a file in the user's editor and returns when it is closed, with what the editor ended with.
Edit = Callable[[Path], int]
#: Asks whether what a line tells of shall be applied.
Agreed = Callable[[str], bool]


class EditorEnded(RefusedFile):
    """The user ended the session from the editor, as vim does with :cq."""


class Review:
    """One run by one reviewer."""

    def __init__(self, kb: KnowledgeBase, reviewer: str, anyway: bool = False) -> None:
        """With `anyway` an approval becomes a claim where one says nearly the same."""
        self.kb = kb
        self._judging = Judging(kb, reviewer, anyway)
        self.result = self._judging.result

    def apply(self, sources: Sequence[str]) -> Reviewed:
        """Apply the marks in the packets of these sources, or in all, as they are on disk.

        Raises:
            NotFound: nothing waits for a named source.
        """
        with writing(self.kb, "review"):
            for waiting in self.selected(sources):
                self._judging.attempt(waiting, self._judging.marks)
        return self._judging.finished()

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
                outcome = decide.decide_named(
                    waiting, text, source, self._judging.named, approve=approved, add=more, reject=no
                )
                return self._judging.spelled(outcome, text)

            for waiting in packets:
                if any(ids[i] is waiting for i in (*yes, *more, *no)):
                    self._judging.attempt(waiting, judge)
        return self._judging.finished()

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

        Where none is named, those open first whose source is least likely to give nothing.
        Where the editor gives it back unchanged and still faulty, it is left as it is. An editor that ends with
        anything but 0 ends the session.

        Raises:
            NotFound: nothing waits for a named source.
        """
        with writing(self.kb, "review"):
            packets = self.selected(sources)
        for waiting in packets if sources else ordered(self.kb.store, packets):
            try:
                with writing(self.kb, "review"):
                    opened = prepared(self.kb, self._judging.nearby, waiting)
                self._edit(opened, edit, agreed)
            except EditorEnded as error:
                self.result.faults.append(error)
                break
            except (RefusedFile, Conflict, NotFound) as error:
                self.result.faults.append(error)
        return self._judging.finished()

    def _edit(self, opened: Opened, edit: Edit, agreed: Agreed) -> None:
        waiting, shown = opened.packet, opened.text
        path = self.kb.layout.path(packet_path(waiting.name))
        reopened = False
        while True:
            if ended := edit(path):
                put_back(self.kb, opened)
                raise EditorEnded(
                    f"the editor ended with {ended}: session ended; nothing in {waiting.name} was applied",
                    hint="what you saved stays marked in the packet; codex review goes on",
                )
            text = self.kb.store.packet_text(waiting)
            if text is None:
                self.kb.say(f"{packet_path(waiting.name)} is gone; nothing was decided")
                return
            plain = packet.without_errors(text)
            outcome = self._judging.marks(waiting, plain, opened.source, ())
            if not outcome.errors or (reopened and text == shown):
                self._ask(opened, agreed)
                return
            shown, reopened = packet.annotate(plain, outcome.errors), True
            with writing(self.kb, "review"):
                perform(self.kb, Act((Change(packet_path(waiting.name), text.encode(), shown.encode()),)))

    def _ask(self, opened: Opened, agreed: Agreed) -> None:
        """Apply what was typed where somebody agrees; what changed while they were asked is left."""
        waiting = opened.packet
        case = self._judging.case(waiting, self._judging.marks)
        if case.outcome.decided and not agreed(told(waiting, case.outcome)):
            self.kb.say(f"nothing in {waiting.name} was applied; your marks are kept. next: codex review --apply")
            put_back(self.kb, opened)
            return
        if not case.outcome.decided and not case.held and put_back(self.kb, opened):
            waiting, case = opened.found, self._judging.case(opened.found, self._judging.marks)
        with writing(self.kb, "review"):
            if self.kb.store.packet_text(waiting) != case.text:
                raise Conflict("changed while it was asked about; nothing in it was applied",
                               path=packet_path(waiting.name), hint="codex review")  # fmt: skip
            self._judging.attempt(waiting, self._judging.marks)

    def selected(self, sources: Sequence[str]) -> list[Packet]:
        """The packets that wait of these sources, of all where none is named. Raises NotFound."""
        for copy in self.kb.store.packet_copies():
            self.kb.say(f"{copy}: not the packet of its source, left out: codex check says more")
        return select(self.kb.store.packets(), sources, self.kb.layout.relative)
