"""Journals of killed runs, damaged or forged: what comes after writes what their act named, or says why not."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from benchmarks.fuzz.case import Ended, damaged, require
from codex_kb import acts
from codex_kb.disk import clone
from codex_kb.disk.journal import Commit, Entry, Journal, digest, dump
from codex_kb.disk.transaction import prepare_local
from codex_kb.errors import CodexError
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import DECISIONS, JOURNAL, LOCAL

#: The files of the scratch knowledge base, and what the act makes of some of them.
_FILES: dict[str, bytes] = {
    "codex.toml": b"", "inbox/notes.md": b"---\nstatus: processing\n---\nText.\n", "inbox/mine.md": b"mine\n",
    "codex/x/claim.md": b"---\ntype: claim\n---\n", "codex/decisions/notes.jsonl": b'{"id": "1"}\n',
}  # fmt: skip
_AFTER: dict[str, bytes | None] = {
    "inbox/notes.md": b"---\nstatus: processed\n---\nText.\n", "codex/x/new claim ü.md": b"\xff new",
    "codex/x/claim.md": None, "codex/decisions/notes.jsonl": b'{"id": "1"}\n{"id": "2"}\n', "codex/y/z/other.md": b"",
}  # fmt: skip
_OUTSIDE = "outside"
_PATHS: tuple[Any, ...] = (
    "../outside/secret.md", "../outside/new.md", "/outside/new.md", "inbox/../../outside/new.md", ".git/config",
    ".GIT/hooks/pre-commit", "codex/.git/config", "inbox/away/secret.md", "inbox/away/new.md", "inbox/link.md",
    "inbox/mine.md", "", ".", "/", "a\0b", "a\ud800.md", "a\udcff.md", "x" * 300, "inbox", "inbox/notes.md/x",
    f"{LOCAL}/id", f"{LOCAL}/conflicts/x", "codex.toml", "inbox//notes.md", "./inbox/notes.md", "a\nb.md",
    ":(top)x.md", "-x.md", "*.md", "~/x.md", "é/ü.md", 7, None, True, [], {}, ["inbox/mine.md"],
)  # fmt: skip
_ODD: tuple[Any, ...] = (
    "", "x", "\0", "\ud800", 7, -1, 1e9, None, True, False, [], {}, [[]], {"a": 1}, "A" * 64, "bWluZQ==", "é",
    "--help", "main", "extract/x", "a..b", "refs/heads/main", "detached at 0", "../x",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Killed:
    """A journal's bytes (as Latin-1), how many files stood when its run was killed, and what a person changed since."""

    text: str
    stood: int
    meanwhile: tuple[str, ...]
    harm: str


class Journals:
    """Journals in a scratch repository, made anew for each."""

    tries = 0

    def __init__(self, folder: Path) -> None:
        """Makes the repository that all cases begin with."""
        self._folder = folder / "case"
        self._kept = folder / "kept"
        root = self._kept / "kb"
        _write(root, _FILES)
        _write(self._kept / _OUTSIDE, {"secret.md": b"secret\n", ".codex-1.tmp": b"theirs"})
        os.symlink("../../outside", root / "inbox/away")
        os.symlink("../../outside/secret.md", root / "inbox/link.md")
        _git(root, "init", "--quiet", "--template=", "--initial-branch=main")
        settings = {"user.name": "F", "user.email": "f@example.org", "commit.gpgsign": "false", "gc.auto": "0"}
        for key, value in settings.items():
            _git(root, "config", key, value)
        _git(root, "add", *[name for name in _FILES if name != "inbox/mine.md"])
        _git(root, "commit", "--quiet", "-m", "first")
        self._trap(root)
        (root / ".git/codex-kb-id").write_text("0" * 32)  # the same journals in each run
        prepare_local(root)
        self._clone = clone.own_id(root)

    @staticmethod
    def _trap(root: Path) -> None:
        """A branch that leads out of the knowledge base, from where its work tree of ours stands."""
        _git(root, "checkout", "--quiet", "-b", "extract/notes")
        os.symlink("../../../../outside", root / "codex/y")
        _git(root, "add", "codex/y")
        _git(root, "commit", "--quiet", "-m", "a trap")
        _git(root, "checkout", "--quiet", "main")

    def make(self, chance: random.Random) -> Killed:
        """A journal of one to five files, whole or harmed."""
        paths = chance.sample([*_AFTER], chance.randint(1, len(_AFTER)))
        entries = tuple(Entry(path, digest(_FILES.get(path)), _AFTER[path]) for path in paths)
        branch = chance.choice(["", "", "extract/notes"])
        commit = Commit("fuzz: an act\n", tuple(paths), branch) if chance.random() < 0.8 else None
        data = dump(Journal(entries, commit, "refs/heads/main", written=chance.random() < 0.1), self._clone)
        harm = chance.choices(["none", "bytes", "fields"], [2, 3, 6])[0]
        if harm == "bytes":
            typed = ("\0", "{", '"', "\n", "]", "\xff", "0", "..", "/")
            data = damaged(chance, data.decode("latin-1"), typed, chance.randint(1, 3)).encode("latin-1")
        elif harm == "fields":
            data = self._sealed(_changed(chance, json.loads(data.partition(b"\n")[2])))
        stood = chance.choice([0, 0, 1, len(paths)])
        meanwhile = tuple(path for path in paths if chance.random() < 0.1)
        return Killed(data.decode("latin-1"), stood, meanwhile, harm)

    def _sealed(self, body: Any) -> bytes:
        """As `dump` seals it: believed for what it is."""
        data = json.dumps(body).encode()
        return json.dumps({"version": 3, "clone": self._clone, "sha256": digest(data)}).encode() + b"\n" + data

    def check(self, case: Any) -> Ended:
        """The next run finishes it or says why not; then it can be set aside, and runs go on."""
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(self._kept, self._folder, symlinks=True)
        root = self._folder / "kb"
        data = case.text.encode("latin-1")
        body = _believed(data)
        named = _entries(body)
        self._stands(root, case, named)
        (root / JOURNAL).write_bytes(data)
        before, head = _seen(self._folder), _git(root, "rev-parse", "HEAD")
        refused = ""
        try:
            with acts.writing(KnowledgeBase(root), "fuzz"):
                pass
        except CodexError as error:
            require(error.hint, f"an error without a next step: {error}")
            refused = " ".join(error.message.split())
        after = _seen(self._folder)
        _only_named(before, after, named, whole=not refused)
        self._committed(root, body, head)
        if not refused:
            require(not (root / JOURNAL).exists(), "finished, and the journal is still there")
        if case.harm == "none":
            trapped = body["commit"] and body["commit"]["branch"] and "codex/y/z/other.md" in body["commit"]["paths"]
            require(not refused or trapped, f"a sound journal is refused: {refused}")
            _finished(after, case, named)
        self._goes_on(root, after)
        return Ended("" if refused else f"finished ({case.harm} harmed)", _general(refused))

    @staticmethod
    def _stands(root: Path, case: Killed, named: dict[str, list[Any]]) -> None:
        """The files as the killed run and a person left them."""
        for path, after in [*_AFTER.items()][: case.stood]:
            if path in named:
                _write(root, {path: after})
        _write(root, dict.fromkeys(case.meanwhile, b"a person's\n"))

    @staticmethod
    def _committed(root: Path, body: Any, head: str) -> None:
        """Commits hold nothing but what the journal's commit names."""
        if _git(root, "rev-parse", "HEAD") == head:
            return
        paths = body["commit"]["paths"] if body else []
        wanted = {str(PurePosixPath(path)) for path in paths}
        found = set(_git(root, "diff", "--name-only", "-z", head, "HEAD").split("\0")) - {""}
        require(found <= wanted, f"committed beside what was named: {found - wanted}")

    @staticmethod
    def _goes_on(root: Path, after: dict[str, bytes]) -> None:
        """What cannot be finished is set aside; the next run begins with nothing to do."""
        with contextlib.suppress(CodexError):
            kb = KnowledgeBase(root)
            acts.set_aside(kb)
            require(not (root / JOURNAL).exists(), "set aside, and the journal is still there")
            with acts.writing(kb, "fuzz"):
                pass
        require(_seen(root.parent) == after, "a run with nothing to finish changed something")


# -- checking --------------------------------------------------------------------------------------


def _believed(data: bytes) -> Any:
    """What a journal says, where its seal holds; else nothing."""
    first, _, body = data.partition(b"\n")
    with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
        if json.loads(first)["sha256"] == digest(body):
            return json.loads(body)
    return None


def _entries(body: Any) -> dict[str, list[Any]]:
    """The paths that a journal's entries name, each with its new contents as they stand there."""
    entries = body.get("entries") if isinstance(body, dict) else None
    found: dict[str, list[Any]] = {}
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("path"), str):
            found.setdefault(str(PurePosixPath(entry["path"])), []).append(entry.get("after"))
    return found


def _seen(folder: Path) -> dict[str, bytes]:
    """Each file outside of what git and we keep for ourselves, and git's settings, by its path below the folder."""
    found = {}
    for at, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(at, name))]
        folders[:] = [name for name in folders if not (at == str(folder / "kb") and name in (".git", LOCAL))]
        for path in (Path(at, name) for name in [*names, *links]):
            shown = os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
            found[path.relative_to(folder).as_posix()] = shown
    for name in ("config", "codex-kb-id", "hooks/pre-commit"):
        path = folder / "kb/.git" / name
        found[f"kb/.git/{name}"] = path.read_bytes() if path.exists() else b""
    return found


def _only_named(before: dict[str, bytes], after: dict[str, bytes], named: dict[str, list[Any]], whole: bool) -> None:
    for path in before.keys() | after.keys():
        if before.get(path) == after.get(path):
            continue
        ours = path.removeprefix("kb/")
        require(path.startswith("kb/") and not ours.startswith(".git/"), f"written outside: {path}")
        require(ours in named or PurePosixPath(path).match(".codex-*.tmp"), f"no entry names {path}")
        shall_be = [_decoded(each) for each in named.get(ours, [None])]
        was, found = before.get(path), after.get(path)
        grew = was is not None and found is not None and ours.startswith(f"{DECISIONS}/") and any(
            found.startswith(was) and {*found.split(b"\n")} == {*was.split(b"\n"), *each.split(b"\n")}
            for each in shall_be if each is not None
        )  # a log of decisions keeps what it has, and gets our lines
        require(grew or found in shall_be, f"neither as it was nor as it shall be: {path}")
    require(
        not whole or not any(PurePosixPath(path).match("kb/**/.codex-*.tmp") for path in after), "half a file is left"
    )


def _decoded(after: Any) -> bytes | None:
    return None if after is None else base64.b64decode(after)


def _finished(after: dict[str, bytes], case: Killed, named: dict[str, list[Any]]) -> None:
    for path, (wanted,) in named.items():
        if path not in case.meanwhile and '"written": true' not in case.text:
            require(after.get(f"kb/{path}") == _decoded(wanted), f"not finished: {path}")


def _general(message: str) -> str:
    return message.partition("Git says")[0].partition(" on ")[0][:80]


def _git(root: Path, *args: str) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(["git", *args], cwd=root, check=True, capture_output=True, text=True, env=own)
    return done.stdout.removesuffix("\n")


# -- making ----------------------------------------------------------------------------------------


def _changed(chance: random.Random, body: Any) -> Any:
    """A journal's value with one to three of its fields another."""
    for _ in range(chance.choice([1, 1, 2])):
        places = [*_places(body)]
        paths = [
            (holder, key)
            for holder, key in places
            if key == "path" or (isinstance(key, int) and isinstance(holder[key], str))
        ]
        holder, key = chance.choice(paths if paths and chance.random() < 0.5 else places)
        if chance.random() < 0.05 and isinstance(holder, dict):
            del holder[key]
            continue
        odd = [
            each
            for each in (_PATHS if (holder, key) in paths else _ODD)
            if chance.random() < 0.1 or type(each) is type(holder[key])
        ]
        holder[key] = chance.choice(odd or [None])
    if chance.random() < 0.3 and isinstance(body.get("entries"), list) and body["entries"]:
        body["entries"].append({"path": chance.choice(_PATHS), "before": None, "after": "bmV3"})
    return body


def _places(value: Any) -> Iterable[tuple[Any, Any]]:
    """All places of a JSON value, as (container, key)."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _places(value[key])


def _write(root: Path, files: Mapping[str, bytes | None]) -> None:
    for name, data in files.items():
        path = root / name
        if data is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
