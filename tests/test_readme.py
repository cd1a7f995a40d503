"""The README's commands, typed as they stand: on this repository, on a real corpus, and in vim."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from codex_kb import check, config
from codex_kb.cli import cli

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CORPUS = ROOT.parent / "shared/corpora/teleo"
BIN = Path(sys.executable).parent
TRANSCRIPT = [
    line[2:] for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL) for line in block.splitlines()
]

#: An editor that approves the first proposal and rejects the second.
EDITOR = """#!/bin/sh
awk '/^## \\[ \\]/ { n++; if (n == 1) sub(/\\[ \\]/, "[x]"); if (n == 2) sub(/\\[ \\]/, "[-]") }
     n == 2 && /^- reason:/ { $0 = "- reason: vague" } { print }' "$1" > "$1.new" && mv "$1.new" "$1"
"""


def environment(tmp_path: Path) -> dict[str, str]:
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "CODEX")) and k not in ("VISUAL", "EDITOR")
    }
    editor = tmp_path / "editor"
    editor.write_text(EDITOR)
    editor.chmod(0o755)
    return kept | {
        "PATH": f"{BIN}{os.pathsep}{kept['PATH']}", "EDITOR": str(editor), "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Reader", "GIT_AUTHOR_EMAIL": "reader@example.org",
        "GIT_COMMITTER_NAME": "Reader", "GIT_COMMITTER_EMAIL": "reader@example.org",
    }  # fmt: skip


def repository(tree: Path, root: Path, settings: str | None, env: dict[str, str]) -> None:
    for name in ("codex", "inbox", "schemas", "domains", "core", "foundations"):
        if (tree / name).is_dir():
            shutil.copytree(tree / name, root / name)
    (root / "codex.toml").write_text(settings or (tree / "codex.toml").read_text())
    for command in ("git init -q", "git add -A", "git commit -q -m start"):
        subprocess.run(shlex.split(command), cwd=root, env=env, check=True)


def type_in(command: str, root: Path, env: dict[str, str]) -> str:
    done = subprocess.run(shlex.split(command), cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def teleo_settings() -> str:
    return next(block for block in re.findall(r"```toml\n(.*?)```", README, re.DOTALL) if "domains" in block)


@pytest.mark.parametrize("where", ["this repository", "a real corpus"])
def test_the_transcript(where: str, tmp_path: Path) -> None:
    tree, settings = (ROOT, None) if where == "this repository" else (CORPUS, teleo_settings())
    if not tree.is_dir():
        pytest.skip(f"{tree} is not here")
    env = environment(tmp_path)
    root = tmp_path / "kb"
    root.mkdir()
    repository(tree, root, settings, env)
    before = json.loads(type_in("codex status --json", root, env))["claims"]
    shown = {command: type_in(command, root, env) for command in TRANSCRIPT}
    # Two are approved, and one is taken back.
    assert json.loads(type_in("codex status --json", root, env))["claims"] == before + 1
    assert all(
        shown[c].strip() for c in TRANSCRIPT if c.startswith(("codex search", "codex status", "codex proposals"))
    )
    log = type_in("git log -1 --format=%B", root, env)
    assert "Reviewed-by: Reader <reader@example.org>" in log
    assert type_in("git status --porcelain", root, env) == ""


def test_the_python_lines(tmp_path: Path) -> None:
    env = environment(tmp_path)
    root = tmp_path / "kb"
    root.mkdir()
    repository(ROOT, root, None, env)
    (lines,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", lines], cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    title, *hits = done.stdout.splitlines()
    assert len(hits) >= 3
    assert type_in("git log -2 --format=%B", root, env).count("Reviewed-by: Ada <ada@example.org>") == 1
    decided = [json.loads(x) for p in (root / "codex/decisions").glob("*.jsonl") for x in p.read_text().splitlines()]
    assert any(title.startswith(d["title"]) and d["verdict"] == "approved" for d in decided)


@pytest.mark.skipif(not (shutil.which("vim") and shutil.which("tmux")), reason="vim and tmux are not installed")
def test_review_in_vim(tmp_path: Path) -> None:
    env = environment(tmp_path) | {"EDITOR": "vim -u NONE -N", "TERM": "xterm"}
    root = tmp_path / "kb"
    root.mkdir()
    repository(ROOT, root, None, env)
    type_in("codex ingest inbox/ --limit 1 --max-claims 2", root, env)
    tmux = ["tmux", "-L", f"codex-{os.getpid()}"]
    session = [*tmux, "-f", os.devnull, "new-session", "-d", "-x", "120", "-y", "40"]
    subprocess.run([*session, "codex review; echo $? > done"], cwd=root, env=env, check=True)
    try:
        wait_for(lambda: "Review:" in screen(tmux))
        for keys in (r"/\[ \]", "Enter", "lrx", ":wq", "Enter"):
            subprocess.run([*tmux, "send-keys", *([] if keys == "Enter" else ["-l"]), keys], check=True)
            time.sleep(0.2)
        wait_for(lambda: "1 approved, 0 rejected, " in screen(tmux) and "apply?" in screen(tmux))
        subprocess.run([*tmux, "send-keys", "y", "Enter"], check=True)
        wait_for((root / "done").exists)
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)
    assert (root / "done").read_text().strip() == "0"
    decisions = [json.loads(x) for p in (root / "codex/decisions").glob("*.jsonl") for x in p.read_text().splitlines()]
    assert [d["verdict"] for d in decisions if d["reviewer"].startswith("Reader")] == ["approved"]


def screen(tmux: list[str]) -> str:
    return subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=False).stdout


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen within a minute")


def test_every_command_and_option_is_real() -> None:
    context = click.Context(cli)
    commands = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    table = re.findall(r"^\| `codex (\w+)[^`]*` \| (.*) \|$", README, re.MULTILINE)
    assert {name for name, _ in table} == set(commands)
    for name, text in table:
        command = commands[name]
        assert command is not None
        options = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", text)) <= options


def test_the_settings_shown_are_the_defaults() -> None:
    shown = next(block for block in re.findall(r"```toml\n(.*?)```", README, re.DOTALL) if "[ingest]" in block)
    assert config.parse(shown) == config.Settings()
    every = re.sub(r"^# ([\w-]+ = )", r"\1", shown, flags=re.MULTILINE)
    assert set(tomllib.loads(every)) == {
        "kb", "ingest", "propose", "learn", "review", "index", "fields", "check", "git", "run",
    }  # fmt: skip
    config.parse(every, rules=check.ids)


def test_schemas_are_those_of_the_program() -> None:
    for path in (ROOT / "schemas").iterdir():
        assert path.read_bytes() == (ROOT / "pipeline/codex_kb/schemas" / path.name).read_bytes()
