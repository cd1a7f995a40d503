"""Acts: every writing command goes through one, on its branch, and nothing else writes what git may track."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import codex_kb
from codex_kb import acts
from codex_kb.acts import Act
from codex_kb.disk.transaction import Change, change
from codex_kb.errors import Conflict, RefusedFile
from codex_kb.kb import KnowledgeBase
from conftest import Base

PACKAGE = Path(codex_kb.__file__).parent
#: What writes files: transactions, local state that git ignores, pages where the user says, what an editor is given,
#: the temporary folder of a worker.
WRITERS = {
    "cli/editor.py", "disk/clone.py", "disk/looked.py", "disk/pace.py", "disk/pages.py", "disk/ports.py",
    "disk/transaction.py", "disk/trust.py", "disk/vcs.py", "encoders/onnx.py", "encoders/weights.py", "engine.py",
    "index/local.py", "index/stored.py", "index/vectors.py", "index/writer.py", "language/paid.py", "web/server.py",
}  # fmt: skip
WRITES = {"write_file", "write_bytes", "write_text"}


def written_by(path: Path) -> set[str]:
    """The calls in a module that write files."""
    tree = ast.parse(path.read_text())
    return {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for name in [getattr(node.func, "attr", getattr(node.func, "id", ""))]
        if name in WRITES
    }


def test_nothing_but_acts_writes_what_git_may_track() -> None:
    found = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if written_by(path)}
    assert found <= WRITERS


def test_an_act_is_written_and_committed_as_one(kb: Base) -> None:
    opened = KnowledgeBase(kb.root)
    kb.write("codex/old.md", "old")
    kb.commit_all()
    with acts.writing(opened, "test"):
        acts.perform(opened, Act(
            (change(kb.root, "codex/old.md", None), change(kb.root, "codex/new.md", b"new")), "codex: one act\n",
        ))  # fmt: skip
    assert kb.git("log", "-1", "--format=%s") == "codex: one act"
    assert kb.git("show", "--name-status", "--format=", "--no-renames").split() == [
        "A", "codex/new.md", "D", "codex/old.md",
    ]  # fmt: skip


def test_without_a_message_files_are_written_and_nothing_is_committed(kb: Base) -> None:
    opened = KnowledgeBase(kb.root)
    before = kb.git("rev-parse", "HEAD")
    with acts.writing(opened, "test"):
        acts.perform(opened, Act((Change("codex/new.md", None, b"new"),)))
    assert (kb.read("codex/new.md"), kb.git("rev-parse", "HEAD")) == ("new", before)


def test_a_file_with_changes_of_the_users_own_stops_the_whole_act(kb: Base) -> None:
    opened = KnowledgeBase(kb.root)
    kb.write("codex/a.md", "a")
    kb.commit_all()
    kb.write("codex/a.md", "mine")
    before = kb.snapshot()
    with acts.writing(opened, "test"), pytest.raises(Conflict, match="not committed"):
        acts.perform(opened, Act(
            (change(kb.root, "codex/b.md", b"b"), change(kb.root, "codex/a.md", b"ours")), "x\n", clean=("codex/a.md",)
        ))  # fmt: skip
    assert kb.snapshot() == before


def test_an_act_that_leaves_the_knowledge_base_writes_nothing(kb: Base, tmp_path: Path) -> None:
    opened = KnowledgeBase(kb.root)
    (tmp_path / "outside").mkdir()
    kb.path("codex/economics").symlink_to(tmp_path / "outside")
    before = kb.snapshot()
    with acts.writing(opened, "test"), pytest.raises(RefusedFile, match="a link that leaves"):
        acts.perform(opened, Act((Change("codex/a.md", None, b"a"), Change("codex/economics/b.md", None, b"b")), "x\n"))
    assert (kb.snapshot(), list((tmp_path / "outside").iterdir())) == (before, [])
