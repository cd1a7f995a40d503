"""What could have been proposed from a source and was not, in numbers: a small file a source, without any text.

`names` are said once, and a line of `candidates` holds an id and a value for each name. The id is 16 hex digits, the
first 12 of which are those of the proposal that the candidate would have been.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codex_kb.text import json_of_others

VERSION = 1
#: So many of a source's candidates are kept, the best.
MOST = 200
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that was not proposed; `features` are those of a draft, its scores among them."""

    id: str
    features: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Those of one source under a generation, best first; `left` counts all, also those that are not kept."""

    source: str
    source_sha256: str
    generation: int
    left: int
    candidates: tuple[Candidate, ...]


def to_bytes(found: Candidates) -> bytes:
    """As a file: the same bytes for the same candidates."""
    kept = found.candidates[:MOST]
    names = sorted({name for each in kept for name in each.features})
    head = {"version": VERSION, "source": found.source, "source_sha256": found.source_sha256,
            "generation": found.generation, "left": found.left, "names": names}  # fmt: skip
    rows = [json.dumps([each.id, *_values(each.features, names)], separators=(",", ":")) for each in kept]
    start = json.dumps(head, ensure_ascii=False)[:-1]
    return (start + ', "candidates": [\n' + ",\n".join(rows) + "\n]}\n").encode()


def _values(features: Mapping[str, float], names: Sequence[str]) -> list[float]:
    values = [round(features.get(name, 0.0), _DIGITS) for name in names]
    return [int(value) if value == int(value) else value for value in values]


def from_bytes(data: bytes) -> Candidates:
    """The candidates in a file.

    Raises:
        ValueError: it holds none that this version reads, and why.
    """
    value = json_of_others.read(data)
    if not isinstance(value, dict) or value.get("version") != VERSION:
        raise ValueError("of another version, or no record of candidates")
    try:
        names = json_of_others.texts(value["names"])
        rows = [json_of_others.items(row) for row in json_of_others.items(value["candidates"])]
        found = tuple(_candidate(row, names) for row in rows)
    except KeyError as error:
        raise ValueError(f"it has no {error}") from error
    return json_of_others.record(Candidates, value, candidates=found)


def _candidate(row: Sequence[object], names: Sequence[str]) -> Candidate:
    if len(row) != len(names) + 1 or not isinstance(row[0], str):
        raise ValueError("a candidate that is none")
    return Candidate(row[0], json_of_others.numbers(dict(zip(names, row[1:], strict=True))))
