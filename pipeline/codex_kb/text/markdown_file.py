"""Frontmatter and body of a Markdown file: read with exact places, edited line by line.

Everything that people wrote stays byte for byte as it was, but the lines of the fields that are set;
each edit is proved by reading its result before anything leaves this module.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from codex_kb.errors import RefusedFile
from codex_kb.text import toml_fields
from codex_kb.text.yaml_fields import Fault, Field, moved, read_fields

__all__ = ["Fault", "MarkdownFile", "format_field", "new_file", "parse", "set_fields"]

_BOM = b"\xef\xbb\xbf"
_UTF_32_16 = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
#: Which of the first four bytes are NUL, where the text starts with two ASCII characters.
_NUL_PATTERNS: dict[tuple[bool, ...], str] = {
    (False, True, False, True): "UTF-16LE",
    (True, False, True, False): "UTF-16BE",
    (False, True, True, True): "UTF-32LE",
    (True, True, True, False): "UTF-32BE",
}
_OPENING = re.compile(r"---[ \t]*(?:\r?\n|\Z)")
_CLOSING = re.compile(r"\n---[ \t]*(?:\r?\n|\Z)")
_TOML_FENCE = re.compile(r"^\+\+\+[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
_DOCUMENT_END = re.compile(r"^\.\.\.(?=\s)", re.MULTILINE)
_ANCHOR = re.compile(r"&([^\s,\[\]{}]+)")
_COLON = re.compile(r"[ \t]*:")
#: What may follow a value on its line.
_TAIL = re.compile(r"(?:[ \t]+#[^\n]*?|[ \t]*)(?=\r?\n)")

#: Strings that nobody can misread without quotes: YAML 1.1, YAML 1.2, or a reader that splits at ": ".
_PLAIN = re.compile(r"[^\W_](?:[\w ./()+,;=%&?!~$@\u2013\u2014\u2018\u2019\u201c\u201d\u2026-]|:(?=//))*(?<! )")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_NUMBER = re.compile(
    r"[0-9][0-9_,]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]+)?"
    r"|0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*(?::[0-9]+)+(?:\.[0-9_]*)?"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?")
#: What JSON leaves as it is and YAML does not allow, or takes for a line break.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class MarkdownFile:
    """A decoded file; `text` has no byte-order mark and its newlines as they are on disk."""

    text: str
    bom: bool
    fields: dict[str, Any]
    lines: dict[str, int]
    has_frontmatter: bool
    body_start: int
    body_line: int
    faults: tuple[Fault, ...]
    toml: bool = False

    @property
    def body(self) -> str:
        """The text after the frontmatter, which evidence offsets count in."""
        return self.text[self.body_start :]

    @property
    def body_sha256(self) -> str:
        """SHA-256 of the body in UTF-8, in hexadecimal."""
        return hashlib.sha256(self.body.encode()).hexdigest()


def parse(data: bytes, path: str) -> MarkdownFile:
    """Read a file; faults in its frontmatter are survived and listed.

    Raises RefusedFile for what is not UTF-8 text, frontmatter that does not close or is not a
    mapping, and YAML made to exhaust memory; with the line and what to do.
    """
    return _read(data, path)[0]


def set_fields(data: bytes, changes: Mapping[str, Any], path: str) -> bytes:
    """Set top-level fields (None removes one) and change no byte of any other line.

    New fields go to the end of the frontmatter, which is made where there is none. Raises
    RefusedFile where the file cannot be read, its fields are TOML, or the change would alter anything else.
    """
    before, found, start = _read(data, path)
    if before.toml:
        raise RefusedFile("its frontmatter is TOML, which is read but not edited", path=path, line=1,
                          hint="write the fields as `key: value` between two `---` lines")  # fmt: skip
    wanted = {key: value for key, value in changes.items() if _differs(before.fields, key, value)}
    if not wanted:
        return data
    names = ", ".join(f"`{key}`" for key in wanted)
    line = next((before.lines[key] for key in wanted if key in before.lines), 1)
    hint = "edit the frontmatter by hand: one `key: value` a line, without aliases and braces"
    try:
        text = _edited(before, moved(found, start), wanted)
    except ValueError as error:
        raise RefusedFile(f"cannot set {names}: {error}", path=path, line=line, hint=hint) from error
    result = (_BOM if before.bom else b"") + text.encode()
    if not _proved(result, before, wanted):
        message = f"setting {names} would change other parts of the file"
        raise RefusedFile(message, path=path, line=line, hint=hint)
    return result


def new_file(fields: Mapping[str, Any], body: str) -> str:
    """The text of a fresh file of ours. Raises as format_field does."""
    return _frontmatter([format_field(key, value) for key, value in fields.items()], "\n") + body


def format_field(key: str, value: Any) -> str:
    """The one line `key: value`, without newline, that every YAML or line-by-line reader reads alike.

    Lists and mappings become JSON. Raises ValueError for text that is not Unicode (a lone surrogate)
    or a number that is not finite, TypeError for what JSON has no word for.
    """
    plain = _is_plain(key) and ":" not in key and not key[0].isdigit()
    return f"{key if plain else _json(key)}: {_format(value)}"


def _read(data: bytes, path: str) -> tuple[MarkdownFile, list[Field], int]:
    """The file, its fields with their places between the fences, and where in `text` these begin."""
    bom = data.startswith(_BOM)
    text = _decode(data, path).removeprefix("\ufeff") if bom else _decode(data, path)
    opening = _OPENING.match(text)
    if opening is None and _TOML_FENCE.match(text):
        return _read_toml(text, bom, path), [], 0
    if opening is None:
        return MarkdownFile(text, bom, {}, {}, False, 0, 1, ()), [], 0
    closing = _CLOSING.search(text, opening.end() - 1)
    if closing is None:
        hint = "add a line `---` after the last field"
        raise RefusedFile("the frontmatter is never closed", path=path, line=1, hint=hint)
    start, end = opening.end(), closing.start() + 1
    inside, faults = read_fields(text[start:end], 2, path)
    fields = {field.key: field.value for field in inside}
    lines, line, at = dict[str, int](), 2, start
    for field in inside:
        line += text.count("\n", at, start + field.start)
        at = start + field.start
        lines[field.key] = line
    body_line = 1 + text.count("\n", 0, closing.end())
    return MarkdownFile(text, bom, fields, lines, True, closing.end(), body_line, tuple(faults)), inside, start


def _read_toml(text: str, bom: bool, path: str) -> MarkdownFile:
    fences = _TOML_FENCE.finditer(text)
    opening, closing = next(fences), next(fences, None)
    if closing is None:
        hint = "add a line `+++` after the last field"
        raise RefusedFile("the frontmatter is never closed", path=path, line=1, hint=hint)
    fields, lines = toml_fields.read_fields(text[opening.end() : closing.start()], 2, path)
    body_line = 1 + text.count("\n", 0, closing.end())
    return MarkdownFile(text, bom, fields, lines, True, closing.end(), body_line, (), toml=True)


def _decode(data: bytes, path: str) -> str:
    head = tuple(byte == 0 for byte in data[:4])
    encoding = next((name for mark, name in _UTF_32_16 if data.startswith(mark)), _NUL_PATTERNS.get(head))
    if encoding is not None:
        hint = f"convert it: iconv -f {encoding} -t UTF-8"
        raise RefusedFile(f"the file is {encoding}, not UTF-8", path=path, line=1, hint=hint)
    nul = data.find(b"\0")
    if nul >= 0:
        line = 1 + data.count(b"\n", 0, nul)
        raise RefusedFile(f"a binary file: NUL at byte {nul}", path=path, line=line, hint="is it Markdown?")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        hint = "convert it to UTF-8, if it is Latin-1: iconv -f WINDOWS-1252 -t UTF-8"
        raise RefusedFile(f"not UTF-8 at byte {error.start}", path=path, line=line, hint=hint) from None


def _differs(fields: Mapping[str, Any], key: str, value: Any) -> bool:
    if value is None or key not in fields:
        return (value is None) == (key in fields)
    return bool(fields[key] != _as_read(value))


def _edited(file: MarkdownFile, found: list[Field], wanted: Mapping[str, Any]) -> str:
    """The text with the changes made, where each field has lines of its own; else what cannot be proved."""
    added = [format_field(key, value) for key, value in wanted.items() if value is not None and key not in file.fields]
    text = file.text
    if not file.has_frontmatter:
        first = text.find("\n")
        return _frontmatter(added, "\r\n" if text[first - 1 : first] == "\r" else "\n") + text
    pieces, gone, at = [], "", 0
    for field in found:
        if field.key in wanted:
            start, end, line = _edit(text, field, wanted[field.key])
            pieces += [text[at:start], line]
            gone += text[start:end]
            at = end
    last = text.rindex("\n---", 0, file.body_start) + 1
    # Nothing may follow `...`, which some people write before the closing fence.
    if marker := _DOCUMENT_END.search(text, found[-1].end if found else 0, last):
        last = marker.start()
    # Beside a fault each field is read by itself, so an alias is its own text, whether its anchor is there or not.
    if file.faults and any(f"*{name}" in piece for name in _ANCHOR.findall(gone) for piece in [*pieces, text[at:last]]):
        raise ValueError("another field refers to its value")
    newline = "\r\n" if text[last - 2 : last] == "\r\n" else "\n"
    pieces += [text[at:last], *(line + newline for line in added), text[last:]]
    return "".join(pieces)


def _edit(text: str, field: Field, value: Any) -> tuple[int, int, str]:
    """(start, end, replacement) for the field's own lines."""
    start = text.rfind("\n", 0, field.start) + 1
    colon = _COLON.match(text, field.key_end)
    end = max(field.start + len(text[field.start : field.end].rstrip(" \t\r\n")), colon.end() if colon else 0)
    tail = _TAIL.match(text, end)
    if field.raw and "\n" in text[field.start : end]:
        raise ValueError("its value is not valid YAML, and nobody knows on which line it ends")
    if colon is None or tail is None or text[start : field.start].strip(" "):
        raise ValueError("it shares a line with something else, or is not written as `key: value`")
    if value is None:
        return start, text.index("\n", tail.end()) + 1, ""
    remark = tail[0] if "#" in tail[0] and "\n" not in text[start:end] else ""
    return start, tail.end(), f"{text[start : colon.end()]} {_format(value)}{remark}"


def _frontmatter(lines: list[str], newline: str) -> str:
    return "".join(line + newline for line in ("---", *lines, "---"))


def _proved(result: bytes, before: MarkdownFile, wanted: Mapping[str, Any]) -> bool:
    """Whether the result reads as what was asked, with the same body, order and no fault that was not there."""
    expected = dict(before.fields)
    for key, value in wanted.items():
        if value is None:
            del expected[key]
        else:
            expected[key] = _as_read(value)
    try:
        after = parse(result, "")
    except RefusedFile:
        return False
    return (
        after.body == before.body
        and list(after.fields.items()) == list(expected.items())
        and _said(after) <= _said(before)
    )


def _said(file: MarkdownFile) -> Counter[tuple[str, str]]:
    return Counter((fault.code, fault.message) for fault in file.faults)


def _format(value: Any) -> str:
    return value if isinstance(value, str) and _is_plain(value) else _json(value)


def _is_plain(text: str) -> bool:
    if not _PLAIN.fullmatch(text) or text.lower() in _WORDS or _NUMBER.fullmatch(text):
        return False
    return not _DATE.fullmatch(text) or _is_date(text)


def _is_date(text: str) -> bool:
    # Impossible dates need quotes: PyYAML raises on them, and not even a YAML error.
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _json(value: Any) -> str:
    """JSON that is also YAML 1.1: astral characters literal, never as surrogate pairs."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if _SURROGATE.search(text):
        raise ValueError("half of a surrogate pair is not text")
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _as_read(value: Any) -> Any:
    """The value as it will be read back: numbers and truth values are text."""
    if isinstance(value, Mapping):
        words = ((key if isinstance(key, str) else json.dumps(key), item) for key, item in value.items())
        return {key: _as_read(item) for key, item in words}
    if isinstance(value, list | tuple):
        return [_as_read(item) for item in value]
    return value if value is None or isinstance(value, str) else json.dumps(value)
