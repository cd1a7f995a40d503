"""All of a knowledge base and its repository that must be the same, however often a run was killed."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections import Counter
from pathlib import Path

from benchmarks.kills.template import Templates
from codex_kb.layout import INDEX

#: Days and times are the only things that two runs of the same command may differ in.
_WHEN = re.compile(rb"\b20\d\d-\d\d-\d\d(T[\d:.]+(Z|\+00:00))?")
_DISTILL = "codex: distill"

State = dict[str, object]


def of(templates: Templates, root: Path) -> State:
    """Files, what git has on every branch, what it says of the work tree, and what must not be left behind."""

    def git(*arguments: str) -> str:
        return templates.git(root, *arguments).decode()

    files = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if path.is_file()}
    own = {name: path.read_bytes() for name, path in files.items() if not name.startswith((".git/", ".codex-kb/"))}
    branches = git("for-each-ref", "--format=%(refname)").split()
    return {
        "files": {name: _WHEN.sub(b"WHEN", data) for name, data in own.items()},
        "decided more than once": _doubled(own),
        "head": git("symbolic-ref", "HEAD"),
        "status": sorted(git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all").split("\0")),
        "staged": git("diff", "--cached"),
        "log": {name: _log(git("log", "--format=%x01%s%x02", "--name-only", "-z", name)) for name in branches},
        "trees": {name: _tree(templates.git(root, "archive", name)) for name in branches},
        "work trees": len(git("worktree", "list").splitlines()),
        "left behind": sorted(name for name in files if _left(name)),
    }


def differences(wanted: State, found: State, but_distill: bool = False) -> list[str]:
    """What differs, by name; `but_distill` leaves out when `codex distill` committed, so which branches have that."""
    told = []
    for name, value in wanted.items():
        mine, theirs = value, found[name]
        if but_distill and name in _BUT_DISTILL:
            mine, theirs = _BUT_DISTILL[name](mine), _BUT_DISTILL[name](theirs)
        if mine != theirs:
            told.append(f"{name}:\n" + "\n".join(_told(mine, theirs)))
    return told


def _told(wanted: object, found: object) -> list[str]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [f"  {key}:\n    wanted {wanted.get(key)!r}\n    found  {found.get(key)!r}"
                for key in sorted({*wanted, *found}) if wanted.get(key) != found.get(key)]  # fmt: skip
    return [f"  wanted {wanted!r}", f"  found  {found!r}"]


def _doubled(files: dict[str, bytes]) -> list[str]:
    """Proposals that more than one line of the decisions is about."""
    logs = [data for name, data in files.items() if name.startswith("codex/decisions/") and name.endswith(".jsonl")]
    count = Counter(json.loads(line)["id"] for data in logs for line in data.splitlines())
    return [each for each, times in count.items() if times > 1]


def _log(printed: str) -> list[tuple[str, list[str]]]:
    """Subject and files of each commit."""
    commits = (commit.partition("\x02") for commit in printed.split("\x01")[1:])
    return [(subject, sorted(name.strip() for name in names.split("\0") if name.strip()))
            for subject, _, names in commits]  # fmt: skip


def _sorted_log(log: object) -> object:
    assert isinstance(log, dict)
    return {name: sorted(commit for commit in commits if not commit[0].startswith(_DISTILL))
            for name, commits in log.items()}  # fmt: skip


def _without_index(trees: object) -> object:
    assert isinstance(trees, dict)
    return {name: {path: data for path, data in tree.items() if not path.startswith(INDEX)}
            for name, tree in trees.items()}  # fmt: skip


_BUT_DISTILL = {"log": _sorted_log, "trees": _without_index}


def _tree(archive: bytes) -> dict[str, bytes]:
    """The files of a commit."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        opened = ((member.name, tar.extractfile(member)) for member in tar.getmembers())
        return {name: _WHEN.sub(b"WHEN", file.read()) for name, file in opened if file}


def _left(name: str) -> bool:
    """Is this something that only a run under way has? What bears a process's number is in nobody's way."""
    if name.startswith(".git/next-index-"):
        return False
    if name.startswith(".git/"):
        return name.endswith(".lock") or name.startswith(".git/worktrees/")
    return name.endswith(".tmp") or name.startswith(
        (".codex-kb/journal", ".codex-kb/worktree/", ".codex-kb/conflicts/", ".codex-kb/lock.json")
    )
