"""Entries of the index as files: those that are committed, and those that wait to be."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from codex_kb import layout as places
from codex_kb.disk import gate
from codex_kb.disk.transaction import prepare_local, write_file
from codex_kb.errors import CodexError
from codex_kb.index import entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from codex_kb.ports import Encoder

#: Entries that are embedded and wait for `codex distill` to commit them.
PENDING = f"{places.LOCAL}/entries"


def read(root: Path, key: str) -> entry.Entry | None:
    """The entry of a key, committed or waiting; None where there is none that is whole."""
    with contextlib.suppress(CodexError, ValueError):
        return entry.load_entry(gate.read(root, entry.entry_path(places.INDEX, key)), key)
    waiting = pending(root, key)
    return entry.load_entry(waiting, key) if waiting else None


def pending(root: Path, key: str) -> bytes | None:
    """The bytes of an entry that waits to be committed."""
    with contextlib.suppress(CodexError, OSError, ValueError):
        data = gate.local(root, entry.entry_path(PENDING, key)).read_bytes()
        entry.load_entry(data, key)
        return data
    return None


def keep(root: Path, key: str, data: bytes, say: Callable[[str], None]) -> None:
    """Keep an entry until it is committed; a disk that refuses costs time, not the answer."""
    try:
        prepare_local(root)
        write_file(gate.local(root, entry.entry_path(PENDING, key)), data)
    except OSError as error:
        say(f"{PENDING}: not kept: {error.strerror}")


def embed(encoder: Encoder, texts: dict[str, entry.Texts]) -> dict[str, bytes]:
    """Entries for texts by key."""
    flat = [text for each in texts.values() for text in each.all]
    vectors = encoder.encode(flat)
    found, at = {}, 0
    for key, each in texts.items():
        found[key] = entry.dump_entry(key, vectors[at : at + len(each.all)])
        at += len(each.all)
    return found
