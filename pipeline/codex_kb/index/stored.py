"""Entries of the index as files: those that are committed, and those that wait to be."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from codex_kb import layout as places
from codex_kb.disk.transaction import prepare_local, write_file
from codex_kb.index import entry

if TYPE_CHECKING:
    from codex_kb.kb import KnowledgeBase

#: Entries that are embedded and wait for `codex distill` to commit them.
PENDING = f"{places.LOCAL}/entries"


def read(kb: KnowledgeBase, key: str) -> entry.Entry | None:
    """The entry of a key, committed or waiting; None where there is none that is whole."""
    for folder in (places.INDEX, PENDING):
        with contextlib.suppress(OSError, ValueError):
            return entry.load_entry(kb.layout.path(entry.entry_path(folder, key)).read_bytes(), key)
    return None


def pending(kb: KnowledgeBase, key: str) -> bytes | None:
    """The bytes of an entry that waits to be committed."""
    with contextlib.suppress(OSError, ValueError):
        data = kb.layout.path(entry.entry_path(PENDING, key)).read_bytes()
        entry.load_entry(data, key)
        return data
    return None


def keep(kb: KnowledgeBase, key: str, data: bytes) -> None:
    """Keep an entry until it is committed; a disk that refuses costs time, not the answer."""
    try:
        prepare_local(kb.layout.root)
        write_file(kb.layout.path(entry.entry_path(PENDING, key)), data)
    except OSError as error:
        kb.say(f"{PENDING}: not kept: {error.strerror}")


def embed(kb: KnowledgeBase, texts: dict[str, entry.Texts]) -> dict[str, bytes]:
    """Entries for texts by key."""
    flat = [text for each in texts.values() for text in each.all]
    vectors = kb.encoder.encode(flat)
    found, at = {}, 0
    for key, each in texts.items():
        found[key] = entry.dump_entry(key, vectors[at : at + len(each.all)])
        at += len(each.all)
    return found
