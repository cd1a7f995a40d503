"""What the page asks to be written: JSON in, the verbs of the desk called, JSON out. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from codex_kb import views
from codex_kb.errors import Changed, UsageError
from codex_kb.review import marking
from codex_kb.review.reading import FIELDS, Section
from codex_kb.text.marks import one_line
from codex_kb.web.room import Room
from codex_kb.workflow.undo import undo

Value = dict[str, Any]
#: The most proposals that one write marks.
_MOST = 10_000


def mark(room: Room, asked: Value) -> Value:
    """Mark proposals of a packet, and set fields: {name, items: [{id, seen}], mark, fields, seconds}.

    What stands so already is no conflict: an answer may have been lost.
    """
    name, wanted, fields = _text(asked, "name"), _text(asked, "mark"), _fields(asked)
    seen = {_text(each, "id"): _text(each, "seen") for each in _list(asked, "items")}
    if not seen or wanted not in marking.MARKS:
        raise UsageError("nothing is marked")
    before = _sections(room, name)
    if not all(id_ in before and _stands(before[id_], wanted, fields) for id_ in seen):
        room.desk.mark(name, list(seen), wanted, fields, _seconds(asked), seen)
    now = _sections(room, name)
    return {"name": name, "items": [_item(now[id_]) for id_ in seen]}


def take_back(room: Room, asked: Value) -> Value:
    """Undo the last change of this server, if it is the one that is meant: {name, id, seen}; an empty id means any."""
    name, id_, seen = _text(asked, "name"), _text(asked, "id"), _text(asked, "seen")
    last = room.desk.last
    if last is None:
        raise Changed("nothing was marked since codex review --web was started", hint="mark it again")
    now = _sections(room, name)
    if last[0] != name or (id_ and last[1] != id_) or (seen and id_ in now and marking.version(now[id_]) != seen):
        raise Changed("the last mark was made in another tab", hint="undo it there, or mark this one again")
    room.desk.take_back()
    return {"name": name, "id": last[1], "items": [_item(each) for each in _sections(room, name).values()]}


def miss(room: Room, asked: Value) -> Value:
    """Add a claim that nobody proposed: {name, title, quote, description}; one of this title is there already."""
    name, title = _text(asked, "name"), _text(asked, "title")
    if one_line(title) not in {each.title for each in room.desk.sheet(name).missed if each.title}:
        room.desk.miss(name, title, _text(asked, "quote"), _text(asked, "description"))
    return {"name": name, "title": one_line(title)}


def apply(room: Room, asked: Value) -> Value:
    """Apply what was previewed of a packet: {name, seen}."""
    name = _text(asked, "name")
    source = room.desk.sheet(name).source.path
    done = room.desk.apply([name], {name: _text(asked, "seen")})
    return {
        "approved": done.approved, "added": [list(each) for each in done.added],
        "rejected": [list(each) for each in done.rejected], "waiting": done.waiting,
        "faults": [views.error(each)["error"] for each in done.faults],
        "page": f"/decided?of={quote(source, safe='')}",
    }  # fmt: skip


def withdraw(room: Room, asked: Value) -> Value:
    """Take an applied decision back, as `codex undo` does: {id, why}."""
    return views.undone(undo(room.kb, _text(asked, "id"), room.reviewer, _text(asked, "why")))


#: What may be asked for, by the last part of its address.
WRITES: Mapping[str, Callable[[Room, Value], Value]] = {
    "mark": mark, "undo": take_back, "missed": miss, "apply": apply, "withdraw": withdraw,
}  # fmt: skip


def _sections(room: Room, name: str) -> dict[str, Section]:
    return {each.id: each for each in room.desk.sheet(name).sections}


def _item(section: Section) -> Value:
    return {"id": section.id, "mark": section.mark, "version": marking.version(section),
            "reason": section.fields.get("reason", "")}  # fmt: skip


def _stands(section: Section, mark_: str, fields: Mapping[str, str]) -> bool:
    """Is a section marked and filled in as is asked for?"""
    now = {**section.fields, "title": section.title}
    return section.mark == mark_ and all(now.get(name, "") == one_line(text) for name, text in fields.items())


def _fields(asked: Value) -> dict[str, str]:
    found = asked.get("fields", {})
    if not isinstance(found, dict) or found.keys() - {"title", *FIELDS}:
        raise UsageError("fields is no object of a section's fields")
    return {name: _text(found, name) for name in found}


def _text(asked: Any, name: str) -> str:
    found = asked.get(name, "") if isinstance(asked, dict) else None
    if not isinstance(found, str):
        raise UsageError(f"{name} is no text")
    try:
        found.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{name} is no Unicode text") from None
    return found


def _list(asked: Value, name: str) -> list[Any]:
    found = asked.get(name)
    if not isinstance(found, list) or len(found) > _MOST:
        raise UsageError(f"{name} is no list")
    return found


def _seconds(asked: Value) -> float:
    found = asked.get("seconds", 0)
    return float(found) if isinstance(found, int | float) and 0 < found < 1e6 else 0.0
