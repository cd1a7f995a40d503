"""Packets judged and applied for one reviewer: what a text decides now, and its decisions written and committed."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Collection
from functools import partial

from codex_kb.acts import Act, perform
from codex_kb.apply import additions
from codex_kb.apply.near import Nearby
from codex_kb.apply.opened import rendered
from codex_kb.apply.outcome import Case, applied
from codex_kb.apply.reviewed import Reviewed
from codex_kb.disk import pace
from codex_kb.disk.transaction import Change
from codex_kb.errors import Conflict, NotFound, RefusedFile
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import packet_path
from codex_kb.propose import missed
from codex_kb.records import Packet, Source
from codex_kb.review import account, decide, reading
from codex_kb.review.decide import Outcome
from codex_kb.review.reading import PacketError
from codex_kb.review.waiting import ids_of
from codex_kb.text import markdown_file

#: Reads a packet's text against its record and source; these ids are not to be approved.
Decide = Callable[[Packet, str, Source, Collection[str]], Outcome]


class Judging:
    """One run by one reviewer; `result` gathers what it does."""

    def __init__(self, kb: KnowledgeBase, reviewer: str, anyway: bool = False) -> None:
        """With `anyway` an approval becomes a claim where one says nearly the same."""
        self.kb = kb
        self.reviewer = reviewer
        self.anyway = anyway
        self.result = Reviewed()
        self.nearby = Nearby(kb)
        self.named = partial(additions.named, kb)

    def attempt(self, waiting: Packet, judge: Decide) -> None:
        """Decide one packet; what stops it is kept with the others' results. Hold the lock."""
        try:
            self._one(waiting, judge)
        except (RefusedFile, Conflict, NotFound) as error:
            self.result.faults.append(error)

    def finished(self) -> Reviewed:
        """What the run did, and how much waits now."""
        self.result.waiting = sum(len(ids_of(each)) for each in self.kb.store.packets())
        return self.result

    def marks(self, waiting: Packet, text: str, source: Source, held: Collection[str] = ()) -> Outcome:
        """What the marks in a packet's text decide; of what is held the missed claims, which have no mark, wait."""
        return self.spelled(decide.decide(waiting, text, source, self.named, held), text)

    def spelled(self, outcome: Outcome, text: str) -> Outcome:
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

    def case(self, waiting: Packet, judge: Decide) -> Case:
        """What a packet's text decides now; what has become nearly the same as a claim waits, with a notice.

        Raises:
            Conflict: the packet's proposals changed meanwhile.
            NotFound: the source is gone.
            RefusedFile: a file cannot be read.
        """
        if self.kb.store.packet(waiting.name) != waiting:
            raise Conflict("its proposals changed meanwhile; your text is kept", path=packet_path(waiting.name),
                           hint="codex review")  # fmt: skip
        data = self.kb.store.read_bytes(waiting.source)
        source = self.kb.store.as_source(markdown_file.parse(data, waiting.source), waiting.source)
        on_disk = self.kb.store.packet_text(waiting)
        text = rendered(self.kb, waiting) if on_disk is None else on_disk
        outcome = judge(waiting, text, source, ())
        placed = self.nearby.placed(outcome.new)
        held = {} if self.anyway else self.nearby.repeated(placed, outcome.noticed)
        if held:
            outcome = judge(waiting, account.with_notices(waiting, text, source, held), source, held)
            placed = self.nearby.placed(outcome.new)
        return Case(waiting, outcome, data, source, on_disk, placed, held)

    def _one(self, waiting: Packet, judge: Decide) -> None:
        case = self.case(waiting, judge)
        path = packet_path(waiting.name)
        for error in case.outcome.errors:
            hint = f"mend it, then codex review --apply {shlex.quote(waiting.name)}"
            self.result.faults.append(RefusedFile(error.message, path=path, line=error.line, hint=hint))
        for proposal_id, hit in case.held.items():
            title = case.outcome.held.get(proposal_id)
            hint = f"codex review --add {proposal_id} adds it there; --anyway makes another claim"
            if title is not None:
                hint = "delete its section, or apply again to make it all the same"
            what = proposal_id if title is None else f'"{title}"'
            self.result.faults.append(RefusedFile(
                f"{what} says nearly what {hit.path} says ({hit.score:.2f}), and waits", path=path, hint=hint
            ))  # fmt: skip
        if case.outcome.decided:
            self._perform(case)
        elif case.held:
            before = None if case.text is None else case.text.encode()
            perform(self.kb, Act((Change(path, before, case.outcome.text.encode()),)))

    def _perform(self, case: Case) -> None:
        """Write and commit what one packet's decisions change."""
        if case.outcome.missed:
            case = dataclasses.replace(case, outcome=self._told(case))
        done = applied(self.kb, case, self.reviewer, pace.read(self.kb.layout.root))
        perform(self.kb, done.act)
        pace.forget(self.kb.layout.root, done.decided)
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
