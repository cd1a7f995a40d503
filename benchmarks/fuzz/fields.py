"""Frontmatter, sound and faulty, edited by the program: PyYAML and ruamel.yaml read what was asked for, and no more.

Both read each scalar as text (their base loaders). What neither of them reads is held to less: only lines of the
fields that change may go, and only theirs may come.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import random
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from benchmarks.fuzz.case import Ended, damaged, require
from codex_kb.errors import RefusedFile
from codex_kb.text.markdown_file import parse, set_fields

_FENCED = re.compile(r"(\ufeff?---[ \t]*\r?\n)((?:.*?\r?\n)??)(---[ \t]*(?:\r?\n|$).*)", re.DOTALL)
#: A line that begins a field, and is not the rest of what stands in brackets above.
_HEAD = re.compile(r"[\w\"'][^,\[\]{}]*?:(?:\s|$)")
#: What the program says, without the names and values of a case.
_NAMES = re.compile(r"cannot set .*?: |`[^`]*`|\d[\d,]*|&\S+")

_KEYS = ("status", "title", "notes", "tags", "processed_date", "date", "author", "'q k'", '"d q"', "x.y", "1", "ключ")
_WORDS = (
    "plain", "two words", "Ünïcode — “ok”", "😀", "2026-03-00", "2026-01-02", "007", "yes", "~", "", "null", "1e3",
    "it's", "a:b", "http://example.org/#x", "x #y", "tab\there", "nb\u00a0sp", "line\u2028sep", "nel\x85",
    "back\\slash", "[[link]]", "*star", "@at", "%", "- dash", "! bang", "12:30:45", "<<", "=", "a, b", "{",
    "trailing  ",
)  # fmt: skip
#: Those that mean themselves without quotes, and in brackets.
_SOUND = (
    "plain", "two words", "Ünïcode — “ok”", "😀", "2026-03-00", "2026-01-02", "007", "yes", "~", "null", "1e3", "it's",
    "x #y", "http://example.org/#x", "nb\u00a0sp", "back\\slash", "12:30:45", "trailing  ",
)  # fmt: skip
_TYPED = (
    "\t", "\n", "\r", "\r\n", " ", "  ", ":", ": ", " #", "#", '"', "'", "- ", "[", "]", "{", "}", ",", "|", ">",
    "&a ", "*a", "!!str ", "? ", "---\n", "...\n", "%YAML 1.1\n", "\ufeff", "\x01", "\u2028", "é", "stray line\n",
    "status: x\n", "\\", "~", "<<: *a\n", "\n\n", "\n# note\n",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    "processed", "null-result", "2026-07-28", "2026-02-30", "extractive", "yes", "null", "", " ", "a: b", "x # y",
    "12:30", "0x1F", "line\nbreak", "quote \" and '", "- item", "😀 \u2028 \x85 \ufeff \x7f",
    "nothing approved: 2 vague, 1 wrong", 3, True, None, None, (), ("one-claim", "another-claim"),
    ("a, b", "c: d", "", "ü"), {"a": [1, {"b": None}], "c # d": "e"},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Edit:
    """A file's text, and what its fields are to be."""

    text: str
    changes: Mapping[str, Any]


class Fields:
    """Frontmatters and edits of their fields."""

    tries = 2000

    def __init__(self, folder: Path) -> None:
        """Nothing is written."""

    def make(self, chance: random.Random) -> Edit:
        """A file and one to three changes."""
        inside = _inside(chance)
        if chance.random() < 0.3:
            inside = damaged(chance, inside, _TYPED, chance.randint(1, 3))
        if chance.random() < 0.25:
            inside = re.sub(r"\r?\n", "\r\n", inside)
        newline = "\r\n" if inside.endswith("\r\n") else "\n"
        inside += newline if inside and not inside.endswith("\n") else ""
        body = chance.choice(["", "\nbody\n", "\n# T\r\n\r\nno end", "---\nx: y\n---\n"])
        mark = "\ufeff" if chance.random() < 0.1 else ""
        opening, closing = chance.choice(["---", "---", "--- \t"]), chance.choice(["---", "---", "---  "])
        text = f"{mark}{opening}{newline}{inside}{closing}{newline}{body}"
        names = [key.strip("'\"") for key in _KEYS]
        there = [key for key in names if re.search(rf"^['\"]?{re.escape(key)}['\"]? *:", inside, re.MULTILINE)]
        keys = [chance.choice(there if there and chance.random() < 0.8 else names) for _ in range(chance.randint(1, 3))]
        return Edit(text if chance.random() < 0.98 else body, {key: chance.choice(_VALUES) for key in keys})

    def check(self, case: Any) -> Ended:
        """Edit it, and read what came of it twice."""
        data = case.text.encode()
        try:
            result = set_fields(data, case.changes, "f.md")
        except RefusedFile as error:
            require(error.path == "f.md" and error.line and error.hint, "a refusal without path, line or hint")
            return Ended("", " ".join(_NAMES.sub("…", error.message).split()))
        before, after = case.text, result.decode()
        if result == data:
            there = parse(data, "f.md").fields
            wanted = {key: _text(value) for key, value in case.changes.items() if value is not None}
            require(wanted.items() <= there.items(), "an edit that changed nothing, and is not there")
            require(not [key for key, value in case.changes.items() if value is None and key in there], "not removed")
            return Ended("nothing to change")
        return _compared(before, after, case.changes)


# -- checking --------------------------------------------------------------------------------------


def _compared(before: str, after: str, changes: Mapping[str, Any]) -> Ended:
    old, new = _FENCED.match(before), _FENCED.match(after)
    assert new is not None
    if old is None:
        require(after.removeprefix("\ufeff").endswith(before.removeprefix("\ufeff")), "the text below is another")
        _same_meaning({}, _read_pyyaml(new[2]), changes, "PyYAML")
        return Ended("edited")
    require((old[1], old[3]) == (new[1], new[3]), "a fence, the body or the byte-order mark changed")
    readers = {"PyYAML": _read_pyyaml, "ruamel.yaml": _read_ruamel}
    readable = []
    for name, read in readers.items():
        known = read(old[2])
        if known is not None:
            readable.append(name)
            _same_meaning(known, read(new[2]), changes, name)
    if "PyYAML" in readable:
        # Where a value is faulty to the program, its text goes to the line's end.
        sound = not parse(before.encode(), "f.md").faults
        _same_lines(old[2], new[2], changes, sound)
    else:
        _only_own_lines(old[2], new[2], changes)
    both = {2: "edited", 0: "edited though neither reads it"}
    return Ended(both[len(readable)] if len(readable) != 1 else f"edited though {readable[0]} alone reads it")


def _same_meaning(
    known: Mapping[str, Any], found: Mapping[str, Any] | None, changes: Mapping[str, Any], name: str
) -> None:
    require(found is not None, f"{name} reads it no longer")
    assert found is not None
    expected = dict(known)
    for key, value in changes.items():
        if value is None:
            expected.pop(key, None)
        else:
            expected[key] = _text(value)
    require(list(found.items()) == list(expected.items()), f"{name} reads something else: {found} for {expected}")


def _same_lines(old: str, new: str, changes: Mapping[str, Any], remarks: bool) -> None:
    """Without the lines of the fields that change, both have the same lines; remarks behind a value stay."""
    places = [_places(text, changes) for text in (old, new)]
    kept = []
    for text, found in zip((old, new), places, strict=True):
        lines = text.split("\n")
        gone = {line for _, first, last, _ in found for line in range(first, last + 1)}
        kept.append([line for number, line in enumerate(lines) if number not in gone])
    require(kept[0] == kept[1], "a line of another field changed")
    for key, first, last, tail in places[0]:
        if remarks and changes[key] is not None and first == last and "#" in tail:
            require(any(key == k and tail == t for k, _, _, t in places[1]), "a remark behind a value is lost")
    for line, key in ((new.split("\n")[first], key) for key, first, _, _ in places[1]):
        if line not in old.split("\n"):
            _same_for_all(line, key, changes[key])


def _places(text: str, keys: Mapping[str, Any]) -> list[tuple[str, int, int, str]]:
    """(key, first line, last line, what stands behind the value) of the fields with these keys, in order."""
    node = yaml.compose(text, Loader=yaml.BaseLoader)
    found = []
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value in keys:
            end = max(_end(value, text), key.end_mark.index)
            stop = text.find("\n", end)
            tail = text[end : len(text) if stop < 0 else stop].strip().removeprefix(":").strip()
            first = text.count("\n", 0, key.start_mark.index)
            found.append((key.value, first, text.count("\n", 0, end), tail))
    return found


def _end(node: yaml.Node, text: str) -> int:
    """Where a value ends: a block's own end mark stands at what follows it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
        return max(_end(last, text), _end(node.value[-1][0], text) if isinstance(node, yaml.MappingNode) else 0)
    start, end = node.start_mark.index, node.end_mark.index
    return int(start + len(text[start:end].rstrip()))


def _same_for_all(line: str, key: str, value: Any) -> None:
    """A line that was written means the same in YAML 1.1 and 1.2, with their types."""
    ours = yaml.safe_load(line), YAML(typ="safe", pure=True).load(line)
    for ((found_key, found),) in (mapping.items() for mapping in ours):
        if isinstance(found, datetime.date):
            found = found.isoformat()  # noqa: PLW2901
        wanted = list(value) if isinstance(value, tuple) else value
        require(found == wanted and str(found_key) == key, f"its type is another: {found!r} for {wanted!r}")


def _only_own_lines(old: str, new: str, changes: Mapping[str, Any]) -> None:
    """Lines that are gone are of a field that changes, lines that came are one a field, the others keep their order."""
    before, after = old.split("\n"), new.split("\n")
    own = _own(before, changes)
    came = {number for number, line in enumerate(after) if _key(line) in changes}
    kept = [line for number, line in enumerate(after) if number not in came]
    at = 0
    for number, line in enumerate(before):
        if at < len(kept) and kept[at] == line and not (number in own and _key(line) in changes):
            at += 1
        else:
            require(number in own, "a line of another field is gone")
    require(at == len(kept), "a line came that is of no field")


def _own(lines: Sequence[str], keys: Mapping[str, Any]) -> set[int]:
    found, inside = set(), False
    for number, line in enumerate(lines):
        inside = _key(line) in keys if _HEAD.match(line) else inside
        if inside:
            found.add(number)
    return found


def _key(line: str) -> str:
    """The key that a line begins with; empty where it begins with none."""
    if not _HEAD.match(line):
        return ""
    name = line.removeprefix("\ufeff").partition(":")[0].strip()
    with contextlib.suppress(yaml.YAMLError):
        name = str(yaml.load(name, Loader=yaml.BaseLoader))
    return name


def _read_pyyaml(text: str) -> dict[str, Any] | None:
    with contextlib.suppress(yaml.YAMLError, ValueError, TypeError):
        return _mapping(yaml.load(text, Loader=yaml.BaseLoader))
    return None


def _read_ruamel(text: str) -> dict[str, Any] | None:
    reader = YAML(typ="base", pure=True)
    with contextlib.suppress(YAMLError, ValueError, TypeError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an anchor twice
        return _mapping(reader.load(text))
    return None


def _mapping(value: Any) -> dict[str, Any] | None:
    return {} if value is None else value if isinstance(value, dict) else None


def _text(value: Any) -> Any:
    """A value as loaders read it that leave all scalars text."""
    if isinstance(value, Mapping):
        return {key: _text(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_text(item) for item in value]
    return value if isinstance(value, str) else json.dumps(value)


# -- making ----------------------------------------------------------------------------------------


def _inside(chance: random.Random) -> str:
    if chance.random() < 0.02:
        return chance.choice(
            ["", "# remark only\n", "{status: a, title: [b]}\n", "%YAML 1.1\n---\nstatus: a\n", "- list\n"]
        )
    keys = chance.sample(_KEYS, chance.randint(1, 7))
    if chance.random() < 0.08:
        keys.insert(chance.randrange(len(keys) + 1), chance.choice(keys))
    lines: list[str] = []
    words = _SOUND if chance.random() < 0.8 else _WORDS
    for key in keys:
        if chance.random() < 0.15:
            lines.append(chance.choice(["", "# a remark: with a colon", "  # indented", ""]))
        lines += _field(chance, key, words, any("&a " in line for line in lines) or words is _WORDS)
    return "\n".join(lines) + "\n"


def _field(chance: random.Random, key: str, words: Sequence[str], alias: bool) -> list[str]:
    colon = chance.choice([": "] * 40 + [":  ", " : ", " : ", ":\t"])
    word, other = chance.choice(words), chance.choice(words)
    text = chance.choice(_WORDS)
    remark = chance.choice([""] * 6 + ["  # why", " #", " # tab\t", " "])
    quoted = chance.choice(
        [json.dumps(text), json.dumps(text, ensure_ascii=False), "'" + text.replace("'", "''") + "'"]
    )
    block = chance.choice("|>") + chance.choice(["", "-", "+", "2"])
    styles: dict[tuple[str, ...], float] = {
        (f"{key}{colon}{word}{remark}",): 8,
        (f"{key}{colon}{quoted}{remark}",): 8,
        (f"{key}:{remark}",): 2,
        (f"{key}{colon}{block}{remark}", f"  {word}", "", f"  {other} # text"): 3,
        (f"{key}{colon}|", f"  {word}", "", ""): 1,
        (f"{key}{colon}plain that", "  goes on", f"  {other}"): 1,
        (f'{key}{colon}"quoted that', "", f'  goes on"{remark}'): 1,
        (f"{key}{colon}[{word}, {quoted}]{remark}",): 3,
        (f"{key}{colon}[a,", f"  {quoted}, # in it", f"  b]{remark}"): 1,
        (f"{key}{colon}{{a: {quoted}, b: [c]}}{remark}",): 1,
        (f"{key}:{remark}", f"  - {quoted}", "  # between", f"  - {word}{remark}"): 3,
        (f"{key}:", f"- {quoted}", "- x", ""): 1,
        (f"{key}:", f"  a: {word}", "  b:", f"    c: {quoted}{remark}"): 1,
        (f"{key}:", "  - a: b", f"    c: {quoted}", "  - - d"): 1,
        (f"{key}{colon}&a {quoted}{remark}",): 1,
        (f"{key}{colon}*a",): alias,
        (f"{key}{colon}!!str {quoted}",): 1,
        (f"? {key}", f": {quoted}"): 0.3,
    }
    return [*chance.choices([*styles], [*styles.values()])[0]]
