"""Killed at any moment, a review loses nothing and doubles nothing: the next run brings it to its end."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = """---
type: source
title: Harbours
author: Ada
url: https://example.org/harbours
date: 2026-01-02
domain: ships
status: unprocessed
---
# Harbours

Wide boats turn slowly because their keels resist the water. This makes them costly in narrow harbours.
A survey of 40 ports found that narrow boats save 12% of fuel in winter storms.

Harbour taxes reward narrow boats because berths are priced by the width of the hull.
The price of tar doubled in winter because the forests around the harbour burned.
"""
REVIEWER = "Ada <ada@example.org>"
KILLED = -9
CONFLICT = 4
APPLY = ("review", "--apply")


class Codex:
    """Runs commands in children that are killed where the test says."""

    def __init__(self, home: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "CODEX_"))}
        self.environment = environment | {"HOME": str(home), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self.server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("kill_child.py"))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.environment,
        )  # fmt: skip

    def __call__(self, folder: Path, *arguments: str, kill_at: int = 0) -> int:
        assert self.server.stdin
        assert self.server.stdout
        job = {"folder": str(folder), "arguments": arguments, "kill_at": kill_at}
        print(json.dumps(job), file=self.server.stdin, flush=True)
        code: int = json.loads(self.server.stdout.readline())["code"]
        return code

    def git(self, folder: Path, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=folder, env=self.environment, capture_output=True, text=True,
                              check=True)  # fmt: skip
        return done.stdout

    def close(self) -> None:
        assert self.server.stdin
        assert self.server.stdout
        self.server.stdin.close()
        self.server.wait(10)
        self.server.stdout.close()


def output(folder: Path) -> str:
    return (folder.parent / "output.txt").read_text()


def points(folder: Path) -> list[str]:
    return (folder.parent / "points.txt").read_text().splitlines()


@pytest.fixture(scope="module")
def codex(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Codex]:
    runner = Codex(tmp_path_factory.mktemp("home"))
    yield runner
    runner.close()


@pytest.fixture(scope="module")
def marked(codex: Codex, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A knowledge base with one packet of three proposals: one approved, one rejected, one left."""
    kb = tmp_path_factory.mktemp("marked") / "kb"
    kb.mkdir()
    assert codex(kb, "init", ".") == 0, output(kb)
    codex.git(kb, "config", "user.name", "Ada")
    codex.git(kb, "config", "user.email", "ada@example.org")
    (kb / "inbox" / "harbours.md").write_text(SOURCE)
    codex.git(kb, "add", "--all")
    codex.git(kb, "commit", "--quiet", "--message", "begin")
    assert codex(kb, "ingest", "inbox", "--max-claims", "3") == 0, output(kb)
    packet = kb / "inbox" / "proposals" / "harbours.md"
    head, *sections = re.split(r"(?m)^(?=## \[)", packet.read_text())
    assert len(sections) == 3
    sections[0] = sections[0].replace("## [ ]", "## [x]")
    sections[0] = re.sub(r"- description:.*", "- description: keels are the cause", sections[0])
    sections[0] = re.sub(r"- confidence:.*", "- confidence: likely", sections[0])
    sections[1] = sections[1].replace("## [ ]", "## [-]").replace("- reason:", "- reason: vague")
    packet.write_text(head + "".join(sections))
    return kb


def copied(marked: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(marked, folder / "kb", symlinks=True)
    return folder / "kb"


def state(codex: Codex, kb: Path) -> dict[str, object]:
    """All that must be the same, however often the run was killed."""
    lines = (kb / "codex" / "decisions" / "harbours.jsonl").read_text().splitlines()
    decisions = [json.loads(line) for line in lines]
    record = json.loads((kb / "inbox" / "proposals" / "harbours.json").read_text())
    text = (kb / "inbox" / "proposals" / "harbours.md").read_text()
    claims = list((kb / "codex").rglob("*.md"))
    files = {
        path.relative_to(kb).as_posix(): path.read_bytes()
        for path in kb.rglob("*")
        if path.is_file() and not path.is_relative_to(kb / ".git") and not path.is_relative_to(kb / ".codex-kb")
    }
    del files["codex/decisions/harbours.jsonl"]
    return {
        "decisions": [(d["id"], d["verdict"], d["reason"], d["claim"], d["title"]) for d in decisions],
        "claims": [path.name for path in claims],
        "waiting": [p["id"] for p in record["proposals"]],
        "in the packet": re.findall(r"<!-- id: (\S+) -->", text),
        "log": codex.git(kb, "log", "--format=%s").splitlines(),
        "status": codex.git(kb, "status", "--porcelain"),
        "tracked": codex.git(kb, "ls-files"),
        "files": files,
    }


@pytest.fixture(scope="module")
def undisturbed(
    codex: Codex, marked: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, object], list[str]]:
    """The state after a run that nothing stopped, and the points that it went through."""
    kb = copied(marked, tmp_path_factory.mktemp("undisturbed") / "copy")
    assert codex(kb, *APPLY) == 0, output(kb)
    passed = points(kb)
    return state(codex, kb), passed


def test_an_undisturbed_run_decides_what_was_marked(
    codex: Codex, undisturbed: tuple[dict[str, object], list[str]]
) -> None:
    end, _ = undisturbed
    decisions = end["decisions"]
    assert isinstance(decisions, list)
    assert [verdict for _, verdict, *_ in decisions] == ["approved", "rejected"]
    assert isinstance(end["claims"], list)
    assert len(end["claims"]) == 1
    assert isinstance(end["waiting"], list)
    assert len(end["waiting"]) == 1
    assert end["waiting"] == end["in the packet"]
    assert end["status"] == ""
    assert isinstance(end["log"], list)
    assert sum("add 1 claim from harbours" in subject for subject in end["log"]) == 1


def assert_whole(codex: Codex, kb: Path, end: dict[str, object], where: str) -> None:
    assert codex(kb, *APPLY) in (0, CONFLICT), f"{where}\n{output(kb)}"
    assert state(codex, kb) == end, where
    assert not [path for path in kb.rglob("*.tmp") if not path.is_relative_to(kb / ".codex-kb" / "index")], where
    assert not (kb / ".codex-kb" / "journal.json").exists(), where
    assert codex(kb, "check") == 0, f"{where}\n{output(kb)}"


def test_killed_at_every_point_the_next_run_reaches_the_same_end(
    codex: Codex, marked: Path, undisturbed: tuple[dict[str, object], list[str]], tmp_path: Path
) -> None:
    end, passed = undisturbed
    for number, name in enumerate(passed, 1):
        kb = copied(marked, tmp_path / "copy")
        assert codex(kb, *APPLY, kill_at=number) == KILLED
        assert_whole(codex, kb, end, f"killed before point {number} of {len(passed)}: {name}")


def test_killed_again_while_recovering_the_third_run_reaches_the_same_end(
    codex: Codex, marked: Path, undisturbed: tuple[dict[str, object], list[str]], tmp_path: Path
) -> None:
    end, passed = undisturbed
    middle = max(n for n, name in enumerate(passed, 1) if name.startswith("replace"))
    cut = copied(marked, tmp_path / "cut")
    assert codex(cut, *APPLY, kill_at=middle) == KILLED
    number = 0
    while True:
        number += 1
        kb = copied(cut, tmp_path / "copy")
        code = codex(kb, *APPLY, kill_at=number)
        if code != KILLED:
            break
        assert_whole(codex, kb, end, f"killed again before point {number}: {points(kb)[-1]}")
    assert number > 5


def test_the_run_that_recovers_reports_no_conflict(
    codex: Codex, marked: Path, undisturbed: tuple[dict[str, object], list[str]], tmp_path: Path
) -> None:
    _, passed = undisturbed
    kb = copied(marked, tmp_path / "copy")
    first_write = passed.index("mkdir decisions") + 1
    assert codex(kb, *APPLY, kill_at=first_write) == KILLED
    assert codex(kb, *APPLY) == 0, output(kb)


def test_undo_killed_at_every_point_is_finished_by_the_next_run(codex: Codex, marked: Path, tmp_path: Path) -> None:
    decided = copied(marked, tmp_path / "decided")
    assert codex(decided, *APPLY) == 0
    lines = (decided / "codex" / "decisions" / "harbours.jsonl").read_text().splitlines()
    undo = ("undo", next(d["id"] for d in map(json.loads, lines) if d["verdict"] == "approved"))
    whole = copied(decided, tmp_path / "whole")
    assert codex(whole, *undo) == 0, output(whole)
    passed, end = points(whole), state(codex, whole)
    assert end["claims"] == []
    assert end["status"] == ""
    for number, name in enumerate(passed, 1):
        kb = copied(decided, tmp_path / "copy")
        assert codex(kb, *undo, kill_at=number) == KILLED
        assert codex(kb, *undo) == 0, f"{name}\n{output(kb)}"
        assert state(codex, kb) == end, f"killed before point {number} of {len(passed)}: {name}"
    assert len(passed) > 20


def test_distill_killed_at_every_point_is_finished_by_the_next_run(codex: Codex, marked: Path, tmp_path: Path) -> None:
    whole = copied(marked, tmp_path / "whole")
    assert codex(whole, *APPLY) == 0
    for number in range(3):
        claim = next((whole / "codex").rglob("*.md")).read_text()
        (whole / "codex" / "economics").mkdir(exist_ok=True)
        (whole / "codex" / "economics" / f"c{number}.md").write_text(claim.replace("\n# ", f"\n# {number} "))
    codex.git(whole, "add", "--all")
    codex.git(whole, "commit", "--quiet", "--message", "claims")
    done = copied(whole, tmp_path / "done")
    assert codex(done, "distill") == 0, output(done)
    passed = points(done)
    end = index_state(codex, done)
    for number, name in enumerate(passed, 1):
        kb = copied(whole, tmp_path / "copy")
        assert codex(kb, "distill", kill_at=number) == KILLED
        assert codex(kb, "distill") == 0, f"{name}\n{output(kb)}"
        assert index_state(codex, kb) == end, f"killed before point {number}: {name}"
        assert codex(kb, "distill", "--check") == 0, f"{name}\n{output(kb)}"
    assert len(passed) > 20


def index_state(codex: Codex, kb: Path) -> dict[str, object]:
    """The committed index, and whether git has all of it."""
    files = {path.name: path.read_bytes() for path in (kb / "codex" / "index").rglob("*") if path.is_file()}
    return {"files": files, "status": codex.git(kb, "status", "--porcelain"),
            "log": codex.git(kb, "log", "--format=%s").splitlines()[:2]}  # fmt: skip
