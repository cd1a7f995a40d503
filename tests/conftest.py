"""Fixtures: a real knowledge base in a real git repository, and the command line run in process."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import settings

from codex_kb import cli

if TYPE_CHECKING:
    from served import Served

DIMENSION = 64
SENTENCES = (
    "Prediction markets aggregate dispersed information more accurately than committees of experts do.",
    "Large cities raise the productivity of workers because firms and people learn from one another.",
    "Randomized trials show that cash transfers increase school attendance among poor households by 12 percent.",
)
HEAD = """---
type: source
title: Notes on towns
author: Ann Archer
url: https://example.org/notes
date: 2026-03-01
domain: economics
status: unprocessed
---

"""

#: Files in memory, on Linux, and the free bytes from which tests use it: all of them leave less than a tenth of that.
_IN_MEMORY, _ROOM = "/dev/shm", 2**32

# A busy machine is slow, not wrong.
settings.register_profile("no stopwatch", deadline=None)
settings.load_profile("no stopwatch")


def pytest_configure() -> None:
    """Temporary folders are in memory, where there is room: tests commit thousands of times, and a disk waits."""
    if os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", _IN_MEMORY)


def grows_linearly(work: Callable[[int], object], size: int) -> None:
    """Work on four times the size takes less than ten times the processor time; quadratic work would take 16 times.

    What is over within 20 ms counts as 20 ms, and of three measurements the best.
    """

    def seconds(amount: int) -> float:
        began = time.process_time()
        work(amount)
        return max(time.process_time() - began, 0.02)

    assert any(seconds(4 * size) < 10 * seconds(size) for _ in range(3))


class Run(NamedTuple):
    """What a command gave back."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


class FakeEncoder:
    """Words hashed into 64 dimensions: deterministic, and counts the texts that it embedded."""

    name = "fake@1"
    dimension = DIMENSION
    texts: list[str] = []  # noqa: RUF012

    def __init__(self, model: str, local: Path, say: Callable[[str], None]) -> None:
        self.model = model

    def query(self, text: str) -> np.ndarray:
        """One row."""
        return self.encode([text])[0]

    def quick(self) -> str:
        """Not a model that NumPy runs."""
        return ""

    def prove(self, texts: Sequence[str]) -> str:
        """Nothing differs."""
        return "1e-09"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Rows of length 1."""
        self.texts.extend(texts)
        rows = np.zeros((len(texts), DIMENSION), np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()) or ["-"]:
                rows[row, int(hashlib.sha256(word.encode()).hexdigest(), 16) % DIMENSION] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True) if len(texts) else rows


@dataclass
class Base:
    """A knowledge base and what tests do with it."""

    root: Path
    run: Callable[..., Run]
    names: list[str] = field(default_factory=list)

    def path(self, name: str) -> Path:
        """A file of it."""
        return self.root / name

    def read(self, name: str) -> str:
        """A file's text, newlines as they are."""
        return self.path(name).read_bytes().decode()

    def write(self, name: str, text: str | bytes) -> Path:
        """Write a file, with its folders."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def git(self, *args: str) -> str:
        """Run git in it."""
        done = subprocess.run(["git", *args], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit_all(self) -> None:
        """Commit everything."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "all")

    def source(self, name: str = "notes", sentences: Sequence[str] = SENTENCES, head: str = HEAD) -> str:
        """A source in the inbox; its path."""
        self.write(f"inbox/{name}.md", head + "\n\n".join(sentences) + "\n")
        return f"inbox/{name}.md"

    def ingest(self, name: str = "notes", sentences: Sequence[str] = SENTENCES) -> list[dict[str, Any]]:
        """Write a source and propose from it; the proposals."""
        self.source(name, sentences)
        assert self.run("ingest", "inbox").code == 0
        return [p for p in self.run("proposals", "--json").json if p["source"] == f"inbox/{name}.md"]

    def mark(self, mark: str, name: str = "notes", count: int = -1) -> None:
        """Put a mark into the first empty boxes of a packet."""
        packet = f"inbox/proposals/{name}.md"
        self.write(packet, self.read(packet).replace("## [ ]", f"## [{mark}]", count))

    def edit(self, old: str, new: str, name: str = "inbox/proposals/notes.md") -> None:
        """Replace text that a file has."""
        text = self.read(name)
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def claim(
        self, stem: str, title: str, description: str = "It is so", domain: str = "economics", **more: Any
    ) -> str:
        """A claim written by hand; its path."""
        values: dict[str, Any] = {
            "type": "claim", "domain": domain, "description": description, "confidence": "likely",
            "source": "a test", "created": "2026-01-01", **more,
        }  # fmt: skip
        body = values.pop("body", "")
        lines = "".join(f"{key}: {json.dumps(value)}\n" for key, value in values.items() if value is not None)
        self.write(f"codex/{domain}/{stem}.md", f"---\n{lines}---\n\n# {title}\n\n{body}\n")
        return f"codex/{domain}/{stem}.md"

    def decisions(self, name: str = "notes") -> list[dict[str, Any]]:
        """What was decided about a source."""
        return [json.loads(line) for line in self.read(f"codex/decisions/{name}.jsonl").splitlines()]

    def claims(self) -> list[str]:
        """Paths of the claim files."""
        return sorted(p.relative_to(self.root).as_posix() for p in self.path("codex").rglob("*.md"))

    def snapshot(self) -> dict[str, bytes]:
        """Every file outside of .git and .codex-kb."""
        return {
            p.relative_to(self.root).as_posix(): p.read_bytes()
            for p in self.root.rglob("*")
            if p.is_file() and not {".git", ".codex-kb"} & set(p.relative_to(self.root).parts)
        }


@pytest.fixture(autouse=True)
def state_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is remembered outside of knowledge bases is of this test alone."""
    home = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    return home


@pytest.fixture
def clean_env(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of the user's own."""
    for name in list(os.environ):
        if name.startswith("GIT_") or name in ("CODEX_KB", "EDITOR", "VISUAL"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> type[FakeEncoder]:
    """The fake encoder, in place of the real one."""
    monkeypatch.setattr("codex_kb.encoders.model.load", FakeEncoder)
    FakeEncoder.texts.clear()
    return FakeEncoder


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], clean_env: None, tmp_path: Path
) -> Callable[..., Run]:
    """Run `codex ARGS...` in process, in a folder."""

    def command(*args: str, cwd: Path = tmp_path, stdin: str = "") -> Run:
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["codex", *args])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main()
        return Run(int(left.value.code or 0), *capfd.readouterr())

    return command


def base_at(root: Path, run: Callable[..., Run]) -> Base:
    """The knowledge base at this root, its commands run there."""
    return Base(root, lambda *args, **more: run(*args, **{"cwd": root, **more}))


def make_base(root: Path, run: Callable[..., Run], git: bool = True) -> Base:
    """`codex init`, with a first commit."""
    assert run("init", str(root)).code == 0
    base = base_at(root, run)
    if git:
        base.git("symbolic-ref", "HEAD", "refs/heads/main")
        for key, value in {"user.name": "Rita Reviewer", "user.email": "rita@example.org"}.items():
            base.git("config", key, value)
        base.commit_all()
    return base


_MADE: dict[str, Path] = {}


def as_made_before(kb: Base, name: str, make: Callable[[Base], object], factory: pytest.TempPathFactory) -> Base:
    """The knowledge base that `make` makes of a new one: made once in a run of tests, copied from then on."""
    _once(kb.root, name, lambda: make(kb), factory)
    return kb


def _once(root: Path, name: str, make: Callable[[], object], factory: pytest.TempPathFactory) -> None:
    if name in _MADE:
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(_MADE[name], root, symlinks=True)
    else:
        make()
        _MADE[name] = factory.mktemp("made") / name
        shutil.copytree(root, _MADE[name], symlinks=True)


@pytest.fixture
def kb(
    tmp_path: Path, run: Callable[..., Run], encoder: type[FakeEncoder], tmp_path_factory: pytest.TempPathFactory
) -> Base:
    """A new knowledge base with the fake encoder."""
    root = tmp_path / "kb"
    # git and init take a tenth of a second, which most tests would wait for
    _once(root, "new", lambda: make_base(root, run), tmp_path_factory)
    return base_at(root, run)


@pytest.fixture
def served(kb: Base) -> Iterator[Served]:
    """The page of a knowledge base with one packet, opened."""
    from served import Served  # noqa: PLC0415 (few tests need a server)

    kb.ingest()
    with Served(kb.root) as server:
        server.open()
        yield server
