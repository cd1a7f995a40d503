"""One generation: what was distilled from decisions, as files that git keeps and merges.

`<number>-<8 hex digits>/` holds `generation.json` and `direction.npy`. The digits are of what it was made from, so that
the same decisions give the same name on every machine.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from codex_kb.learn.ranker import Ranker
from codex_kb.text import json_of_others

VERSION = 1
FACTS, DIRECTION = "generation.json", "direction.npy"
#: Decimals of a weight.
_DIGITS = 6


@dataclass(frozen=True)
class Generation:
    """A taught order.

    `learned` are the decisions (`examples.key`) that it learned from and its parents did not, `unlearned` those that
    they did and that were withdrawn since; `lessons` counts all. `names` are the plain features in the order of the
    ranker's weights, `encoder` the model behind its direction.
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
        "weights": {name: round(float(w), _DIGITS) for name, w in zip(generation.names, ranker.plain, strict=True)},
        "learned": list(generation.learned),
        "unlearned": list(generation.unlearned),
    }
    array = io.BytesIO()
    np.save(array, ranker.direction.astype(np.float32), allow_pickle=False)
    return {FACTS: (json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode(), DIRECTION: array.getvalue()}


def from_files(name: str, files: Mapping[str, bytes], dimension: int | None = None) -> Generation:
    """The generation in these files.

    Raises:
        ValueError: they hold none that this version reads, and why.
    """
    value = json_of_others.read(files[FACTS])
    if not isinstance(value, dict) or value.get("version") != VERSION:
        raise ValueError("of another version, or no generation")
    try:
        weights = json_of_others.numbers(value["weights"])
        number, lessons = value["number"], value["lessons"]
        if not isinstance(number, int) or not isinstance(lessons, int) or not name.startswith(f"{number}-"):
            raise ValueError("its number is not that of its folder")
        texts = {key: json_of_others.texts(value[key]) for key in ("parents", "learned", "unlearned")}
        taus = json_of_others.numbers({key: value[key] for key in ("tau_plain", "tau_embedded")})
        direction = np.load(io.BytesIO(files[DIRECTION]), allow_pickle=False)
        if direction.dtype != np.float32 or direction.ndim != 1 or not np.isfinite(direction).all():
            raise ValueError("its direction is not one")
        encoder = value["encoder"]
        if not isinstance(encoder, str):
            raise ValueError("its encoder has no name")
    except (KeyError, EOFError) as error:
        raise ValueError(f"it has no {error}") from error
    ranker = Ranker(np.array(list(weights.values())), direction.astype(np.float64), **taus)
    return Generation(number, name, texts["parents"], texts["learned"], texts["unlearned"], lessons, encoder,
                      tuple(weights), ranker)  # fmt: skip
