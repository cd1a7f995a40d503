"""Commits hold exactly the paths that are named; what else the user has in work stays as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from codex_kb.disk.opening import create_repository, open_repository
from codex_kb.disk.vcs import MESSAGE_FILE, Repository
from codex_kb.errors import GitError, UsageError

ODD_NAMES = [
    "with space.md", "it's \"quoted\".md", "star*.md", ":(top)x.md", "-leading.md", "ünïcode 😀.md", "new\nline.md",
    "back\\slash.md", "[ab].md", "!bang.md", "#hash.md",
]  # fmt: skip


@pytest.fixture(autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's git settings but the test's own."""
    for name in [name for name in os.environ if name.startswith("GIT_") and name != "GIT_PYTHON_REFRESH"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def empty(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "config", "user.name", "Ada")
    git(folder, "config", "user.email", "ada@example.org")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one commit, in which the user has staged and unstaged changes."""
    folder = empty(tmp_path / "kb")
    (folder / ".codex-kb").mkdir()
    (folder / ".gitignore").write_text(".codex-kb/\nignored/\n")
    for name in ("a.md", "b.md", "staged.md", "edited.md", "both.md", "removed.md"):
        (folder / name).write_text("first\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "begin")
    return folder


def busy(folder: Path) -> None:
    """The user's own work: staged, edited, both, removed, new."""
    (folder / "staged.md").write_text("staged\n")
    (folder / "both.md").write_text("staged\n")
    (folder / "new staged.md").write_text("staged\n")
    git(folder, "add", "staged.md", "both.md", "new staged.md")
    git(folder, "rm", "--quiet", "removed.md")
    (folder / "both.md").write_text("edited\n")
    (folder / "edited.md").write_text("edited\n")
    (folder / "untracked.md").write_text("untracked\n")


def work(folder: Path) -> tuple[str, str, str]:
    return git(folder, "status", "--porcelain"), git(folder, "diff", "--cached"), git(folder, "diff")


def committed(folder: Path, revision: str = "HEAD") -> set[str]:
    listed = git(folder, "show", "--format=", "--name-only", "--no-renames", "-z", revision)
    return {name for name in listed.split("\0") if name}


def opened(folder: Path) -> Repository:
    repository = open_repository(folder)
    assert repository is not None
    return repository


def hook(folder: Path, name: str, script: str) -> Path:
    path = folder / ".git" / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_commits_the_named_paths_and_leaves_the_users_work_alone(root: Path) -> None:
    busy(root)
    before = work(root)
    (root / "a.md").write_text("ours\n")
    (root / "x").mkdir()
    (root / "x" / "new.md").write_text("ours\n")
    (root / "b.md").unlink()
    assert opened(root).commit(["a.md", "x/new.md", "b.md"], "ours: ü\n\nBody\n\nSource: a.md\n")
    assert work(root) == before
    assert committed(root) == {"a.md", "x/new.md", "b.md"}
    assert git(root, "log", "-1", "--format=%B").strip() == "ours: ü\n\nBody\n\nSource: a.md"


def test_nothing_changed_makes_no_commit(root: Path) -> None:
    busy(root)
    before = work(root)
    assert not opened(root).commit(["a.md"], "nothing")
    assert not opened(root).commit([], "nothing")
    assert work(root) == before
    assert git(root, "rev-list", "--count", "HEAD").strip() == "1"


def test_the_first_commit_of_a_repository(tmp_path: Path) -> None:
    root = empty(tmp_path)
    (root / "staged.md").write_text("the user's\n")
    git(root, "add", "staged.md")
    (root / "a.md").write_text("ours\n")
    assert opened(root).commit(["a.md"], "first")
    assert committed(root) == {"a.md"}
    assert git(root, "status", "--porcelain") == "A  staged.md\n"


def test_on_a_detached_head(root: Path) -> None:
    git(root, "checkout", "--quiet", "--detach")
    (root / "a.md").write_text("ours\n")
    assert opened(root).commit(["a.md"], "ours")
    assert committed(root) == {"a.md"}
    assert git(root, "rev-list", "--count", "main").strip() == "1"


def test_in_a_worktree(root: Path, tmp_path: Path) -> None:
    git(root, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "tree"))
    (tmp_path / "tree" / "a.md").write_text("ours\n")
    assert opened(tmp_path / "tree").commit(["a.md"], "ours")
    assert committed(root, "side") == {"a.md"}
    assert git(root, "rev-list", "--count", "main").strip() == "1"


@pytest.mark.parametrize("branch", ["", "extract/x"])
def test_where_the_repository_is_above_the_knowledge_base(tmp_path: Path, branch: str) -> None:
    top = empty(tmp_path)
    root = top / "deep er" / "kb"
    root.mkdir(parents=True)
    for path in (top / "a.md", root / "a.md"):
        path.write_text("first\n")
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--message", "begin")
    for path in (top / "a.md", root / "a.md"):
        path.write_text("second\n")
    repository = opened(root)
    assert repository.uncommitted(["a.md"]) == ["a.md"]
    assert repository.commit(["a.md"], "ours", branch)
    assert committed(top, branch or "HEAD") == {"deep er/kb/a.md"}
    assert repository.uncommitted(["a.md"], branch) == []
    assert " M a.md\n" in git(top, "status", "--porcelain")


@pytest.mark.parametrize("branch", ["", "side"])
@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_is_taken_as_it_is(root: Path, name: str, branch: str) -> None:
    busy(root)
    (root / "star of the user.md").write_text("matches star*.md\n")
    before = work(root)
    (root / name).write_text("ours\n")
    assert opened(root).commit([name], "ours", branch)
    assert committed(root, branch or "HEAD") == {name}
    if not branch:
        assert work(root) == before
        (root / name).write_text("again\n")
        assert opened(root).uncommitted([name]) == [name]
        (root / name).unlink()
        assert opened(root).commit([name], "gone")
        assert work(root) == before


def test_ignored_paths_are_left_out(root: Path) -> None:
    (root / "ignored").mkdir()
    (root / "ignored" / "x.md").write_text("ignored\n")
    (root / "a.md").write_text("ours\n")
    assert opened(root).commit(["ignored/x.md", "a.md"], "ours")
    assert committed(root) == {"a.md"}
    assert not opened(root).commit(["ignored/x.md"], "nothing")


def test_deleted_paths_that_git_never_knew_are_left_out(root: Path) -> None:
    (root / "a.md").unlink()
    assert opened(root).commit(["never.md", "a.md"], "ours")
    assert committed(root) == {"a.md"}


def test_a_failing_hook_says_how_to_commit_what_stands(root: Path) -> None:
    busy(root)
    before = work(root)
    refusing = hook(root, "pre-commit", "echo 'tests fail' >&2; exit 1")
    paths = ["a.md", "it's new.md", "b.md"]
    (root / "a.md").write_text("ours\n")
    (root / "it's new.md").write_text("ours\n")
    (root / "b.md").unlink()
    with pytest.raises(GitError, match="tests fail") as caught:
        opened(root).commit(paths, "ours\n\nBody\n")
    assert (root / "a.md").read_text() == "ours\n"
    assert (root / MESSAGE_FILE).read_text() == "ours\n\nBody\n"
    assert git(root, "rev-list", "--count", "HEAD").strip() == "1"
    refusing.unlink()
    _, commands = caught.value.hint.split(f"in {root}: ")
    subprocess.run(["sh", "-c", commands], cwd=root, check=True, capture_output=True)
    assert committed(root) == set(paths)
    assert git(root, "log", "-1", "--format=%B").strip() == "ours\n\nBody"
    assert work(root) == before


@pytest.mark.parametrize("branch", ["", "side"])
def test_hooks_run(root: Path, branch: str) -> None:
    hook(root, "commit-msg", "echo 'Signed: hook' >> \"$1\"")
    (root / "a.md").write_text("ours\n")
    assert opened(root).commit(["a.md"], "ours\n", branch)
    assert "Signed: hook" in git(root, "log", "-1", "--format=%B", branch or "HEAD")


@pytest.mark.parametrize("exists", [False, True])
def test_another_branch_is_committed_to_without_touching_this_one(root: Path, exists: bool) -> None:
    if exists:
        git(root, "branch", "extract/x")
    busy(root)
    (root / "a.md").write_text("ours\n")
    (root / "x").mkdir()
    (root / "x" / "new.md").write_text("ours\n")
    (root / "b.md").unlink()
    before, head = work(root), git(root, "rev-parse", "HEAD", "--symbolic-full-name", "HEAD")
    assert opened(root).commit(["a.md", "x/new.md", "b.md"], "ours", "extract/x")
    assert work(root) == before
    assert git(root, "rev-parse", "HEAD", "--symbolic-full-name", "HEAD") == head
    assert committed(root, "extract/x") == {"a.md", "x/new.md", "b.md"}
    assert git(root, "show", "extract/x:x/new.md") == "ours\n"
    assert len(git(root, "worktree", "list").splitlines()) == 1
    assert not opened(root).commit(["a.md", "x/new.md", "b.md"], "again", "extract/x")


def test_a_file_that_only_the_other_branch_has_is_deleted_there(root: Path) -> None:
    (root / "packet.md").write_text("ours\n")
    opened(root).commit(["packet.md"], "ours", "side")
    (root / "packet.md").unlink()
    assert opened(root).commit(["packet.md"], "decided", "side")
    assert "packet.md" not in git(root, "ls-tree", "--name-only", "side")


def test_a_commit_that_is_not_behind_head_is_not_contained(root: Path) -> None:
    git(root, "checkout", "--quiet", "-b", "side")
    git(root, "commit", "--quiet", "--allow-empty", "-m", "beside")
    beside = git(root, "rev-parse", "HEAD").strip()
    git(root, "checkout", "--quiet", "-")
    repository = opened(root)
    assert not repository.contains(beside)
    assert repository.contains(repository.commit_of("HEAD"))


def test_a_link_of_the_other_branch_is_not_followed_out_of_the_knowledge_base(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    git(root, "checkout", "--quiet", "-b", "side")
    (root / "codex").symlink_to("../../../outside")
    git(root, "add", "codex")
    git(root, "commit", "--quiet", "-m", "a link")
    git(root, "checkout", "--quiet", "-")
    (root / "codex").mkdir()
    (root / "codex/new.md").write_text("ours\n")
    with pytest.raises(GitError, match=r"codex/new\.md: on the branch side: below a link that leaves"):
        opened(root).commit(["codex/new.md"], "ours", "side")
    assert list(outside.iterdir()) == []


def test_naming_the_current_branch_commits_here(root: Path) -> None:
    (root / "a.md").write_text("ours\n")
    assert opened(root).commit(["a.md"], "ours", "main")
    assert git(root, "status", "--porcelain") == ""


@pytest.mark.parametrize("branch", ["bad..name", "-x", "with space"])
def test_a_name_that_is_no_branch_is_refused(root: Path, branch: str) -> None:
    (root / "a.md").write_text("ours\n")
    with pytest.raises(GitError):
        opened(root).commit(["a.md"], "ours", branch)
    assert len(git(root, "worktree", "list").splitlines()) == 1


def test_a_hook_that_fails_on_another_branch_leaves_no_worktree(root: Path) -> None:
    hook(root, "pre-commit", "exit 1")
    (root / "a.md").write_text("ours\n")
    with pytest.raises(GitError):
        opened(root).commit(["a.md"], "ours", "side")
    assert (root / "a.md").read_text() == "ours\n"
    assert len(git(root, "worktree", "list").splitlines()) == 1


@pytest.mark.parametrize("there", [True, False])
def test_a_work_tree_of_ours_that_was_left_locked_is_made_anew(root: Path, there: bool) -> None:
    tree = root / ".codex-kb/worktree"
    git(root, "worktree", "add", "--quiet", "--lock", "-b", "side", str(tree))  # as git leaves it when it is killed
    if not there:
        shutil.rmtree(tree)
    (root / "a.md").write_text("ours\n")
    assert opened(root).commit(["a.md"], "ours", "side")
    assert committed(root, "side") == {"a.md"}
    assert len(git(root, "worktree", "list").splitlines()) == 1


def test_what_a_killed_removal_left_of_our_work_tree_goes(root: Path) -> None:
    git(root, "worktree", "add", "--quiet", "-b", "side", str(root / ".codex-kb/worktree"))
    shutil.rmtree(root / ".codex-kb/worktree")
    for name in ("gitdir", "HEAD", "commondir"):
        (root / ".git/worktrees/worktree" / name).unlink()
    (root / "a.md").write_text("ours\n")
    assert opened(root).commit(["a.md"], "ours", "side")
    assert not (root / ".git/worktrees").exists()


def test_a_work_tree_of_the_users_own_that_is_away_stays_known(root: Path, tmp_path: Path) -> None:
    git(root, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "tree"))
    (tmp_path / "tree").rename(tmp_path / "away")
    (root / "a.md").write_text("ours\n")
    assert opened(root).commit(["a.md"], "ours", "side")
    assert len(git(root, "worktree", "list").splitlines()) == 2


def test_uncommitted_are_the_tracked_paths_that_differ(root: Path) -> None:
    busy(root)
    repository = opened(root)
    asked = ["a.md", "staged.md", "edited.md", "both.md", "removed.md", "new staged.md", "untracked.md", "never.md"]
    assert sorted(repository.uncommitted(asked)) == ["both.md", "edited.md", "removed.md", "staged.md"]
    assert repository.uncommitted(["a.md"]) == []
    assert repository.uncommitted([]) == []


def test_a_file_as_it_stands_on_the_other_branch_is_committed(root: Path) -> None:
    repository = opened(root)
    (root / "a.md").write_text("ours\n")
    repository.commit(["a.md"], "ours", "side")
    assert repository.uncommitted(["a.md"], "side") == []
    assert repository.uncommitted(["a.md"]) == ["a.md"]
    (root / "a.md").write_text("the user's\n")
    assert repository.uncommitted(["a.md"], "side") == ["a.md"]


def test_many_paths_fit_in_one_commit(root: Path) -> None:
    paths = [f"many/{'long' * 20} {number}.md" for number in range(1500)]
    (root / "many").mkdir()
    for path in paths:
        (root / path).write_text("ours\n")
    assert opened(root).commit(paths, "ours")
    assert committed(root) == set(paths)


def test_more_paths_than_a_command_line_holds(tmp_path: Path) -> None:
    top = empty(tmp_path)
    root = top / "kb"
    for folder in (root, top):
        for name in ("clean.md", "edited.md", "gone.md"):
            folder.mkdir(exist_ok=True)
            (folder / name).write_text("first\n")
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--message", "begin")
    for path in (root / "edited.md", top / "clean.md"):
        path.write_text("edited\n")
    (root / "gone.md").unlink()
    (root / "new.md").write_text("new\n")
    never = [f"many/{'long' * 30} {number}.md" for number in range(20_000)]
    repository = opened(root)
    assert repository.uncommitted(["clean.md", "edited.md", *never]) == ["edited.md"]
    assert repository.commit(["clean.md", "edited.md", "gone.md", "new.md", *never], "ours")
    assert committed(root) == {"kb/edited.md", "kb/gone.md", "kb/new.md"}
    assert git(top, "status", "--porcelain") == " M clean.md\n"


def test_a_tracked_file_that_a_pattern_ignores_is_committed(root: Path) -> None:
    (root / "ignored").mkdir()
    for name in ("known.md", "unknown.md"):
        (root / "ignored" / name).write_text("first\n")
    git(root, "add", "--force", "ignored/known.md")
    git(root, "commit", "--quiet", "--message", "known")
    (root / "ignored" / "known.md").write_text("ours\n")
    assert opened(root).commit(["ignored/known.md", "ignored/unknown.md"], "ours")
    assert committed(root) == {"ignored/known.md"}


def test_who_the_user_is(root: Path) -> None:
    assert opened(root).identity() == "Ada <ada@example.org>"


def test_a_user_whom_git_does_not_know(root: Path) -> None:
    git(root, "config", "--unset", "user.name")
    git(root, "config", "--unset", "user.email")
    git(root, "config", "user.useConfigOnly", "true")
    with pytest.raises(UsageError) as caught:
        opened(root).identity()
    assert "user.name" in caught.value.hint


def test_the_editor_that_git_names(root: Path) -> None:
    assert opened(root).configured_editor() == ""
    git(root, "config", "core.editor", "code --wait")
    assert opened(root).configured_editor() == "code --wait"


def test_a_folder_without_a_repository_has_none_until_it_is_made(tmp_path: Path) -> None:
    assert open_repository(tmp_path) is None
    create_repository(tmp_path)
    assert open_repository(tmp_path) is not None


def test_a_repository_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("nonsense")
    with pytest.raises(GitError):
        create_repository(tmp_path)
