"""`codex open`, `codex completion`: what was found opens at its place, and shells complete what there is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Base

CODEX = Path(sys.executable).with_name("codex")


@pytest.fixture
def opened(kb: Base, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An editor called vim that writes down what it was given."""
    told = tmp_path / "told"
    editor = tmp_path / "vim"
    editor.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >"{told}"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    return told


def test_claims_sources_and_proposals_open_at_their_place(kb: Base, opened: Path) -> None:
    first, second, _ = kb.ingest()
    path = kb.claim("tar", "Tar is dear", body="One.\n\nTar costs more in winter.")
    assert kb.run("open", "Tar is dear").code == 0
    assert opened.read_text().splitlines() == [str(kb.path(path))]
    hit = kb.run("search", "tar in winter", "-k", "1", "--format", "vimgrep").out.strip()
    assert kb.run("open", hit).code == 0
    line, file = opened.read_text().splitlines()
    assert kb.read(path).splitlines()[int(line.removeprefix("+")) - 1] == "Tar costs more in winter."
    assert file == str(kb.path(path))
    assert kb.run("open", second["id"][:8]).code == 0
    line, file = opened.read_text().splitlines()
    assert second["title"] in Path(file).read_text().splitlines()[int(line.removeprefix("+")) - 1]
    assert kb.run("open", "inbox/notes.md").code == 0
    assert opened.read_text().splitlines() == [str(kb.path("inbox/notes.md"))]
    assert kb.run("review", "--reject", first["id"]).code == 0
    assert kb.run("open", "inbox/proposals/notes.md").code == 0
    assert opened.read_text().splitlines() == [str(kb.path("inbox/proposals/notes.md"))]
    gone = kb.run("open", first["id"])
    assert (gone.code, "there is no claim of it" in gone.err) == (3, True)
    assert kb.run("open", "nothing of the kind:12").code == 3


def test_an_editor_that_takes_goto_gets_it(kb: Base, opened: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = kb.claim("tar", "Tar is dear")
    editor = Path(os.environ["VISUAL"]).rename(opened.with_name("code"))
    monkeypatch.setenv("VISUAL", f"{editor} --wait")
    assert kb.run("open", f"{path}:7:1:Tar is dear").code == 0
    assert opened.read_text().splitlines() == ["--wait", "--goto", f"{kb.path(path)}:7"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion(kb: Base, shell: str) -> None:
    assert f"_CODEX_COMPLETE={shell}_complete" in kb.run("completion", shell).out


def test_commands_options_and_packets_are_completed(kb: Base) -> None:
    kb.ingest()

    def completed(words: str) -> list[str]:
        count = len(words.split(" ")) - 1
        done = subprocess.run(
            [CODEX], cwd=kb.root, check=True, capture_output=True, text=True,
            env={**os.environ, "_CODEX_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)},
        )  # fmt: skip
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert completed("codex rev") == ["review"]
    assert "--confidence" in completed("codex search --c")
    assert completed("codex review n") == ["notes"]
    kb.claim("tar", "Tar is dear", domain="ships")
    assert completed("codex undo t") == completed("codex open t") == ["tar"]
    assert completed("codex search --domain s") == ["ships"]
    assert completed("codex review ") == ["notes"]


@pytest.mark.parametrize("editor", ["vim 'unclosed", 'vim "', "no-such-editor", "false"])
def test_an_editor_that_cannot_be_run_is_told_by_its_exit_code(
    kb: Base, monkeypatch: pytest.MonkeyPatch, editor: str
) -> None:  # fmt: skip
    path = kb.claim("tar", "Tar is dear")
    monkeypatch.setenv("VISUAL", editor)
    done = kb.run("open", f"{path}:7")
    assert done.code in (1, 2, 127), done.err
    assert "a fault of ours" not in done.err
