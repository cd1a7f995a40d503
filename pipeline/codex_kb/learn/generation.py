"""One generation: what was distilled from decisions, as files that git keeps and merges.

`<number>-<8 hex digits>/` holds `generation.json` and `direction.npy`, and with specialists `specialists.npy`. The
digits are of what it was made from, so that the same decisions give the same name on every machine.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from codex_kb.learn.ranker import Floats, Ranker
from codex_kb.text import json_of_others

VERSION = 1
FACTS, DIRECTION, DIRECTIONS = "generation.json", "direction.npy", "specialists.npy"
#: Decimals of a weight, and what none is beyond.
_DIGITS, _MOST = 6, 1e6
#: How an array of ours begins.
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '<f4', 'fortran_order': False, 'shape': \((\d{1,9}),(?: (\d{1,9}))?\), \} *\n",
    re.DOTALL,
)


@dataclass(frozen=True)
class Generation:
    """A taught order.

    `learned` are the decisions (`examples.key`) that it learned from and its parents did not, `unlearned` those that
    they did and that were withdrawn since; `lessons` counts all. `names` are the plain features in the order of the
    ranker's weights, `encoder` the model behind its direction. `specialists` by name go before `ranker` where they are.
    """

    number: int
    name: str
    parents: tuple[str, ...]
    learned: tuple[str, ...]
    unlearned: tuple[str, ...]
    lessons: int
    encoder: str
    names: tuple[str, ...]
    ranker: Ranker
    specialists: Mapping[str, Ranker] = field(default_factory=dict)


def name_of(number: int, parents: Sequence[str], lessons: Iterable[str], encoder: str) -> str:
    """The name of a generation of these lessons."""
    made_from = "\0".join([str(VERSION), encoder, *sorted(parents), *sorted(lessons)])
    return f"{number}-{hashlib.sha256(made_from.encode()).hexdigest()[:8]}"


def to_files(generation: Generation) -> dict[str, bytes]:
    """Its files by name."""
    ranker = generation.ranker
    facts = {
        "version": VERSION,
        "number": generation.number,
        "parents": list(generation.parents),
        "lessons": generation.lessons,
        "encoder": generation.encoder,
        "tau_plain": ranker.tau_plain,
        "tau_embedded": ranker.tau_embedded,
        "weights": _weights(generation.names, ranker),
        "specialists": {name: _weights(generation.names, each) for name, each in generation.specialists.items()},
        "learned": list(generation.learned),
        "unlearned": list(generation.unlearned),
    }
    files = {FACTS: (json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode(),
             DIRECTION: _array(ranker.direction)}  # fmt: skip
    if generation.specialists:
        files[DIRECTIONS] = _array(np.array([each.direction for each in generation.specialists.values()]))
    return files


def _weights(names: Sequence[str], ranker: Ranker) -> dict[str, float]:
    return {name: round(float(weight), _DIGITS) for name, weight in zip(names, ranker.plain, strict=True)}


def _array(values: Floats) -> bytes:
    file = io.BytesIO()
    np.save(file, values.astype(np.float32), allow_pickle=False)
    return file.getvalue()


def from_files(name: str, files: Mapping[str, bytes]) -> Generation:
    """The generation in these files.

    Raises:
        ValueError: they hold none that this version reads, and why.
    """
    value = json_of_others.read(files[FACTS])
    if not isinstance(value, dict) or value.get("version") != VERSION:
        raise ValueError("of another version, or no generation")
    try:
        weights = _read_weights(value["weights"])
        number, lessons = value["number"], value["lessons"]
        if not isinstance(number, int) or not isinstance(lessons, int) or not name.startswith(f"{number}-"):
            raise ValueError("its number is not that of its folder")
        texts = {key: json_of_others.texts(value[key]) for key in ("parents", "learned", "unlearned")}
        taus = json_of_others.numbers({key: value[key] for key in ("tau_plain", "tau_embedded")})
        direction = _read(files[DIRECTION], 1)
        encoder = value["encoder"]
        if not isinstance(encoder, str):
            raise ValueError("its encoder has no name")
        ranker = Ranker(np.array(list(weights.values())), direction, **taus)
        specialists = _specialists(value.get("specialists", {}), files, tuple(weights), ranker)
    except (KeyError, EOFError) as error:
        raise ValueError(f"it has no {error}") from error
    return Generation(number, name, texts["parents"], texts["learned"], texts["unlearned"], lessons, encoder,
                      tuple(weights), ranker, specialists)  # fmt: skip


def _specialists(
    value: object, files: Mapping[str, bytes], names: tuple[str, ...], general: Ranker
) -> dict[str, Ranker]:  # fmt: skip
    if not isinstance(value, dict):
        raise ValueError("its specialists are none")
    if not value:
        return {}
    directions = _read(files[DIRECTIONS], 2)
    if directions.shape != (len(value), len(general.direction)):
        raise ValueError("its specialists are not as many as their directions")
    found = {}
    for (name, told), direction in zip(value.items(), directions, strict=True):
        weights = _read_weights(told)
        if tuple(weights) != names:
            raise ValueError(f"its specialist {name} weighs other features")
        found[name] = Ranker(np.array(list(weights.values())), direction, general.tau_plain, general.tau_embedded)
    return found


def _read(data: bytes, dimensions: int) -> Floats:
    """An array as `_array` writes it, and nothing else that a file of numpy's may hold."""
    head = _HEADER.match(data)
    shape = tuple(int(size) for size in head.groups() if size is not None) if head else ()
    if head is None or len(shape) != dimensions or len(data) - head.end() != 4 * math.prod(shape):
        raise ValueError("its direction is not one")
    values = np.frombuffer(data, "<f4", offset=head.end()).reshape(shape)
    if not (np.abs(values) <= _MOST).all():
        raise ValueError("its direction is not one")
    return values.astype(np.float64)


def _read_weights(told: object) -> dict[str, float]:
    found = json_of_others.numbers(told)
    if any(abs(weight) > _MOST for weight in found.values()):
        raise ValueError("its weights are too large")
    return found
