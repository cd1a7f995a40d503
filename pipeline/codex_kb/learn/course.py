"""What happened to the generations of a knowledge base: which one is in force, which one is on trial.

Events are lines of a log that git merges by union; the last line in time counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from codex_kb.text import json_of_others

#: A generation was closed; it took over; a person went back to one; a person holds one until they go back.
CLOSED, IN_FORCE, ROLLED_BACK, PINNED = "closed", "in force", "rolled back", "pinned"
NAME = re.compile(r"(?:[1-9]\d{0,8}-[0-9a-f]{8})?")
_KINDS = (CLOSED, IN_FORCE, ROLLED_BACK, PINNED)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the generation of a name, "" for the untaught one; `by` is empty for the program."""

    time: str
    kind: str
    generation: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """Where things stand: the names of the generations in force and on trial, empty for none.

    `relied_on` says that the next generation takes over as it is closed; the record of trials counts after `since`.
    """

    in_force: str = ""
    trial: str = ""
    relied_on: bool = False
    pinned: bool = False
    since: str = ""


def course(events: Iterable[Event]) -> Course:
    """Where these events lead."""
    now = Course()
    for event in sorted(events, key=lambda each: each.time):
        if event.kind == CLOSED:
            now = now if now.pinned else replace(now, trial=event.generation)
        elif event.kind == IN_FORCE:
            now = replace(now, in_force=event.generation, trial="", relied_on=True)
        else:
            now = Course(event.generation, pinned=event.kind == PINNED, since=event.time)
    return now


def number(name: str) -> int:
    """The number of the generation of a name, 0 of the untaught one."""
    return int(name.partition("-")[0]) if name else 0


def to_lines(events: Iterable[Event]) -> bytes:
    """Events as they are appended."""
    values = ({"time": e.time, "kind": e.kind, "generation": e.generation, "by": e.by} for e in events)
    return b"".join(json.dumps(value, ensure_ascii=False).encode() + b"\n" for value in values)


def from_line(line: bytes) -> Event:
    """The event of one line. Raises ValueError."""
    found = json_of_others.record(Event, json_of_others.read(line))
    if found.kind not in _KINDS:
        raise ValueError(f"nothing that happens to a generation: {found.kind}")
    if not NAME.fullmatch(found.generation):
        raise ValueError(f"not the name of a generation: {found.generation}")
    return found
