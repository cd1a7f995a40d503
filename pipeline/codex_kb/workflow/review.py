"""`codex review`: packets that a person marked become claims or evidence, decisions and a commit a source."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from codex_kb.acts import Act, perform, writing
from codex_kb.apply import additions
from codex_kb.apply.outcome import Case, applied
from codex_kb.disk.store import packet_to_json
from codex_kb.disk.transaction import Change, change
from codex_kb.errors import CodexError, Conflict, NotFound, RefusedFile, UsageError
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import packet_path, record_path
from codex_kb.records import Packet, Source
from codex_kb.review import decide, packet
from codex_kb.review.decide import Outcome
from codex_kb.review.waiting import full_id, ids_of, select
from codex_kb.text import markdown_file
from codex_kb.text.fields import byline

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
        with writing(self.kb, "review"):
            for waiting in self.selected(sources):
                self._try(waiting, self._decide)
        return self._finished()

    def named(self, approve: Sequence[str], reject: Mapping[str, str], add: Sequence[str] = ()) -> Reviewed:
        """Decide the proposals with these ids, or unique beginnings of ids, and no others.

        Raises:
            NotFound: no proposal has the id.
            UsageError: several have it, or one is decided in two ways.
        """
        with writing(self.kb, "review"):
            packets = self.kb.store.packets()
            ids = {i: p for p in packets for i in ids_of(p)}
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
        with writing(self.kb, "review"):
            packets = self.selected(sources)
        for waiting in packets:
            try:
                with writing(self.kb, "review"):
                    current, text, source = self._prepare(waiting)
                self._edit(current, text, source, edit)
            except (RefusedFile, Conflict, NotFound) as error:
                self.result.faults.append(error)
        return self._finished()

    def _finished(self) -> Reviewed:
        self.result.waiting = sum(len(ids_of(each)) for each in self.kb.store.packets())
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
                with writing(self.kb, "review"):
                    self._try(waiting, self._decide)
                return
            shown, reopened = packet.annotate(plain, outcome.errors), True
            with writing(self.kb, "review"):
                perform(self.kb, Act((Change(packet_path(waiting.name), text.encode(), shown.encode()),)))

    # -- one packet --------------------------------------------------------------------------------

    def _prepare(self, waiting: Packet) -> tuple[Packet, str, Source]:
        """The packet as it opens: quotes located in the source as it is now, lost ones shown as such."""
        source = self.kb.store.source(waiting.source)
        text = self.kb.store.packet_text(waiting)
        moved, lost = decide.relocated(waiting, source)
        fresh = text if text is not None else self._rendered(moved)
        changes = []
        if moved != waiting:
            plain = packet.without_errors(fresh)
            fresh = packet.annotate(plain, decide.lost_quotes(plain, lost))
            changes.append(change(self.kb.layout.root, record_path(moved.name), packet_to_json(moved)))
        before = None if text is None else text.encode()
        changes.append(Change(packet_path(moved.name), before, fresh.encode()))
        perform(self.kb, Act(tuple(changes)))
        return moved, fresh, source

    def _rendered(self, waiting: Packet) -> str:
        file = self.kb.store.read_markdown(waiting.source)
        source = self.kb.store.as_source(file, waiting.source)
        return packet.render(waiting, byline(source), packet.Placer(source, file.body_line))

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
            self._perform(Case(waiting, outcome, data, source, on_disk))

    def _perform(self, case: Case) -> None:
        """Write and commit what one packet's decisions change."""
        done = applied(self.kb, case, self.reviewer)
        perform(self.kb, done.act)
        added = case.outcome.added
        self.result.approved += done.claims.values()
        self.result.added += [(each.claim, each.kind) for each in added]
        self.result.rejected += [(r.title, r.reason) for r in case.outcome.rejected]
        if not case.outcome.waiting:
            self.result.done.append(case.packet.source)
        again = additions.look_again(self.kb, added)
        self.result.look_again += [path for path in again if path not in self.result.look_again]

    def selected(self, sources: Sequence[str]) -> list[Packet]:
        """The packets that wait of these sources, of all where none is named. Raises NotFound."""
        return select(self.kb.store.packets(), sources, self.kb.layout.relative)
