"""The generations of a knowledge base, read through the gate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from codex_kb.disk import gate
from codex_kb.errors import CodexError, RefusedFile
from codex_kb.layout import GENERATIONS
from codex_kb.learn import generation as files
from codex_kb.learn.course import NAME, Course, Event, course, from_line
from codex_kb.learn.generation import Generation

EVENTS = f"{GENERATIONS}/events.jsonl"
#: Bytes of a generation's file, at most.
_LIMIT = 16_000_000


def named(root: Path, name: str) -> Generation:
    """The generation of a name.

    Raises:
        RefusedFile: its files hold none.
    """
    folder = f"{GENERATIONS}/{name}"
    try:
        found = {each: gate.read(root, f"{folder}/{each}", _LIMIT) for each in (files.FACTS, files.DIRECTION)}
        more = gate.read_if_there(root, f"{folder}/{files.DIRECTIONS}", _LIMIT)
        return files.from_files(name, found | ({files.DIRECTIONS: more} if more is not None else {}))
    except (CodexError, ValueError) as error:
        why = error.message if isinstance(error, CodexError) else str(error)
        raise RefusedFile(f"no generation that can be read: {why}", path=folder,
                          hint="git checkout it; or codex distill --rollback 0, and delete it") from error  # fmt: skip


@dataclass(frozen=True)
class Generations:
    """What `codex/generations/` holds."""

    root: Path

    @cached_property
    def events(self) -> list[Event]:
        """What happened. Raises RefusedFile."""
        data = gate.read_if_there(self.root, EVENTS) or b""
        found = []
        for number, line in enumerate(data.split(b"\n"), 1):
            try:
                found += [from_line(line)] if line.strip() else []
            except ValueError as error:
                raise RefusedFile(f"not an event of a generation: {error}", path=EVENTS, line=number,
                                  hint="mend or delete the line") from error  # fmt: skip
        return found

    @cached_property
    def course(self) -> Course:
        """Which generation is in force, and which on trial. Raises RefusedFile."""
        return course(self.events)

    @cached_property
    def all(self) -> dict[str, Generation]:
        """Every generation by name, in order of number. Raises RefusedFile."""
        folder = self.root / GENERATIONS
        names = [each.name for each in folder.iterdir() if each.is_dir()] if folder.is_dir() else []
        found = [named(self.root, name) for name in names if name and NAME.fullmatch(name)]
        return {each.name: each for each in sorted(found, key=lambda g: (g.number, g.name))}

    @property
    def heads(self) -> list[Generation]:
        """Those that no other comes from: several where branches were merged. Raises RefusedFile."""
        parents = {parent for each in self.all.values() for parent in each.parents}
        return [each for each in self.all.values() if each.name not in parents]

    def lessons(self, name: str) -> set[str]:
        """The decisions (`examples.key`) that a generation learned from. Raises RefusedFile."""
        found: set[str] = set()
        taken_back: set[str] = set()
        waiting, seen = [name], set()
        while waiting:
            each = waiting.pop()
            if each in seen or each not in self.all:
                continue
            seen.add(each)
            found.update(self.all[each].learned)
            taken_back.update(self.all[each].unlearned)
            waiting += self.all[each].parents
        return found - taken_back
