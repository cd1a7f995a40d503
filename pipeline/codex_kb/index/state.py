"""How the committed index and the claims stand to each other."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codex_kb import layout as places
from codex_kb.disk import gate
from codex_kb.errors import CodexError
from codex_kb.index import changed, entry
from codex_kb.index.catalog import Catalog
from codex_kb.ports import Encoder
from codex_kb.records import Claim, Problem
from codex_kb.text import json_of_others
from codex_kb.text.marks import counted


@dataclass(frozen=True)
class State:
    """How the committed index and the claims stand to each other.

    `add` has the keys that have claims and no entry, with how many claims; `remove` those with an entry and no
    claim; `entries` counts what can be read.
    """

    add: Mapping[str, int]
    remove: Sequence[str]
    damaged: Sequence[Problem]
    other_model: bool
    entries: int = 0

    @property
    def fresh(self) -> bool:
        """Do they agree?"""
        return not (self.add or self.remove or self.damaged or self.other_model)


def known(root: Path, encoder: Encoder, catalog: Catalog) -> State:
    """What the committed index lacks, has too many of, or holds damaged, as the catalog knows it."""
    touched = list(catalog.touched(places.INDEX))
    return State(
        add={key: claims for key, claims, there in touched if claims and not there},
        remove=[key for key, claims, there in touched if there and not claims],
        damaged=[p for p in changed.problems(catalog) if p.path.startswith(places.INDEX + "/")],
        other_model=_other_model(root, encoder),
    )


def of_files(root: Path, encoder: Encoder, claims: Sequence[Claim]) -> State:
    """The state by the files themselves, whatever the local copy says."""
    wanted = Counter(entry.key_of(encoder.name, entry.texts_of(claim)) for claim in claims)
    there, damaged = set(), []
    for path in sorted((root / places.INDEX).glob("??/*.jsonl")):
        relative = path.relative_to(root).as_posix()
        key = entry.entry_key(relative)
        try:
            entry.load_entry(gate.read(root, relative), key)
            there.add(key)
        except (CodexError, ValueError) as error:
            damaged.append(Problem(relative, 1, "damaged-index", str(error), f"rm {relative}; codex distill"))
    return State(
        add={key: claims for key, claims in wanted.items() if key not in there},
        remove=sorted(there - wanted.keys()),
        damaged=damaged,
        other_model=_other_model(root, encoder),
        entries=len(there),
    )


def stale(state_: State, encoder: Encoder) -> list[Problem]:
    """An index that does not agree with the claims, as problems; an index that was never made is one."""
    if state_.fresh:
        return []
    if state_.other_model:
        message = f"the index is not of {encoder.name}, or of another version of codex"
        return [Problem(places.MANIFEST, 1, "stale-index", message, "codex distill")]
    found = list(state_.damaged)
    missing = len(state_.add) - sum(entry.entry_key(p.path) in state_.add for p in state_.damaged)
    if missing or state_.remove:
        message = f"{counted(missing, 'claim')} to embed, {len(state_.remove)} to remove"
        found.append(Problem(places.INDEX, None, "stale-index", message, "codex distill"))
    return found


def read_manifest(root: Path) -> dict[str, str]:
    """What the committed manifest says; nothing where there is none that can be read."""
    try:
        value = json_of_others.read(gate.read(root, places.MANIFEST))
    except (CodexError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _other_model(root: Path, encoder: Encoder) -> bool:
    before = read_manifest(root)
    if not before:
        return False
    current = json.loads(entry.manifest(encoder.name, ""))
    return any(before.get(name) != current[name] for name in ("version", "model"))
