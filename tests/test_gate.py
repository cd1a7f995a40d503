"""The gate for paths: nothing outside of the knowledge base is read or written, whatever a path or a link says."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from codex_kb.disk import gate
from codex_kb.disk.transaction import Change, Transactions
from codex_kb.errors import NotFound, RefusedFile


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a file, and a secret beside it."""
    (tmp_path / "kb/codex").mkdir(parents=True)
    (tmp_path / "kb/codex/a.md").write_bytes(b"inside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_bytes(b"secret")
    return tmp_path / "kb"


@pytest.mark.parametrize("path", ["../outside/secret", "/etc/passwd", "codex/../../outside/secret", "", "a\0b"])
def test_a_path_that_leaves_is_neither_read_nor_written(root: Path, path: str) -> None:
    for use in (gate.read, gate.target):
        with pytest.raises(RefusedFile, match="leaves the knowledge base"):
            use(root, path)


@pytest.mark.parametrize(("link", "target", "path"), [
    ("codex/b.md", "../../outside/secret", "codex/b.md"),
    ("codex/far", "../../outside", "codex/far/secret"),
    ("codex/far", "../../outside", "codex/far/new/deep.md"),
])  # fmt: skip
def test_a_link_that_leaves_is_neither_read_nor_written(root: Path, link: str, target: str, path: str) -> None:
    (root / link).symlink_to(target)
    with pytest.raises((RefusedFile, NotFound)):
        gate.read(root, path)
    with pytest.raises(RefusedFile, match="link"):
        gate.target(root, path)
    with pytest.raises(RefusedFile):
        Transactions(root).run([Change(path, None, b"overwritten")], None)
    assert (root.parent / "outside/secret").read_bytes() == b"secret"
    assert [p.name for p in (root.parent / "outside").iterdir()] == ["secret"]


def test_a_link_that_stays_inside_is_read_and_a_folder_behind_one_is_written(root: Path) -> None:
    (root / "alias").symlink_to("codex")
    assert gate.read(root, "alias/a.md") == b"inside"
    assert gate.target(root, "alias/new.md") == root / "alias/new.md"


def test_what_cannot_be_the_name_of_a_file_is_refused(root: Path) -> None:
    for use in (gate.read, gate.target):
        with pytest.raises(RefusedFile, match="cannot be the name of a file") as caught:
            use(root, "codex/\ud800.md")
        assert str(caught.value).encode() == b"codex/\\ud800.md: cannot be the name of a file"


def test_a_name_that_is_too_long_is_refused(root: Path) -> None:
    for use in (gate.read, gate.target):
        with pytest.raises(RefusedFile, match="File name too long"):
            use(root, "x" * 300)


@pytest.mark.parametrize("use", [gate.read, gate.target])
@pytest.mark.parametrize(("path", "whose"), [
    (".git/config", "git"), ("sub/.GIT/hooks/pre-commit", "git"), ("codex/link/config", "git"),
    (".codex-kb/id", "codex itself"), ("codex/own/id", "codex itself"),
])  # fmt: skip
def test_what_is_gits_or_local_state_is_neither_read_nor_written(
    root: Path, use: Callable[[Path, str], object], path: str, whose: str
) -> None:
    for folder, file, link in ((".git", "config", "link"), (".codex-kb", "id", "own")):
        (root / folder).mkdir()
        (root / folder / file).write_text("secret")
        (root / "codex" / link).symlink_to(f"../{folder}")
    with pytest.raises(RefusedFile, match=f"belongs to {whose}"):
        use(root, path)


def test_a_link_to_gits_settings_is_not_read(root: Path) -> None:
    (root / ".git").mkdir()
    (root / ".git/config").write_text("secret")
    (root / "codex/b.md").symlink_to("../.git/config")
    with pytest.raises(RefusedFile, match="belongs to git"):
        gate.read(root, "codex/b.md")


@pytest.mark.parametrize("link", [".codex-kb", ".codex-kb/conflicts", ".codex-kb/conflicts/a"])
def test_a_link_on_the_way_to_local_state_is_not_followed(root: Path, link: str) -> None:
    (root / link).parent.mkdir(parents=True, exist_ok=True)
    (root / link).symlink_to("codex", target_is_directory=True)
    with pytest.raises(RefusedFile, match="which no run of ours made") as caught:
        gate.local(root, ".codex-kb/conflicts/a")
    assert caught.value.path == link


def test_a_limit_beyond_all_memory_is_only_a_limit(root: Path) -> None:
    assert gate.read(root, "codex/a.md", 10**23) == b"inside"


def test_what_is_no_file_is_not_read(root: Path) -> None:
    os.mkfifo(root / "pipe.md")
    (root / "folder.md").mkdir()
    (root / "endless.md").symlink_to("/dev/zero")
    for name in ("pipe.md", "folder.md", "endless.md"):
        with pytest.raises(RefusedFile):
            gate.read(root, name)
    with pytest.raises(RefusedFile, match="not a regular file"):
        gate.target(root, "pipe.md")


def test_a_file_over_the_limit_is_refused_with_its_size(root: Path) -> None:
    assert gate.read(root, "codex/a.md", 6) == b"inside"
    with pytest.raises(RefusedFile, match="6 bytes, more than the limit of 5"):
        gate.read(root, "codex/a.md", 5)


def test_what_is_not_there_is_told_apart_from_what_is_refused(root: Path) -> None:
    (root / "gone.md").symlink_to("nothing")
    assert gate.read_if_there(root, "none.md") is None
    assert gate.read_if_there(root, "codex/a.md/below") is None
    with pytest.raises(RefusedFile, match="a link to nothing"):
        gate.read(root, "gone.md")
