"""Weights in a safetensors file, mapped and not copied (format: huggingface/safetensors, README)."""

from __future__ import annotations

import math
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from codex_kb.errors import UsageError
from codex_kb.text import json_of_others

if TYPE_CHECKING:
    from codex_kb.ports import Vectors

_LENGTH = 8
_MOST_HEADER = 100_000_000
_FLOAT = 4


class Weights:
    """Arrays by name, float32, read only."""

    def __init__(self, data: mmap.mmap, header: Mapping[str, Any], start: int, path: Path) -> None:
        self._data = data
        self._header = header
        self._start = start
        self._path = path

    @classmethod
    def open(cls, path: Path) -> Weights:
        """Map a file.

        Raises:
            UsageError: it cannot be read, or is not whole.
        """
        try:
            with path.open("rb") as file:
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            size = int.from_bytes(data[:_LENGTH], "little")
            if size > min(_MOST_HEADER, len(data) - _LENGTH):
                raise ValueError("its header is longer than the file")
            header = json_of_others.read(data[_LENGTH : _LENGTH + size])
            header.pop("__metadata__", None)
            if not all(map(_sound, header.values())):
                raise ValueError("an array is not as long as its shape says")
            ends = [entry["data_offsets"][1] for entry in header.values()]
            if _LENGTH + size + max(ends, default=0) != len(data):
                raise ValueError("it is not as long as its header says")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"not a whole safetensors file: {error}", path=str(path),
                             hint="install the model again") from error  # fmt: skip
        return cls(data, header, _LENGTH + size, path)

    def names(self) -> list[str]:
        """The names of all arrays."""
        return list(self._header)

    def kinds(self) -> set[str]:
        """The types of all floating-point arrays, as the format names them."""
        return {entry["dtype"] for entry in self._header.values() if entry["dtype"].startswith(("F", "BF"))}

    def __getitem__(self, name: str) -> Vectors:
        """An array.

        Raises:
            UsageError: there is none of the name, or it is not float32.
        """
        entry = self._header.get(name)
        if entry is None or entry["dtype"] != "F32":
            raise UsageError(f"has no float32 array {name}", path=str(self._path), hint="it is another kind of model")
        begin, end = entry["data_offsets"]
        flat = np.frombuffer(self._data, np.float32, (end - begin) // _FLOAT, self._start + begin)
        return flat.reshape(entry["shape"])


def _sound(entry: dict[str, Any]) -> bool:
    """Does an array's place fit its shape, where it is one of float32?"""
    begin, end = (int(offset) for offset in entry["data_offsets"])
    return 0 <= begin <= end and (
        str(entry["dtype"]) != "F32" or end - begin == _FLOAT * math.prod(map(int, entry["shape"]))
    )
