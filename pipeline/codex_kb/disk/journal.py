"""The journal of an unfinished run as bytes: what it writes, what git is told then, where it began.

A first line says version, clone and SHA-256 of the rest. What another clone wrote, or was altered, is not believed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from codex_kb.text import json_of_others

_VERSION = 3


@dataclass(frozen=True, slots=True)
class Commit:
    """What git is told once the files stand."""

    message: str
    paths: tuple[str, ...]
    branch: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: the SHA-256 of its bytes as read (None: it was not there), and its bytes as they shall be."""

    path: str
    before: str | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class Journal:
    """One run: its files, its commit, where HEAD was when it began, and the commit it was at (empty: none yet).

    `written`: all files stood, and git refused the commit. What differs now was changed on purpose.
    """

    entries: tuple[Entry, ...]
    commit: Commit | None
    head: str = ""
    at: str = ""
    written: bool = False


def digest(data: bytes | None) -> str | None:
    """SHA-256 in hex; None for a file that does not exist."""
    return None if data is None else hashlib.sha256(data).hexdigest()


def dump(journal: Journal, clone: str) -> bytes:
    """A journal as the bytes that `load` takes in the same clone."""
    commit = journal.commit
    body = json.dumps({
        "entries": [
            {"path": e.path, "before": e.before, "after": _encoded(e.after)}
            for e in journal.entries
        ],
        "commit": commit and {"message": commit.message, "paths": commit.paths, "branch": commit.branch},
        "head": journal.head,
        "at": journal.at,
        "written": journal.written,
    }).encode()  # fmt: skip
    head = {"version": _VERSION, "clone": clone, "sha256": digest(body)}
    return json.dumps(head).encode() + b"\n" + body


def load(data: bytes, clone: str) -> Journal:
    """The journal in these bytes.

    Raises:
        ValueError: they are damaged, of another clone, or of another version; says which.
    """
    try:
        first, _, body = data.partition(b"\n")
        head = _read(first)
        if head["version"] != _VERSION:
            raise ValueError("it is of another version of codex")
        if head["clone"] != clone:
            raise ValueError("it was not written in this clone")
        if head["sha256"] != digest(body):
            raise ValueError("it is damaged")
        value: dict[str, Any] = _read(body)
        commit = value["commit"]
        return Journal(
            tuple(_entry(entry) for entry in value["entries"]),
            commit and Commit(_text(commit["message"]), _paths(commit["paths"]), _text(commit["branch"])),
            _text(value["head"]), _text(value["at"]), bool(value["written"]),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("it is damaged") from error


def _read(data: bytes) -> Any:
    try:
        return json_of_others.read(data)
    except ValueError as error:
        raise ValueError("it is damaged") from error


def _entry(value: dict[str, Any]) -> Entry:
    before, after = value["before"], value["after"]
    (path,) = _paths([value["path"]])
    return Entry(path, None if before is None else _text(before), None if after is None else _decoded(after))


def _encoded(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(_text(text), validate=True)
    except ValueError as error:
        raise ValueError("it is damaged") from error


def _text(value: Any) -> str:
    return _texts([value])[0]


def _texts(values: Any) -> tuple[str, ...]:
    try:
        texts = json_of_others.texts(values)
    except ValueError as error:
        raise ValueError("it is damaged") from error
    if any("\0" in text for text in texts):
        raise ValueError("it is damaged")
    return texts


def _paths(values: Any) -> tuple[str, ...]:
    """Paths that stay below the root; links are looked at when they are used."""
    paths = _texts(values)
    for path in map(PurePosixPath, paths):
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("it names files outside of the knowledge base")
    return paths
