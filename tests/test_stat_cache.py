"""A look at files tells what changed; where it cannot be sure it says so."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from codex_kb.disk import stat_cache
from codex_kb.disk.stat_cache import SLACK_NS, Folder

OLD = 1_000_000_000 * 10**9


def markdown(name: str) -> bool:
    return name.endswith(".md")


def look(root: Path) -> dict[str, Folder]:
    return {f.path: f for f in stat_cache.scan(str(root), "codex", markdown, lambda path: path == "codex/index")}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("codex/a/one.md", "codex/a/two.md", "codex/b/three.md", "codex/index/x.md", "codex/.hidden/y.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")
        os.utime(path, ns=(OLD, OLD))
    return tmp_path


def later(root: Path) -> int:
    """A time of looking that no file of the folder can be too young for."""
    return max(folder.newest for folder in look(root).values()) + 2 * SLACK_NS


def test_hidden_and_skipped_folders_are_left_out(root: Path) -> None:
    assert sorted(look(root)) == ["codex", "codex/a", "codex/b"]
    assert sorted(stat_cache.files(str(root), "codex/a", markdown)) == ["one.md", "two.md"]


def test_what_did_not_change_is_clean(root: Path) -> None:
    now = later(root)
    before = look(root)
    assert all(folder.clean(before[path].digest, now) for path, folder in look(root).items())


def in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"next")
    os.utime(path, ns=(OLD, OLD))


def replaced(path: Path) -> None:
    other = path.with_name("new")
    other.write_text("text")
    os.utime(other, ns=(OLD, OLD))
    other.rename(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "longer": lambda path: path.write_text("longer text"),
    "same size and time": in_place,
    "replaced": replaced,
    "removed": Path.unlink,
    "one more": lambda path: path.with_name("more.md").write_text(""),
    "renamed": lambda path: path.rename(path.with_name("other.md")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_seen(root: Path, change: str) -> None:
    before, now = look(root), later(root)
    CHANGES[change](root / "codex/a/one.md")
    dirty = {path for path, folder in look(root).items() if not folder.clean(before[path].digest, now)}
    assert dirty == {"codex/a"}


def test_a_file_written_in_the_moment_of_the_look_is_not_trusted(root: Path) -> None:
    before = look(root)["codex/a"]
    assert not before.clean(before.digest, before.newest)
    assert not before.clean(before.digest, before.newest + SLACK_NS)
    assert before.clean(before.digest, before.newest + SLACK_NS + 1)


def test_a_link_to_nothing_and_odd_names_harm_nothing(root: Path) -> None:
    (root / "codex/a/nothing.md").symlink_to("nowhere")
    (Path(os.fsdecode(os.fsencode(root / "codex/a") + b"/\xff.md"))).write_text("odd")
    before, now = look(root), later(root)
    assert look(root)["codex/a"].clean(before["codex/a"].digest, now)
    assert sorted(stat_cache.files(str(root), "codex/a", markdown)) == ["nothing.md", "one.md", "two.md"]


def test_folders_own_times_tell_of_names_that_come_and_go(root: Path) -> None:
    folders = ["codex", "codex/a", "codex/b"]
    before, _ = stat_cache.folder_times(str(root), folders)
    in_place(root / "codex/a/one.md")
    assert stat_cache.folder_times(str(root), folders)[0] == before
    replaced(root / "codex/a/one.md")
    assert stat_cache.folder_times(str(root), folders)[0] != before
    assert stat_cache.folder_times(str(root), [*folders, "codex/gone"])[0] != before


def test_folders_by_their_times_see_no_file_that_is_written_in_place(root: Path) -> None:
    def by_times() -> dict[str, Folder]:
        return {folder.path: folder for folder in stat_cache.by_times(str(root), "codex")}

    before = by_times()
    assert sorted(before) == ["codex", "codex/a", "codex/b", "codex/index"]
    in_place(root / "codex/a/one.md")
    assert by_times() == before
    replaced(root / "codex/a/one.md")
    assert [path for path, folder in by_times().items() if folder != before[path]] == ["codex/a"]


def test_numbers_of_any_size_are_told_apart() -> None:
    assert stat_cache._digest(["a"], [1 << 63]) != stat_cache._digest(["a"], [-1])


def test_a_folder_that_is_gone_counts_as_empty(root: Path) -> None:
    assert [f.newest for f in stat_cache.scan(str(root), "nowhere", markdown, lambda _: False)] == [0]
    assert stat_cache.files(str(root), "nowhere", markdown) == {}
    assert stat_cache.look(str(root / "nowhere")) is None
