"""What was not proposed, a file a source and generation: `codex/generations/candidates/<source>-<8 hex digits>.json`.

The digits are of what the file says, so that branches that ingest the same source never write the same file otherwise.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from codex_kb.disk import gate
from codex_kb.disk.transaction import Change
from codex_kb.errors import CodexError
from codex_kb.layout import CANDIDATES
from codex_kb.learn import candidates
from codex_kb.learn.candidates import Candidates
from codex_kb.records import Problem

#: Bytes of such a file.
_LIMIT = 1_000_000


def kept(root: Path) -> Mapping[str, Sequence[str]]:
    """The paths of the files that there are, by the name of their source: a folder that grows is listed once a run."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in _paths(root):
        found[path.rpartition("/")[2].rpartition("-")[0]].append(path)
    return found


def changes(root: Path, earlier: Sequence[str], name: str, found: Candidates) -> list[Change]:
    """The file of a source with this name, in place of those that an earlier run over the source left."""
    data = candidates.to_bytes(found)
    path = f"{CANDIDATES}/{name}-{hashlib.sha256(data).hexdigest()[:8]}.json"
    gone = []
    for each in earlier:
        if each != path:
            with contextlib.suppress(CodexError):  # one that is none stays: check tells of it
                gone.append(Change(each, gate.read(root, each, _LIMIT), None))
    return [*gone, Change(path, gate.read_if_there(root, path, _LIMIT), data)]


def read(root: Path) -> tuple[list[Candidates], list[Problem]]:
    """All that were kept, in the order of their files, and the files that hold none."""
    found, problems = [], []
    for path in _paths(root):
        try:
            found.append(candidates.from_bytes(gate.read(root, path, _LIMIT)))
        except (CodexError, ValueError) as error:
            why = error.message if isinstance(error, CodexError) else str(error)
            problems.append(Problem(path, None, "candidates", f"not a record of candidates: {why}",
                                    "git checkout it, or delete it: only an audit looks at it"))  # fmt: skip
    return found, problems


def _paths(root: Path) -> Iterator[str]:
    folder = root / CANDIDATES
    names = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
    return (f"{CANDIDATES}/{name}" for name in names if name.endswith(".json"))
