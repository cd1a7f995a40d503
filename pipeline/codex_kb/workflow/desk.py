"""Review one proposal at a time: each mark is put into its packet at once, and what is marked is applied a source.

For doors that show one proposal after the other. Marks are those that an editor would leave, so doors can take turns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from codex_kb.acts import Act, perform, writing
from codex_kb.apply.judging import Judging
from codex_kb.apply.opened import Opened, prepared, put_back, rendered
from codex_kb.apply.reviewed import Reviewed, told
from codex_kb.disk import pace
from codex_kb.disk.promising import ordered
from codex_kb.disk.transaction import Change
from codex_kb.errors import Changed, CodexError, Conflict, NotFound, RefusedFile
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import packet_path
from codex_kb.records import Evidence, Hit, Proposal, Source
from codex_kb.review import account, marking, reading
from codex_kb.review import packet as packets
from codex_kb.review.blind import as_shown
from codex_kb.review.reading import PacketError, Section
from codex_kb.review.waiting import ids_of, select
from codex_kb.text import ground, surroundings
from codex_kb.text.sentences import split

#: Longer than this nobody looks at one proposal without a pause.
IDLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Passage:
    """A quote in its place: body[start:end] with the sentences around it, body[first:last]; `line` of the file.

    A quote that no longer stands there has no surroundings, and line 0.
    """

    quote: str
    before: str
    after: str
    source: str
    line: int


@dataclass(frozen=True, slots=True)
class Item:
    """What is to be decided: a proposal, or the box of a source without one (`proposal` is None).

    `section` is what the packet's text says of it now: mark, title, fields, quotes, errors. `adds_to` is the claim that
    it may be added to, and how. `proposer` is who made most of the packet.
    """

    name: str
    id: str
    source: Source
    section: Section
    proposal: Proposal | None
    passages: tuple[Passage, ...] = ()
    adds_to: tuple[str, str] | None = None
    proposer: str = ""

    @property
    def version(self) -> str:
        """Changes with what a person may change of it."""
        return marking.version(self.section)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole source with the places, (start, end, id), that its proposals quote, and their sections as they are.

    `missed` are the sections of claims that somebody added.
    """

    name: str
    source: Source
    sections: tuple[Section, ...]
    spans: tuple[tuple[int, int, str], ...]
    missed: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What applying one packet would do: a line that tells it, what is wrong, what says nearly the same as a claim.

    `held` are proposals by id, `missed` the (title, claim) of missed claims that wait: applied again they are made.
    `claims` are (title, path), `added` (title, claim, how), `rejected` (title, reason). `version` changes with the
    packet's text.
    """

    name: str
    source: str
    decided: int
    told: str
    errors: tuple[PacketError, ...] = ()
    held: Mapping[str, Hit] | None = None
    missed: tuple[tuple[str, Hit], ...] = ()
    fault: CodexError | None = None
    claims: tuple[tuple[str, str], ...] = ()
    added: tuple[tuple[str, str, str], ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()
    version: str = ""


class Desk:
    """One reviewer's session. Nothing is kept here but what to take back: the packets hold the marks."""

    def __init__(self, kb: KnowledgeBase, reviewer: str, sources: Sequence[str] = (), anyway: bool = False) -> None:
        """With `anyway` an approval becomes a claim where one says nearly the same."""
        self.kb = kb
        self.reviewer = reviewer
        self.anyway = anyway
        self._sources = sources
        self._judging = Judging(kb, reviewer, anyway)
        self._opened: dict[str, Opened] = {}
        self._done: list[tuple[str, str, str, str]] = []

    def queue(self) -> list[tuple[str, str]]:
        """(packet, id) of everything that waits, in the order to decide it in.

        Raises:
            NotFound: nothing waits for a named source.
        """
        waiting = select(self.kb.store.packets(), self._sources, self.kb.layout.relative)
        waiting = waiting if self._sources else ordered(self.kb.store, waiting)
        return [(each.name, name) for each in waiting for name in ids_of(each)]

    def sections(self, name: str) -> dict[str, Section]:
        """What a packet's text says of each of its proposals, by id, as it stands; nothing is looked up anew.

        Raises:
            RefusedFile: a file cannot be read.
        """
        waiting = self.kb.store.packet(name)
        if waiting is None:
            return {}
        text = self.kb.store.packet_text(waiting)
        found = reading.parse(rendered(self.kb, waiting) if text is None else text).sections
        return {each.id: each for each in found}

    def item(self, name: str, id_: str) -> Item:
        """One proposal as it stands now, with its quotes in their places.

        Raises:
            NotFound: it waits no more, or its source is gone.
            RefusedFile: a file cannot be read.
            Conflict: another run holds the lock.
        """
        opened = self._open(name)
        section = marking.section_of(self._text(name), id_)
        if section is None:
            raise NotFound(f"no proposal {id_} stands in this packet", path=packet_path(name), hint="codex proposals")
        proposal = next((each for each in opened.packet.proposals if each.id == id_), None)
        if proposal is None:
            return Item(name, id_, opened.source, section, None)
        shown = as_shown(proposal)
        return Item(name, id_, opened.source, section, shown, tuple(self._passage(each) for each in shown.evidence),
                    packets.addition(shown), opened.packet.proposer)  # fmt: skip

    def sheet(self, name: str) -> Sheet:
        """A whole packet beside its source. Raises as `item` does."""
        opened = self._open(name)
        ids = ids_of(opened.packet)
        parsed = reading.parse(self._text(name))
        sections = [each for each in parsed.sections if each.id in ids]
        quoted = [(ground.placed(evidence, opened.source.body), proposal.id) for proposal in opened.packet.proposals
                  for evidence in proposal.evidence if evidence.source == opened.source.path]  # fmt: skip
        spans = tuple((*place, id_) for place, id_ in quoted if place)
        order = {each: number for number, each in enumerate(ids)}
        return Sheet(name, opened.source, tuple(sorted(sections, key=lambda each: order[each.id])), spans,
                     tuple(each for each in parsed.missed if each.title))  # fmt: skip

    def mark(
        self, name: str, ids: Sequence[str], mark: str, fields: Mapping[str, str] = {}, seconds: float = 0.0,
        seen: Mapping[str, str] = {},
    ) -> None:  # fmt: skip
        """Put a mark (a key of `marking.MARKS`) to proposals of a packet, and set fields of their sections.

        `seconds` are what the first of them took; of a longer time the part beyond a minute counts as a pause. `seen`
        are, by id, the versions that were shown to whoever marks them.

        Raises:
            NotFound: one waits no more.
            Changed: one is not as it was seen.
            Conflict: another run holds the lock.
        """
        def edited(text: str) -> str:
            for each in ids:
                found = marking.section_of(text, each)
                if found and seen.get(each, "") not in ("", marking.version(found)):
                    raise Changed("changed meanwhile: look at it as it is now", path=packet_path(name))
                try:
                    text = marking.marked(text, each, mark, fields)
                except KeyError:
                    raise NotFound(f"no proposal {each} stands in this packet", path=packet_path(name),
                                   hint="codex proposals") from None  # fmt: skip
            return text

        self._edit(name, ids[0], edited, seconds)

    def rewrite(self, name: str, id_: str, section: str, seconds: float = 0.0) -> None:
        """Put a section as somebody edited it in place of its own. Raises as `mark` does, KeyError included."""
        self._edit(name, id_, lambda text: marking.replaced(text, id_, section), seconds)

    def faults(self, name: str, id_: str, section: str) -> list[PacketError]:
        """What would be wrong with the packet, beside what is, with this section; lines are those of the section.

        Raises as `rewrite` does.
        """
        opened, before = self._open(name), packets.without_errors(self._text(name))
        found = marking.section_of(before, id_)
        if found is None:
            raise KeyError(id_)
        known = {each.message for each in self._judging.marks(opened.packet, before, opened.source).errors}
        after = marking.replaced(before, id_, section)
        return [PacketError(max(1, each.line - found.line + 1), each.message)
                for each in self._judging.marks(opened.packet, after, opened.source).errors
                if each.message not in known]  # fmt: skip

    def notice(self, name: str, held: Mapping[str, Hit]) -> None:
        """Unmark what says nearly the same as a claim (`Preview.held`), with that claim beside it. Raises as `mark`."""
        opened = self._open(name)
        self._edit(name, next(iter(held)),
                   lambda text: account.with_notices(opened.packet, text, opened.source, held))  # fmt: skip

    def miss(self, name: str, title: str, quote: str, description: str = "") -> None:
        """Add a claim that nobody proposed; its quote must stand in the source.

        Raises:
            RefusedFile: the quote does not stand there, or there is no title.
            NotFound: the packet is gone.
            Conflict: another run holds the lock.
        """
        title = reading.without_comments(title)
        if not title:
            raise RefusedFile("a claim needs a title: one sentence that can be argued for", path=packet_path(name))
        if ground.locate(quote, self._open(name).source.body) is None:
            raise RefusedFile("the quote does not stand in the source word for word", path=packet_path(name),
                              hint="take it from the source as it is")  # fmt: skip
        self._edit(name, "", lambda text: marking.with_missed(text, title, quote, description))

    @property
    def last(self) -> tuple[str, str] | None:
        """(packet, id) of what `take_back` would undo."""
        return self._done[-1][:2] if self._done else None

    def take_back(self) -> tuple[str, str] | None:
        """Undo the last change of this session; (packet, id) that it was of, None where there is none.

        Raises:
            Conflict: the packet was changed since, or another run holds the lock.
        """
        if not self._done:
            return None
        name, id_, before, after = self._done[-1]
        with writing(self.kb, "review"):
            if self._text(name) != after:
                raise Conflict("changed since: mark it again by hand", path=packet_path(name), hint="codex review")
            perform(self.kb, Act((Change(packet_path(name), after.encode(), before.encode()),)))
        self._done.pop()
        return name, id_

    def preview(self, names: Sequence[str] | None = None) -> list[Preview]:
        """What applying these packets, or all that were opened, would do; those without a mark are left out."""
        found = [self._preview(name) for name in (self._opened if names is None else names)]
        return [each for each in found if each.decided or each.errors or each.held or each.missed or each.fault]

    def apply(self, names: Sequence[str], seen: Mapping[str, str] = {}) -> Reviewed:
        """Apply what is marked in these packets, one commit a source; what stops one is among the faults.

        `seen` are, by packet, the versions that were previewed: one that has changed since stops that packet.
        """
        judging = Judging(self.kb, self.reviewer, self.anyway)
        with writing(self.kb, "review"):
            for name in names:
                if (waiting := self.kb.store.packet(name)) is None:
                    continue
                if seen.get(name, "") not in ("", marking.whole_version(self.kb.store.packet_text(waiting) or "")):
                    judging.result.faults.append(Changed("changed since its preview", path=packet_path(name),
                                                         hint="look at what it does now"))  # fmt: skip
                    continue
                judging.attempt(waiting, judging.marks)
                self._opened.pop(name, None)
        self._done = [each for each in self._done if each[0] not in names]
        return judging.finished()

    def leave(self) -> None:
        """Leave packets that nobody marked as they were found."""
        for opened in self._opened.values():
            put_back(self.kb, opened)
        self._opened.clear()

    def _open(self, name: str) -> Opened:
        """The packet, brought up to date where it was not opened yet or has changed since."""
        waiting = self.kb.store.packet(name)
        if waiting is None:
            raise NotFound("nothing waits here any more", path=packet_path(name), hint="codex proposals")
        known = self._opened.get(name)
        if known is None or known.packet != waiting or self.kb.store.packet_text(waiting) is None:
            with writing(self.kb, "review"):
                known = self._opened[name] = prepared(self.kb, self._judging.nearby, waiting)
        return known

    def _text(self, name: str) -> str:
        """The packet's text as it stands."""
        text = self.kb.store.packet_text(self._opened[name].packet) if name in self._opened else None
        if text is None:
            raise NotFound("the packet is gone", path=packet_path(name), hint="codex proposals")
        return text

    def _edit(self, name: str, id_: str, edited: Callable[[str], str], seconds: float = 0.0) -> None:
        self._open(name)
        with writing(self.kb, "review"):
            before = self._text(name)
            after = edited(packets.without_errors(before))
            perform(self.kb, Act((Change(packet_path(name), before.encode(), after.encode()),)))
            if seconds > 0:
                pace.add(self.kb.layout.root, id_, min(seconds, IDLE_SECONDS))
        self._done.append((name, id_, before, after))

    def _passage(self, evidence: Evidence) -> Passage:
        """A quote with two sentences around it."""
        body, first_line = self.kb.store.quoted(evidence.source)
        place = ground.placed(evidence, body)
        if place is None:
            return Passage(evidence.quote, "", "", evidence.source, 0)
        start, end = place
        first, last = surroundings.around(split(body), start, end)
        line = first_line + body.count("\n", 0, start)
        return Passage(body[start:end], body[first:start], body[end:last], evidence.source, line)

    def _preview(self, name: str) -> Preview:
        waiting = self.kb.store.packet(name)
        if waiting is None:
            return Preview(name, "", 0, "")
        try:
            case = self._judging.case(waiting, self._judging.marks)
        except (RefusedFile, Conflict, NotFound) as error:
            return Preview(name, waiting.source, 0, "", fault=error)
        outcome, paths = case.outcome, case.placed.paths
        held = {id_: hit for id_, hit in case.held.items() if id_ not in outcome.held}
        again = {each.title: each for each in outcome.repeated}  # not told from the rest
        return Preview(
            name, waiting.source, outcome.decided, told(waiting, outcome), outcome.errors, held,
            missed=tuple((title, case.held[id_]) for id_, title in outcome.held.items()),
            claims=(*((each.title, paths[each.proposal.id]) for each in outcome.new),
                    *((title, "") for title, each in again.items() if each.verdict == "approved")),
            added=tuple((each.title, each.claim, each.kind) for each in outcome.added),
            rejected=(*((each.title, each.reason) for each in outcome.rejected),
                      *((title, each.reason) for title, each in again.items() if each.verdict == "rejected")),
            version=marking.whole_version(case.text or ""),
        )  # fmt: skip
