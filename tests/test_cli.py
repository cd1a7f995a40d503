"""The command line: help, errors, and nothing heavy loaded before it is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from codex_kb.index import opened
from conftest import Base, Run, make_base

COMMANDS = ("init", "ingest", "proposals", "show", "review", "distill", "search", "related", "status", "check", "mcp")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(run, command: str) -> None:
    done = run(command, "--help")
    assert (done.code, "Usage: codex" in done.out) == (0, True)


def test_starting_loads_nothing_heavy() -> None:
    code = (
        "import sys, codex_kb.cli; "
        "heavy = ('torch', 'faiss', 'sentence_transformers', 'onnxruntime', 'git', 'ray'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(os.environ.get("CODEX_FAST") == "1", reason="loads the real model")
def test_asked_often_the_answers_are_the_same(
    tmp_path: Path, run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    kb = make_base(tmp_path / "kb", run)
    for number, what in enumerate(("boats turn slowly", "towns grow near rivers", "prices rise in winter")):
        kb.claim(f"c{number}", f"Wide {what}", body="Their keels resist the water.")
    monkeypatch.setattr(opened, "_OFTEN", 1)
    rows = [json.loads(x) for x in kb.run("search", "--batch", "-", stdin="broad ships\n" * 3).out.splitlines()]
    first, *later = ([(hit["path"], pytest.approx(hit["score"], abs=1e-5)) for hit in row["hits"]] for row in rows)
    assert later == [first, first]
    assert len(first) == 3


def test_at_its_end_nothing_is_looked_through_for_garbage() -> None:
    script = (
        "import atexit, gc, sys; sys.argv = ['codex', '--version']\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 1000, len(gc.get_objects()) < 1000))\n"
        "from codex_kb.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True True"


def test_errors_are_json_where_asked_for(kb: Base) -> None:
    done = kb.run("search", "", "--json")
    assert (done.code, json.loads(done.err)["error"]["code"]) == (2, "usage")
    assert kb.run("--kb", "/nowhere", "status").code == 3
    assert kb.run("bogus").code == 2
    assert kb.run("show", "nothing").code == 3


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(os.environ.get("CODEX_FAST") == "1", reason="loads the real model")
def test_a_search_loads_nothing_heavy(tmp_path: Path, run: Callable[..., Run]) -> None:
    kb = make_base(tmp_path / "kb", run)
    for number in range(3):
        kb.claim(f"c{number}", f"Wide boats turn slowly {number}", body="Their keels resist the water.")
    kb.commit_all()
    assert kb.run("distill").code == 0
    time.sleep(2.1)  # files as young as this are read again
    assert kb.run("search", "boats").code == 0
    script = (
        "import sys, atexit; sys.argv = ['codex', 'search', 'broad ships', '--explain']\n"
        "heavy = 'torch transformers sentence_transformers faiss onnxruntime git yaml jsonschema asyncio "
        "threadpoolctl codex_kb.records ray fsspec'.split()\n"
        "atexit.register(lambda: print('heavy:', [m for m in heavy if m in sys.modules]))\n"
        "from codex_kb.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=kb.root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "heavy: []"
    assert "Wide boats turn slowly" in done.stdout
