"""`codex init`: a knowledge base that a clone has too."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Run


def git(folder: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch, clean_env: None) -> None:
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Ann")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ann@example.org")


def test_what_init_writes_is_committed_and_a_clone_works(
    tmp_path: Path, run: Callable[..., Run], identity: None
) -> None:
    assert run("init", "kb").code == 0
    assert git(tmp_path / "kb", "status", "--porcelain") == ""
    git(tmp_path, "clone", "-q", "kb", "clone")
    assert run("status", cwd=tmp_path / "clone").code == 0


def test_without_an_identity_the_files_stand_and_init_says_so(
    tmp_path: Path, run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.useConfigOnly")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    done = run("init", "kb")
    assert (done.code, "not committed yet" in done.err, "commit-message" in done.err) == (0, True, True)
    assert (tmp_path / "kb/codex.toml").is_file()


def test_init_says_how_notes_elsewhere_are_named_as_sources(
    tmp_path: Path, run: Callable[..., Run], identity: None
) -> None:
    root = tmp_path / "kb"
    notes = ("my notes/2026/a.md", "zettel/b.md", "zettel/c.md", "inbox/d.md")
    for name in (*notes, "codex/e.md", "src/f.py", "README.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("Large towns make workers more productive.\n")
    said = run("init", "kb").err
    assert "notes in my notes, zettel are not looked at" in said
    assert '[kb] sources = ["inbox", "my notes", "zettel"]' in said
    assert "beside codex.toml" not in said
    settings = root / "codex.toml"
    settings.write_text(settings.read_text().replace('["inbox"]', '["inbox", "my notes", "zettel"]'))
    (root / "loose.md").write_text("A note.\n")
    again = run("init", "kb").err
    assert "notes in" not in again
    assert "Markdown beside codex.toml is not looked at" in again
    assert run("status", "--json", cwd=root).json["sources"] == {"unprocessed": 4}


def test_init_again_and_adoption_overwrite_nothing(tmp_path: Path, run: Callable[..., Run], identity: None) -> None:
    root = tmp_path / "kb"
    (root / "schemas").mkdir(parents=True)
    (root / "schemas/claim.md").write_text("mine")
    (root / "codex.toml").write_text("# mine\n")
    git(root, "init", "-q")
    (root / "other.txt").write_text("not yours")
    assert run("init", "kb").code == 0
    assert (root / "codex.toml").read_text() == "# mine\n"
    assert (root / "schemas/claim.md").read_text() == "mine"
    assert "?? other.txt" in git(root, "status", "--porcelain")
    head = git(root, "rev-parse", "HEAD")
    assert "nothing to do" in run("init", "kb").err
    assert git(root, "rev-parse", "HEAD") == head


def test_a_knowledge_base_inside_another_is_said(tmp_path: Path, run: Callable[..., Run], identity: None) -> None:
    run("init", "kb")
    assert "inside another knowledge base" in run("init", "kb/notes").err
