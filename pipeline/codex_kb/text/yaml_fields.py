"""Frontmatter's YAML as text values with their places; faulty YAML is read as far as it can be.

Plain scalars stay text (dates that do not exist, `007`, `yes`), only `null`, `~` and nothing are null,
tags are ignored. Values are composed from the parser's events without recursion, so that no input
can exhaust the stack, run code or expand without bound.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import yaml
from frontmatter.default_handlers import YAMLHandler
from yaml.composer import ComposerError
from yaml.scanner import ScannerError

from codex_kb.errors import RefusedFile

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML without libyaml: slower, otherwise the same
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

MAX_DEPTH = 64
MAX_EXPANSION = 100_000  # nodes that exist only through aliases
MAX_DIRECTIVES = 100
MAX_FAULTS = 10_000

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_HANDLER = YAMLHandler()

#: Where faulty YAML is cut: a key at the first column, or a marker between documents.
_HEAD = re.compile(
    r"""^(?:(?P<key>"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'|\w[\w./+-]*(?:[ ][\w./+-]+){0,2})[ \t]*:(?=\s)"""
    r"""|(?:---|\.\.\.)(?=\s))""",
    re.MULTILINE,
)
#: A line at the first column that continues no value: lists and closing brackets may stand there.
_STRAY = re.compile(r"^(?![-\]})](?:\s|$))[^\s#].*", re.MULTILINE)
_REMARK = re.compile(r"[ \t\r]*(?:#.*)?")
_ONE_A_LINE = "write one `key: value` a line between the two `---` lines"
_QUOTE = "put the value in double quotes"
#: What PyYAML says → what the writer should do.
_HINTS = (
    ("characters are not allowed", "remove the control character"),
    ("while scanning a quoted scalar", 'close the quote, and write \\" for a quote inside the quotes'),
    ("escape", "write a backslash inside double quotes as \\\\"),
    ("while parsing a flow", "close the bracket, or " + _QUOTE),
    ("expected the node content", "close the bracket, or " + _QUOTE),
    ("document", "keep one block of fields, without `---` or `...` between them"),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in the frontmatter that could be survived; `line` counts from 1 in the file."""

    line: int
    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A top-level key and its value: where the key starts and ends, and where the value ends.

    `raw`: the value is not YAML, and given as the text that stands there.
    """

    key: str
    value: Any
    start: int
    key_end: int
    end: int
    raw: bool = False


@dataclass(frozen=True, slots=True)
class _Note:
    """A fault whose place is still an index into the text that was parsed."""

    index: int
    code: str
    message: str
    hint: str = ""


@dataclass(slots=True)
class _Document:
    fields: list[Field] = field(default_factory=list)
    notes: list[_Note] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    items: Any
    flow: bool
    anchor: str | None
    start: int
    key: str | None = None
    skip: bool = False  # the key is no text: its value is read and dropped
    size: int = 1
    height: int = 1


class _Unusable(Exception):
    """Not to be read, not even in parts; `index` says where, `hint` what to do."""

    def __init__(self, message: str, index: int, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.index = index
        self.hint = hint


class _NotFields(_Unusable):
    """The YAML is sound, but a list or a scalar."""

    def __init__(self, kind: str, index: int) -> None:
        super().__init__(f"the frontmatter is {kind}, not `key: value` fields", index, _ONE_A_LINE)


class _Hostile(_Unusable):
    """YAML made to exhaust memory or stack."""

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message, index, "write the values out, without nesting and aliases")


class _Composer:
    """Builds plain values from events, one at a time, and remembers the top-level keys' places."""

    def __init__(self) -> None:
        self.document = _Document()
        self.open: list[_Open] = []
        self.anchors: dict[str, tuple[Any, int, int] | None] = {}
        self.documents = self.extra = self.end = 0
        self.key_place = (0, 0)
        self.other: _NotFields | None = None  # raised at the end only: an error may still follow

    def take(self, event: Any) -> None:
        """Add the next event of the parser to the document."""
        start, end = event.start_mark, event.end_mark
        match event:
            case yaml.ScalarEvent():
                self.end = end.index
                event.value.encode()  # without libyaml, half of a surrogate pair comes through
                value = None if event.implicit[0] and event.value in _NULLS else event.value
                self._anchor(event.anchor, value, 1, 0)
                self._put(value, start.index, event.value)
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.CollectionStartEvent():
                self._start(event)
            case yaml.CollectionEndEvent():
                self._finish(event)
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise ComposerError(None, None, "a second document starts", start)

    def _start(self, event: Any) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise _Hostile(f"YAML nested deeper than {MAX_DEPTH}", event.start_mark.index)
        items: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.open.append(_Open(items, bool(event.flow_style), event.anchor, event.start_mark.index))
        if event.anchor is not None:
            self.anchors[event.anchor] = None  # defined when it closes

    def _finish(self, event: Any) -> None:
        done = self.open.pop()
        # A block's end event stands at the next key; its last leaf says where it really ends.
        self.end = event.end_mark.index if done.flow else self.end
        self._anchor(done.anchor, done.items, done.size, done.height)
        self._put(done.items, done.start, None, done.size, done.height)

    def _anchor(self, name: str | None, value: Any, size: int, height: int) -> None:
        if name is not None:
            self.anchors[name] = (value, size, height)

    def _alias(self, event: Any) -> None:
        index, self.end = event.start_mark.index, event.end_mark.index
        if event.anchor not in self.anchors:
            raise ComposerError(None, None, f"nothing is named &{event.anchor}", event.start_mark)
        target = self.anchors[event.anchor]
        if target is None:
            raise _Hostile("YAML that contains itself through an alias", index)
        value, size, height = target
        self.extra += size
        if self.extra > MAX_EXPANSION or len(self.open) + height > MAX_DEPTH:
            raise _Hostile("YAML that expands without bound", index)
        self._put(value, index, value if isinstance(value, str) else None, size, height)

    def _put(self, value: Any, start: int, text: str | None, size: int = 1, height: int = 0) -> None:
        """Hand a finished value to what contains it; `text` is a scalar's, for use as a key."""
        if not self.open:
            if not isinstance(value, dict) and value is not None:
                self.other = _NotFields("a list" if isinstance(value, list) else "plain text", start)
            return
        parent = self.open[-1]
        parent.size += size
        parent.height = max(parent.height, height + 1)
        if isinstance(parent.items, list):
            parent.items.append(value)
        elif parent.skip:
            parent.skip = False
        elif parent.key is None:
            self._key(parent, start, text)
        else:
            if len(self.open) == 1:
                self.document.fields.append(Field(parent.key, value, *self.key_place, self.end))
                self._bound(len(self.document.fields) - len(parent.items), start)
            elif parent.key in parent.items:
                self._note(_duplicate(parent.key, start))
            parent.items[parent.key] = value
            parent.key = None

    def _key(self, parent: _Open, start: int, text: str | None) -> None:
        parent.key, parent.skip = text, text is None
        if text is None:
            self._note(_Note(start, "key", "a key that is no text; the field is ignored", _ONE_A_LINE))
        elif len(self.open) == 1:
            self.key_place = (start, self.end)

    def _note(self, note: _Note) -> None:
        self.document.notes.append(note)
        self._bound(len(self.document.notes), note.index)

    def _bound(self, faults: int, index: int) -> None:
        if faults > MAX_FAULTS:
            raise _Hostile(f"more than {MAX_FAULTS:,} faults in the frontmatter", index)


class _FieldLoader(_Loader):
    """PyYAML's safe loader up to its events; resolvers and constructors are never asked."""

    def get_single_data(self) -> _Document:
        """The document of all events, or the error that stands in its place."""
        composer = _Composer()
        while self.check_event():
            composer.take(self.get_event())
        if composer.other is not None:
            raise composer.other
        return composer.document


def read_fields(text: str, first_line: int, path: str) -> tuple[list[Field], list[Fault]]:
    """The fields of the YAML between the fences, in order, duplicates included, and its faults.

    Raises RefusedFile where there is no mapping to recover, or where the YAML is hostile.
    """
    starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def line(index: int) -> int:
        return first_line + bisect_right(starts, min(index, len(text) - 1)) - 1

    try:
        document = _read(text)
    except _Unusable as error:
        raise RefusedFile(error.message, path=path, line=line(error.index), hint=error.hint) from None
    if document is None:
        message = "no `key: value` line in the frontmatter"
        raise RefusedFile(message, path=path, line=first_line, hint=_ONE_A_LINE)
    _duplicates(document)
    notes = sorted(document.notes, key=lambda note: note.index)
    return document.fields, [Fault(line(note.index), note.code, note.message, note.hint) for note in notes]


def _duplicates(document: _Document) -> None:
    seen: set[str] = set()
    for found in document.fields:
        if found.key in seen:
            document.notes.append(_duplicate(found.key, found.start))
        seen.add(found.key)


def _duplicate(key: str, index: int) -> _Note:
    message = f"`{key}` is there more than once; the last one counts"
    return _Note(index, "duplicate-key", message, "keep one of them")


def _read(text: str) -> _Document | None:
    # libyaml compares each %TAG with all before it.
    if len(re.findall(r"^%", text, re.MULTILINE)) > MAX_DIRECTIVES:
        raise _Hostile("YAML with too many directives", 0)
    try:
        return _load(text)
    except (yaml.YAMLError, ValueError) as error:
        return _recover(text, error)


def _load(text: str) -> _Document:
    # ValueError is possible besides YAMLError: a %-escape in a tag that is not UTF-8.
    document: _Document = _HANDLER.load(text, Loader=_FieldLoader)
    # libyaml drops a byte-order mark before it counts.
    return _moved(document, 1) if text.startswith("\ufeff") else document


def _moved(document: _Document, by: int) -> _Document:
    return _Document(moved(document.fields, by), [replace(note, index=note.index + by) for note in document.notes])


def moved(fields: Iterable[Field], by: int) -> list[Field]:
    """The fields with their places in a text that begins so many characters earlier."""
    return [replace(f, start=f.start + by, key_end=f.key_end + by, end=f.end + by) for f in fields]


def _recover(text: str, error: Exception) -> _Document | None:
    """Each top-level block by itself; None where there is no key line."""
    heads = list(_HEAD.finditer(text))
    if len(heads) > MAX_FAULTS:
        raise _Hostile(f"faulty YAML with more than {MAX_FAULTS:,} fields", 0)
    if not any(head["key"] for head in heads):
        return None
    document = _Document()
    for index, line in _lines(text, 0, heads[0].start()):
        if not _REMARK.fullmatch(line):
            document.notes.append(_Note(index, "yaml", "text before the first field is ignored", _ONE_A_LINE))
            break
    ends = [*(head.start() for head in heads[1:]), len(text)]
    for head, end in zip(heads, ends, strict=True):
        if head["key"]:
            block = _block(text, head, end)
            document.fields += block.fields
            document.notes += block.notes
    if not document.notes:
        document.notes.append(_explain(error, text, 0))
    return document


def _block(text: str, head: re.Match[str], end: int) -> _Document:
    start = head.start()
    block = text[start:end]
    try:
        return _moved(_load(block), start)
    except _Hostile as error:
        raise _Hostile(error.message, start + error.index) from None
    except (yaml.YAMLError, ValueError, _NotFields) as error:
        return _without_stray_lines(text, head, end) or _raw(text, head, end, error)


def _without_stray_lines(text: str, head: re.Match[str], end: int) -> _Document | None:
    """The field without the lines below it that are neither indented nor a list's, if it is YAML without them."""
    stray = _STRAY.search(text, head.end(), end)
    if stray is None:
        return None
    try:
        document = _moved(_load(text[head.start() : stray.start()]), head.start())
    except (yaml.YAMLError, ValueError, _Unusable):
        return None
    line = stray[0].strip()
    hint = "write a space after the colon" if ":" in line else _ONE_A_LINE
    message = "not valid YAML: a line that is no `key: value` is ignored"
    document.notes.append(_Note(stray.start(), "yaml", message, hint))
    return document


def _raw(text: str, head: re.Match[str], end: int, error: Exception) -> _Document:
    """A value that is not YAML, as the text that it is; remarks after it do not belong to it."""
    lines = list(_lines(text, head.end(), end))
    while len(lines) > 1 and _REMARK.fullmatch(lines[-1][1]):
        lines.pop()
    index, last = lines[-1]
    stop = index + len(last.rstrip(" \t\r"))
    value = " ".join(stripped for _, line in lines if (stripped := line.strip()))
    key = head["key"]
    if key[0] in "\"'":
        key = _unquoted(key)
    note = _explain(error, text[head.start() : stop], head.start())
    return _Document([Field(key, value, head.start(), head.end("key"), stop, raw=True)], [note])


def _unquoted(key: str) -> str:
    try:
        return _load(key + ":").fields[0].key
    except (yaml.YAMLError, ValueError):
        return key[1:-1]


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    """Lines without their newline; only `\\n` ends a line."""
    cuts = [start, *(match.end() for match in re.compile("\n").finditer(text, start, end)), end]
    for first, after in pairwise(cuts):
        yield first, text[first:after].removesuffix("\n")


def _explain(error: Exception, text: str, offset: int) -> _Note:
    """What the parser said, where in `text`, and what to do."""
    mark = getattr(error, "problem_mark", None)
    # A scanner notices a quote that is not closed at the end of the text: its start is what helps.
    if isinstance(error, ScannerError) and error.context_mark is not None:
        mark = error.context_mark
    index = min(mark.index if mark is not None else 0, max(len(text) - 1, 0))
    parts = (getattr(error, "context", None), getattr(error, "problem", None))
    said = ", ".join(part for part in parts if part) or str(error).splitlines()[0]
    if re.search(r"^[ ]*\t", text, re.MULTILINE):
        hint = "indent with spaces, not tabs"
    else:
        hint = next((advice for words, advice in _HINTS if words in f"{said} {error}"), _QUOTE)
    return _Note(offset + index, "yaml", f"not valid YAML: {said}", hint)
