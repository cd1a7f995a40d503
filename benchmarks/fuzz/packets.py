"""Review packets as people, editors and sync programs leave them: nothing is forged, lost or forgotten.

Every word that is typed is a word of its own, so that it can be looked for in what was decided.
"""

from __future__ import annotations

import dataclasses
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.fuzz.case import Ended, damaged, require
from codex_kb.disk.serialise import packet_from_json, packet_to_json
from codex_kb.propose import drafts
from codex_kb.records import Draft, Hit, Packet, Proposal, Source, Turn
from codex_kb.review import decide, packet
from codex_kb.review.decide import Outcome
from codex_kb.text import markdown_file, sentences

_SOURCE = "inbox/archive/2018-05-02-irving-christiano-amodei-ai-safety-via-debate.md"
_CLAIMS = ("codex/ai-alignment/debate-reaches-far.md", "codex/ai-alignment/judges-err.md", "codex/other/judges-err.md")
_HITS = tuple(Hit(path, Path(path).stem.replace("-", " "), 0.9 - 0.2 * n) for n, path in enumerate(_CLAIMS))
_HEADING = re.compile(r"(?:#{1,6}\s*\[([^\]]*)\]|##(?!#))")
_ID = re.compile(r"\s*<!--+\s*id\s*:?\s*([0-9A-Za-z_]+)", re.IGNORECASE)
_TYPED = (
    "x", "[x]", "## [ ]", "# ", "\n", "\r", "\r\n", ">", "- reason:", "- ", "<!--", "-->", "<!-- end -->",
    "<!-- id: ", " ", "\t", "\x00", "\u2028", "\u200b", "reason: x", "type: proposals", "=======\n", "\n\n", "  ",
)  # fmt: skip
_MARKS = ("x", "x", "x", "X", " x ", "-", "-", "-", "-", "+", "+", "", "✓")
_HEADINGS = ("# [ ] ", "### [ ] ", "##[ ]", "## ", "[ ] ", "## [] ", "## [ ", "", "- [ ] ")


@dataclass(frozen=True, slots=True)
class Left:
    """A packet's text as it was left, the proposals of its record, and the words that were typed."""

    text: str
    proposals: tuple[int, ...]
    typed: tuple[str, ...]


class Packets:
    """Packets and what becomes of them before they are applied."""

    tries = 2000

    def __init__(self, folder: Path) -> None:
        """Nothing is written."""

    def make(self, chance: random.Random) -> Left:
        """A packet of up to four proposals after up to eight edits."""
        chosen = tuple(sorted(chance.sample(range(len(_pool())), chance.choice([0, 1, 1, 2, 3, 3, 4]))))
        editor = _Editor(chance, _rendered(chosen).split("\n"))
        for _ in range(chance.randint(0, 8)):
            editor.edit()
        text = "\n".join(editor.lines)
        if chance.random() < 0.15:
            text = damaged(chance, text, (*_TYPED, *(p.id for p in _pool())), chance.randint(1, 3))
        if chance.random() < 0.3:
            text = text.replace("\n", chance.choice(["\r", "\r\n", "\r\n"]))
        if chance.random() < 0.05:
            text = chance.choice(["\ufeff" + text, "", text.rstrip(), text + "\n\n", text.replace(" ", "\u00a0")])
        return Left(text, chosen, tuple(editor.typed))

    def check(self, case: Any) -> Ended:
        """Decide it: errors that decide nothing, or decisions that are all that was marked."""
        record = _packet(case.proposals)
        outcome = decide.decide(record, case.text, read_source(), _named)
        ids = [p.id for p in record.proposals] or [packet.nothing_id(record)]
        decided = [each.proposal.id for group in (outcome.approved, outcome.added, outcome.rejected) for each in group]
        decided += ids if outcome.nothing else []
        missed = {each.proposal.id for each in outcome.missed}
        require(not missed & {*ids} and len(missed) == len(outcome.missed), "a missed claim has the id of another")
        require(
            sorted([*decided, *outcome.waiting]) == sorted(ids),
            f"an id is lost or counted twice: {decided}, {outcome.waiting}",
        )
        _name_by_name(record, case.text)
        if outcome.errors:
            require(not outcome.decided, "something was decided beside errors")
            _told(record, case, outcome)
            return Ended(
                "", re.sub(r'"[^"]*"|: .*|\b[0-9a-f]{12,}\b|^.*(?= names no claim)', "…", outcome.errors[0].message)
            )
        _marked(case.text, outcome)
        _kept(case, record, outcome)
        if outcome.waiting and (decided or missed):
            left = dataclasses.replace(record, proposals=tuple(p for p in record.proposals if p.id in outcome.waiting))
            again = decide.decide(left, outcome.text, read_source(), _named)
            require(not again.errors and not again.decided, f"what is left decides again: {again.errors}")
        return Ended("decided" if decided else "a missed claim" if missed else "left waiting")


# -- checking --------------------------------------------------------------------------------------


def _told(record: Packet, case: Left, outcome: Outcome) -> None:
    """Errors name lines that are there, and shown beside them lose nothing and say the same again."""
    lines = len(re.findall(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+", case.text))
    for error in outcome.errors:
        require(error.message and 0 <= error.line <= max(lines, 1), f"no such line: {error}")
    shown = packet.annotate(case.text, outcome.errors)
    require(all(word in shown for word in case.typed if word in case.text), "a typed word is lost beside errors")
    again = decide.decide(record, shown, read_source(), _named)
    said, before = ([e.message for e in each.errors] for each in (again, outcome))
    require(said == before, f"errors shown in the text change it: {said} after {before}")


def _marked(text: str, outcome: Outcome) -> None:
    """Nothing is decided but what the heading above its id says."""
    mark, marks, nameless = "", dict[str, str](), list[str]()
    for line in re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")):
        if heading := _HEADING.match(line):
            mark = (heading[1] or "").strip().lower()
            nameless.append(mark)
        elif named := _ID.match(line):
            marks[named[1]] = mark
    wanted = {"x": [a.proposal.id for a in outcome.approved], "+": [a.proposal.id for a in outcome.added]}
    for sign, names in wanted.items():
        require(len(names) <= nameless.count(sign), f"more decided than marked {sign}")
        for name in names:
            require(marks.get(name, sign) == sign, f"{name} is not marked {sign}")
    for rejected in outcome.rejected:
        name = rejected.proposal.id
        require(marks.get(name, "-") == "-", f"{name} is not marked -")
        require(rejected.reason != decide.REMOVED or name not in text, f"{name} is in the text, and counts as removed")


def _kept(case: Left, record: Packet, outcome: Outcome) -> None:
    """Every typed word is in what is left of the packet, or in what goes on record or into a claim."""
    ids = [p.id for p in record.proposals] + [each.proposal.id for each in outcome.missed]
    rows = decide.decisions(outcome, dict.fromkeys(ids, "codex/a.md"), "A <a@b>", "now")
    found = json.dumps([dataclasses.asdict(row) for row in rows], ensure_ascii=False)
    found += "".join(outcome.reasons.values()) if outcome.nothing else ""
    found += "".join(f"{a.description} {a.domain} {a.confidence}" for a in outcome.new)
    found += "".join(f"{a.description} {a.claim} {a.kind}" for a in outcome.added)
    if outcome.waiting:
        found += outcome.text
    lost = [word for word in case.typed if word in case.text and word not in found]
    require(not lost, f"a typed word is lost: {lost}")


def _name_by_name(record: Packet, text: str) -> None:
    """The first proposal approved and the last rejected by name, whatever the marks are."""
    ids = [p.id for p in record.proposals]
    outcome = decide.decide_named(
        record, text, read_source(), _named, approve=ids[:1], reject=dict.fromkeys(ids[1:][-1:], "vague")
    )
    require({a.proposal.id for a in outcome.approved} <= {*ids[:1]}, "another is approved than was named")
    require({r.proposal.id for r in outcome.rejected} <= {*ids[1:][-1:]}, "another is rejected than was named")


# -- making ----------------------------------------------------------------------------------------


class _Editor:
    """What people do to a packet's lines."""

    def __init__(self, chance: random.Random, lines: list[str]) -> None:
        self.chance = chance
        self.lines = lines
        self.typed: list[str] = []

    def edit(self) -> None:
        """One edit."""
        often = {self.mark: 30, self.reason: 12, self.change: 8, self.wrap: 3, self.section: 3, self.drop: 1,
                 self.heading: 1, self.loose: 1, self.head: 1, self.miss: 2}  # fmt: skip
        if self.lines:
            self.chance.choices([*often], [*often.values()])[0]()

    def word(self) -> str:
        """A word that stands nowhere else."""
        self.typed.append(f"zq{len(self.typed)}{self.chance.randrange(1000)}zq")
        return self.typed[-1]

    def some(self, begins: Sequence[str]) -> int | None:
        """The number of some line that begins like one of these."""
        found = [n for n, line in enumerate(self.lines) if line.startswith(tuple(begins))]
        return self.chance.choice(found) if found else None

    def mark(self) -> None:
        """Put a mark into a box."""
        if (at := self.some(["## [ ]"])) is not None:
            self.lines[at] = self.lines[at].replace("[ ]", f"[{self.chance.choice(_MARKS)}]", 1)

    def reason(self) -> None:
        """Say why, as people type it."""
        if (at := self.some(["- reason:"])) is not None:
            one, two = self.word(), self.word()
            self.lines[at : at + 1] = self.chance.choice([
                [f"- reason: {one}"], [f"- reason: {one}", f"  {two}"], [f"- reason: {one}", two], ["- reason:", one],
                [f"- Reason : {one}"], [f"-reason: {one}"], [f"* REASON: {one} {two}"], ["- reason:", "", one],
                ["- reason:", "", f"reason: {one}"], [f"  - reason: {one}", "", two],
                [f"- reason: {one}", f"- reason: {two}"],
            ])  # fmt: skip

    def change(self) -> None:
        """Say a title, a field or a quote otherwise."""
        begins = ["## [", "- description:", "- domain:", "- confidence:", "- adds to:", "- as:", "> "]
        if (at := self.some(begins)) is not None:
            line, word = self.lines[at], self.word()
            changed = [f"{line} {word}", line.upper(), re.sub(r"(?<=[:\]>]).*", f" {word}", line)]
            self.lines[at] = self.chance.choice(changed)

    def wrap(self) -> None:
        """Break a line in two, as an editor does."""
        at = self.chance.randrange(len(self.lines))
        words = self.lines[at].split(" ")
        cut = self.chance.randrange(len(words) + 1)
        indent = self.chance.choice(["", "  ", "   "])
        self.lines[at : at + 1] = [" ".join(words[:cut]), indent + " ".join(words[cut:])]

    def loose(self) -> None:
        """Type a line, or at the end of one, anywhere below the head."""
        first = next((n for n, line in enumerate(self.lines) if line.startswith("## ")), 0)
        at, word = self.chance.randint(first, len(self.lines)), self.word()
        if self.chance.random() < 0.3 and at < len(self.lines):
            self.lines[at] += f" {word}"
        else:
            line = self.chance.choice(
                [word, f"I doubt {word}", f"- {word}", f"   - {word}", f"<!-- {word} -->", f"> {word}", f"  {word}"]
            )
            self.lines.insert(at, line)

    def head(self) -> None:
        """Type a line above the sections."""
        first = next((n for n, line in enumerate(self.lines) if line.startswith("## ")), 0)
        self.lines.insert(
            self.chance.randint(0, first),
            self.chance.choice([self.word(), f"- {self.word()}", f"<!-- {self.word()} -->"]),
        )

    def heading(self) -> None:
        """Damage a heading."""
        if (at := self.some(["## ["])) is not None:
            self.lines[at] = self.chance.choice(_HEADINGS) + self.lines[at].partition("] ")[2]

    def miss(self) -> None:
        """Add a claim that nobody proposed, or a part of one."""
        if (at := self.some(["## Missed claim:"])) is None:
            return
        quote = self.chance.choice([s.text for s in sentences.split(read_source().body)])
        part = [f"## Missed claim: {self.word()}", "", f"- description: {self.word()}", "", f"> {quote}", ""]
        if self.chance.random() < 0.2:
            del part[self.chance.randrange(len(part))]
        self.lines[at:at] = part

    def drop(self) -> None:
        """Delete a line or a few."""
        at = self.chance.randrange(len(self.lines))
        del self.lines[at : at + self.chance.choice([1, 1, 1, 3])]

    def section(self) -> None:
        """Delete a section, double it, or put it elsewhere."""
        starts = [n for n, line in enumerate(self.lines) if line.startswith("## ")]
        if not starts:
            return
        at = self.chance.choice(starts)
        last = self.lines.index("<!-- end -->") if "<!-- end -->" in self.lines else len(self.lines)
        end = next((n for n in [*starts, last] if n > at), len(self.lines))
        part, rest = self.lines[at:end], self.lines[:at] + self.lines[end:]
        there = self.chance.choice([n for n in starts if n <= len(rest)] or [0])
        self.lines = self.chance.choice(
            [rest, self.lines[:end] + part + self.lines[end:], rest[:there] + part + rest[there:]]
        )


def claims_near() -> tuple[Hit, ...]:
    """The claims that are near every proposal."""
    return _HITS


def _named(name: str) -> list[str]:
    return [path for path in _CLAIMS if name in (path, Path(path).stem)]


@cache
def _file() -> markdown_file.MarkdownFile:
    return markdown_file.parse((Path(__file__).resolve().parents[2] / _SOURCE).read_bytes(), _SOURCE)


@cache
def read_source() -> Source:
    """The source that all are proposed from."""
    file = _file()
    return Source(_SOURCE, file.fields, file.body, file.body_sha256, "AI safety via debate", "Geoffrey Irving", "",
                  "2018-05-02", "ai-alignment", "processing")  # fmt: skip


@cache
def _pool() -> tuple[Proposal, ...]:
    """Proposals of all shapes, made as ingest makes them."""
    source = read_source()
    prose = [s for s in sentences.split(source.body) if s.kind == "prose"]
    made = []
    for number, sentence in enumerate(prose[:12]):
        hits = _HITS[: number % 4]
        follows = prose[number + 1]
        more = number % 3 == 2
        draft = Draft(
            sentence.text.rstrip("."), ((sentence.start, sentence.end), (follows.start, follows.end))[: 1 + more],
            follows.text if number % 2 else "", "ai-alignment" if number % 5 else "", "likely" if number % 2 else "",
            unlocated=("Nobody wrote this sentence.",) if number % 6 == 5 else (),
            relation=("new", "duplicate", "enriches", "challenges")[number % 4] if hits else "",
            target=hits[0].path if hits else "", why="since it says more" if hits else "",
        )  # fmt: skip
        made.append(drafts.proposal(source, draft, drafts.Near(hits, "ai-alignment" if hits else ""), "extractive", 0))
    argued = (
        Turn("for", "It holds in theory", prose[0].text, source.path),
        Turn("against", "Not for people", "nowhere", ""),
    )
    made[3] = dataclasses.replace(made[3], debate=argued)
    return tuple(made)


@cache
def _packet(chosen: tuple[int, ...]) -> Packet:
    """The record of a packet with these proposals, as it is read from disk."""
    source = read_source()
    held = (("Debate is always right", "wrong"),) if len(chosen) % 2 else ()
    proposals = tuple(_pool()[number] for number in chosen)
    made = Packet("debate", source.path, source.body_sha256, "extractive", 0, proposals, held, ("all parts were read",))
    return packet_from_json(packet_to_json(made), made.name)


@cache
def _rendered(chosen: tuple[int, ...]) -> str:
    return packet.render(
        _packet(chosen), "Irving, AI safety via debate (2018)", packet.Placer(read_source(), _file().body_line)
    )
