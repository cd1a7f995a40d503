"""What each key does: marks go into the packets at once, and are applied together at the end."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click

from codex_kb.apply.reviewed import Reviewed
from codex_kb.cli import editor
from codex_kb.cli.pick import card, missed
from codex_kb.cli.pick.help import HELP
from codex_kb.cli.pick.keys import ENTER, Ended, Keys
from codex_kb.cli.pick.screen import Line, Screen, wrapped
from codex_kb.errors import CodexError, Conflict, NotFound, RefusedFile
from codex_kb.layout import packet_path
from codex_kb.review import packet as packets
from codex_kb.review.reading import ADDS_TO, AS, PacketError, Section
from codex_kb.workflow.desk import Desk, Item, Preview

REASONS = {"d": "duplicate", "v": "vague", "u": "unsupported", "t": "trivial", "w": "wrong"}
KINDS = {"e": "extend", "c": "confirm", "h": "challenge"}
KEPT = "nothing was applied; your marks are kept in the packets. codex review -p goes on, --apply applies them"


class Session:
    """One review at a desk: the packets that wait (`names`), what was applied (`result`, None where nothing was)."""

    def __init__(
        self, desk: Desk, keys: Keys, screen: Screen, edit: Callable[[Path], int], sure: bool = False
    ) -> None:
        """`edit` opens a file in the user's editor; who is `sure` is not asked before marks are applied."""
        self.desk = desk
        self.keys = keys
        self.screen = screen
        self.result: Reviewed | None = None
        self.item: Item | None = None
        self._edit_file = edit
        self._sure = sure
        queue = desk.queue()
        sections = {name: self._sections(name) for name in dict.fromkeys(name for name, _ in queue)}
        self.names = list(sections)
        #: What has a section: what was deleted in an editor is decided.
        self._places = [(name, id_) for name, id_ in queue if id_ in sections[name]]
        marks = [sections[name][id_].mark for name, id_ in self._places]
        self._at = marks.index("wait") if "wait" in marks else len(marks)
        self._left = False
        self._headed = ""
        self._began = 0.0
        self._sought = ""
        #: What was edited and could not be read, by its section as it was before.
        self._drafts: dict[tuple[str, str, str], str] = {}
        self._acts: dict[str, Callable[[], bool]] = {
            "y": self._approve, "n": self._reject, "N": lambda: self._rejected(""), "+": self._add, "e": self._edit,
            "s": self._later, ENTER: self._on, " ": self._on, "b": self._back, "u": self._undo, "/": self._find,
            "d": self._rest, "m": self._missed, "i": self._in_full, "q": self._finish, "Q": self._leave,
            "?": self._help,
        }  # fmt: skip
        self._acts |= {key.upper(): self._rejecter(reason) for key, reason in REASONS.items()}

    def run(self) -> Reviewed | None:
        """Until what is marked is applied, or the user leaves. What nobody marked is left as it was found."""
        try:
            while self.result is None and not self._left:
                if self._at < len(self._places):
                    self._one()
                else:
                    self._finish()
        except Ended:
            self._leave()
        finally:
            with contextlib.suppress(CodexError):
                self.desk.leave()
        return self.result

    # -- what waits ------------------------------------------------------------------------------

    def _sections(self, name: str) -> dict[str, Section]:
        """What a packet says; nothing of one that cannot be read, which is said."""
        try:
            return self.desk.sections(name)
        except CodexError as error:
            self._trouble(error)
            return {}

    def _open(self, name: str) -> list[str]:
        """The ids of a packet that are not marked."""
        return [id_ for id_, section in self._sections(name).items() if section.mark == "wait"]

    def _go(self, place: tuple[str, str]) -> None:
        if place in self._places:
            self._at = self._places.index(place)

    # -- one proposal ----------------------------------------------------------------------------

    def _one(self) -> None:
        """Show one proposal, and do what keys say until it is left."""
        try:
            self.item = item = self.desk.item(*self._places[self._at])
        except Conflict as error:
            self._trouble(error)
            if self._asked("Enter tries again, Q leaves:") == "Q":
                self._leave()
            return
        except (NotFound, RefusedFile) as error:
            self._trouble(error)
            del self._places[self._at]
            return
        self._show(item)
        self._began = time.monotonic()
        moved = False
        while not moved:
            act = self._acts.get(self._asked(self._question(item)))
            try:
                moved = act() if act else self._say("that key does nothing here: ? shows them")
            except NotFound as error:
                self._trouble(error)
                moved = True
            except CodexError as error:
                self._trouble(error)

    def _show(self, item: Item) -> None:
        width = self.screen.width
        self.keys.forget()  # what was typed before it was shown is no answer to it
        self.screen.show([Line("")])
        if item.name != self._headed:
            self._headed = item.name
            self.screen.show(card.source(item, len(self._open(item.name)), width))
            if card.alone(item):
                self._in_full()
        self.screen.show(card.proposal(item, f"{self._at + 1}/{len(self._places)}", width))

    def _question(self, item: Item) -> str:
        if card.alone(item):
            return "y read, show its proposals · m add what it claims · i read it again · s later · ? help:"
        if item.proposal is None:
            return "y nothing to claim here · m add a claim · i the source · s later · ? help:"
        add = " · + add" if self._claim(item) else ""
        return f"y approve · n D V U T W reject{add} · e edit · s later · u undo · ? help:"

    def _asked(self, question: str) -> str:
        self.screen.ask(question)
        key = self.keys.key()
        click.echo({ENTER: ""}.get(key, key) if key.isprintable() or key == ENTER else "")
        return key

    def _say(self, text: str) -> bool:
        """Say something, and stay."""
        self.screen.say(text)
        return False

    def _trouble(self, error: CodexError) -> None:
        self.screen.say(str(error), "! ")
        if error.hint:
            self.screen.say(error.hint, "  → ")

    @property
    def _seconds(self) -> float:
        """How long a person looked."""
        return time.monotonic() - self._began if self.keys.paced else 0.0

    def _current(self) -> Item:
        assert self.item is not None
        return self.item

    # -- decisions -------------------------------------------------------------------------------

    def _mark(self, mark: str, fields: dict[str, str]) -> bool:
        item = self._current()
        if item.section.mark == "reject" and item.section.fields.get("reason"):
            fields = {"reason": "", **fields}  # it said why it was rejected
        self.desk.mark(item.name, [item.id], mark, fields, self._seconds)
        self._at += 1
        return True

    def _approve(self) -> bool:
        return self._mark("approve", {})

    def _reject(self) -> bool:
        if self._current().proposal is None:
            return self._say("nothing is proposed here: y, m or s")
        key = self._asked("why? duplicate, vague, unsupported, trivial, wrong, o own words, Enter none:")
        if key in ("o", '"'):
            words = self.keys.line("reason: ")
            return self._rejected(words) if words else self._say("not rejected")
        if key == ENTER or key in REASONS:
            return self._rejected(REASONS.get(key, ""))
        return self._say("not rejected")

    def _rejecter(self, reason: str) -> Callable[[], bool]:
        return lambda: self._rejected(reason)

    def _rejected(self, reason: str) -> bool:
        if self._current().proposal is None:
            return self._say("nothing is proposed here: y, m or s")
        return self._mark("reject", {"reason": reason} if reason else {})

    def _claim(self, item: Item) -> tuple[str, str] | None:
        """The claim that it may be added to, as a link, and how."""
        link, kind = item.section.fields.get(ADDS_TO, ""), item.section.fields.get(AS, "")
        if not link and item.adds_to:
            link, kind = packets.link(item.adds_to[0]), kind or item.adds_to[1]
        return (link, kind or packets.KINDS[0]) if link and item.proposal else None

    def _add(self) -> bool:
        found = self._claim(self._current())
        if found is None:
            return self._say("no claim is near enough: e edits this one, write there - adds to: [[claim]]")
        link, kind = found
        shown = self._current().adds_to
        where = "" if shown and packets.link(shown[0]) == link else f"to {link} "
        key = self._asked(f"add {where}as? e extend · c confirm · h challenge · Enter {kind}:")
        if key != ENTER and key not in KINDS:
            return self._say("not added")
        return self._mark("add", {ADDS_TO: link, AS: KINDS.get(key, kind)})

    def _rest(self) -> bool:
        item = self._current()
        ids = self._open(item.name)
        if item.proposal is None or not ids:
            return self._say("nothing is open here")
        if self._asked(f"reject {_open_ones(len(ids))} of this source as trivial? y/n:") != "y":
            return self._say("not rejected")
        self.desk.mark(item.name, ids, "reject", {"reason": "trivial"}, self._seconds)
        self._at = next((n for n in range(self._at, len(self._places)) if self._places[n][0] != item.name),
                        len(self._places))  # fmt: skip
        return True

    def _later(self) -> bool:
        item = self._current()
        return self._on() if item.section.mark == "wait" else self._mark("wait", {})

    # -- moving ----------------------------------------------------------------------------------

    def _on(self) -> bool:
        self._at += 1
        return True

    def _back(self) -> bool:
        if self._at == 0:
            return self._say("this is the first")
        self._at -= 1
        return True

    def _undo(self) -> bool:
        place = self.desk.take_back()
        if place is None:
            return self._say("nothing to undo in this session")
        self._go(place)
        if not place[1]:
            return self._say("the claim that was added is taken out again")
        section = self._sections(place[0]).get(place[1])
        self.screen.say(f"taken back: {section.title if section else place[1]}")
        return True

    def _find(self) -> bool:
        typed = self.keys.line(f"find (Enter: {self._sought}): " if self._sought else "find: ")
        self._sought = typed or self._sought
        word = self._sought.casefold()
        count = len(self._places)
        sections = {name: self._sections(name) for name in self.names}
        for step in range(1, count + 1) if word else ():
            at = (self._at + step) % count
            name, id_ = self._places[at]
            section = sections[name].get(id_)
            if section and word in "\n".join([section.title, *section.quotes]).casefold():
                self._at = at
                return True
        return self._say(f"nothing that waits says {word}" if word else "nothing to find")

    # -- more ------------------------------------------------------------------------------------

    def _help(self) -> bool:
        for keys, what in HELP:
            self.screen.say(what, f"{keys:>9}  ")
        return False

    def _in_full(self) -> bool:
        """All of it in the user's pager: a proposal as its packet says it, else its source."""
        item = self._current()
        text = item.section.text if item.proposal else item.source.body
        lines = [(line, " " * min(len(line) - len(line.lstrip()), 8)) for line in text.splitlines()]
        width = self.screen.width
        with self.keys.usual():
            click.echo_via_pager(f"{part}\n" for line, indent in lines for part in wrapped(line, width, indent))
        return False

    def _missed(self) -> bool:
        item = self._current()
        near = item.source.body.find(item.passages[0].quote) if item.passages else 0
        found = missed.ask(self.keys, self.screen, item.source.body, near)
        if found is None:
            return self._say("nothing was added")
        self.desk.miss(item.name, *found)
        self.screen.say(f"added as your claim: {found[0]}")
        return True

    def _edit(self) -> bool:
        """This section in the editor, again until it can be read."""
        item = self._current()
        if item.proposal is None:
            return self._say("nothing is proposed here: y, m or s")
        before = item.section.text
        draft = item.name, item.id, before
        text = self._drafts.get(draft, before)
        while True:
            with self.keys.usual():
                ended, typed = editor.typed(self._edit_file, f"{item.id}.md", text)
            typed = packets.without_errors(typed)
            if ended or not typed.strip() or typed == before:
                return self._say(f"the editor ended with {ended}: left as it was" if ended else "left as it was")
            typed = typed.rstrip() + before[len(before.rstrip()) :]
            errors = self._put_in(item, typed)
            if not errors:
                return True
            for error in errors:
                self.screen.say(f"line {error.line}: {error.message}", "! ")
            text = self._drafts[draft] = packets.annotate(typed, errors)
            if self._asked("e edits it again; any other key leaves it as it was, and keeps your text for e:") != "e":
                return False

    def _put_in(self, item: Item, typed: str) -> list[PacketError]:
        """Put a section in place of its own where nothing is wrong with it; else what is."""
        try:
            errors = self.desk.faults(item.name, item.id, typed)
            if not errors:
                self.desk.rewrite(item.name, item.id, typed, self._seconds)
        except KeyError:
            raise NotFound("this proposal was taken out of its packet meanwhile", path=packet_path(item.name)) from None
        return errors

    # -- the end ---------------------------------------------------------------------------------

    def _leave(self) -> bool:
        self._left = True
        self.screen.show([Line("")])
        self.screen.say(KEPT)
        return True

    def _finish(self) -> bool:
        """Show what will be applied, and apply it where the user says so."""
        previews = self.desk.preview(self.names)
        self.keys.forget()
        self.screen.show([Line("")])
        if not previews:
            self.screen.say("nothing is marked, so nothing is applied")
            self._left = True
            return True
        for each in previews:
            self.screen.show(card.preview(each, self._sections(each.name), self.screen.width))
        question = "apply? y apply · b back · u undo the last · Q leave, marks are kept:"
        try:
            self._answered("y" if self._sure else self._asked(question), previews)
        except CodexError as error:
            if self._sure:
                raise
            self._trouble(error)
        return True

    def _answered(self, key: str, previews: Sequence[Preview]) -> None:
        if key == "y":
            seen = {each.name: each.version for each in previews}
            self.result = self.desk.apply([*seen], seen)
        elif key == "b":
            self._return(previews)
        elif key == "u":
            self._undo()
        elif key == "Q":
            self._leave()
        else:
            self._say("that key does nothing here: y, b, u or Q")

    def _return(self, previews: Sequence[Preview]) -> None:
        """Back to what stands in the way, else to where this was left, or to the last."""
        place = next(itertools.chain.from_iterable(map(self._in_the_way, previews)), None)
        for each in previews:
            if each.held:
                self.desk.notice(each.name, each.held)
        self._at = min(self._at, max(0, len(self._places) - 1))
        if place:
            self._go(place)

    def _in_the_way(self, each: Preview) -> Iterator[tuple[str, str]]:
        sections = self._sections(each.name).values()
        for error in each.errors:
            above = [section.id for section in sections if section.line <= error.line]
            yield from ((each.name, id_) for id_ in above[-1:])
        yield from ((each.name, id_) for id_ in each.held or ())


def _open_ones(count: int) -> str:
    return "the one that is open" if count == 1 else f"all {count} that are open"
