"""Sources and other files of the knowledge base as they stand, whole or in part; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass

from codex_kb import layout as places
from codex_kb.disk import gate
from codex_kb.disk.store import is_claim
from codex_kb.errors import NotFound, UsageError
from codex_kb.kb import KnowledgeBase
from codex_kb.records import Source
from codex_kb.text import markdown_file

#: Bytes of a file that is given as a whole.
_WHOLE = 1_000_000


@dataclass(frozen=True)
class Passage:
    """A part of a source: `text` is `source.body[start:end]` and stands in the lines `first` to `last` of the file."""

    source: Source
    text: str
    start: int
    end: int
    first: int
    last: int


def passage(
    kb: KnowledgeBase, named: str, start: int = 0, end: int | None = None, lines: tuple[int, int | None] | None = None,
    most: int | None = None,
) -> Passage:  # fmt: skip
    """The characters `start` to `end` of a source's body, or these lines of its file; at most so many characters.

    Raises:
        NotFound: there is no such source.
        RefusedFile: it cannot be read.
        UsageError: it has no such lines or characters.
    """
    path, data = kb.store.source_named(named)
    file = markdown_file.parse(data, path)
    source = kb.store.as_source(file, path)
    if lines:
        start, end = _characters(source, file.body_line, *lines)
    if not 0 <= start <= len(source.body) or (end is not None and end < start):
        raise UsageError(f"its text has the characters 0 to {len(source.body)}", path=path, hint="name some of these")
    end = min(len(source.body) if end is None else end, len(source.body), start + (most or len(source.body)))
    first = file.body_line + source.body.count("\n", 0, start)
    last = file.body_line + source.body.count("\n", 0, max(start, end - 1))
    return Passage(source, source.body[start:end], start, end, first, last)


def _characters(source: Source, body_line: int, first: int, last: int | None) -> tuple[int, int]:
    """Where these lines of the file begin and end in the body."""
    lengths = [len(line) + 1 for line in source.body.split("\n")]
    until = body_line + len(lengths) - 1
    last = until if last is None else last
    if last < body_line or first > until or last < first:
        raise UsageError(f"its text has the lines {body_line} to {until}", path=source.path, hint="name some of these")
    return sum(lengths[: max(0, first - body_line)]), sum(lengths[: last - body_line + 1])


def claim_file(kb: KnowledgeBase, path: str) -> str:
    """A claim's file, frontmatter and all.

    Raises:
        NotFound: there is no such claim.
        RefusedFile: it cannot be read.
    """
    data = gate.read(kb.layout.root, path, _WHOLE)
    file = markdown_file.parse(data, path)
    if not places.is_markdown(path) or not is_claim(file.fields):
        raise NotFound("no such claim", path=path, hint="codex search finds claims by meaning")
    return data.decode()


def packet_file(kb: KnowledgeBase, name: str) -> str:
    """A review packet that waits, by the name of its source.

    Raises:
        NotFound: nothing waits under this name.
        RefusedFile: it cannot be read.
    """
    packet = next((each for each in kb.store.packets() if each.name == name), None)
    text = kb.store.packet_text(packet) if packet else None
    if text is None:
        raise NotFound("no proposals wait under this name", path=name, hint="codex proposals lists what waits")
    return text
