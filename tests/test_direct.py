"""A commit made from trees is the one that `git commit` makes, and is made only where nobody would miss that."""

from __future__ import annotations

from pathlib import Path

import pytest

from codex_kb.disk import direct
from test_vcs import ODD_NAMES, busy, committed, environment, git, hook, opened, root, work  # noqa: F401 (fixtures)

MESSAGE = "ours: ü\n\n\n  Body  \n\nSource: a.md\n\n"


def test_it_is_the_commit_that_git_commit_makes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_DATE", "1700000000 +0100")
    start = git(root, "rev-parse", "HEAD").strip()
    names = ["a.md", "b.md", "deep/er/new.md", "run.sh", *(f"odd/{name}" for name in ODD_NAMES)]
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"ours {name}\n")
    (root / "run.sh").chmod(0o755)
    (root / "b.md").unlink()
    made = []
    for slow in (False, True):
        if slow:
            git(root, "config", "i18n.commitEncoding", "utf-8")
        assert opened(root).commit(names, MESSAGE)
        made.append(git(root, "rev-parse", "HEAD"))
        assert git(root, "reflog", "-1", "--format=%gs") == "commit: ours: ü\n"
        assert git(root, "status", "--porcelain") == ""
        git(root, "reset", "--quiet", "--soft", start)
    assert made[0] == made[1]


def test_git_does_not_go_through_its_index_for_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    trace = root / ".git/trace"
    monkeypatch.setenv("GIT_TRACE", str(trace))
    (root / "a.md").write_text("ours\n")
    assert opened(root).commit(["a.md"], "ours\n")
    assert "git commit" not in trace.read_text()


def test_the_last_file_of_a_folder_takes_the_folder_along(root: Path) -> None:  # noqa: F811
    (root / "x/y").mkdir(parents=True)
    (root / "x/y/a.md").write_text("ours\n")
    assert opened(root).commit(["x/y/a.md"], "one\n")
    (root / "x/y/a.md").unlink()
    assert opened(root).commit(["x/y/a.md"], "two\n")
    assert git(root, "rev-parse", "HEAD^{tree}") == git(root, "rev-parse", "HEAD~2^{tree}")


def test_a_file_in_the_place_of_a_folder_and_a_folder_in_that_of_a_file(root: Path) -> None:  # noqa: F811
    (root / "x").mkdir()
    (root / "x/a.md").write_text("ours\n")
    assert opened(root).commit(["x/a.md"], "one\n")
    (root / "x/a.md").unlink()
    (root / "x").rmdir()
    (root / "x").write_text("a file\n")
    (root / "a.md").unlink()
    (root / "a.md").mkdir()
    (root / "a.md/in.md").write_text("ours\n")
    assert opened(root).commit(["x/a.md", "x", "a.md", "a.md/in.md"], "two\n")
    assert git(root, "status", "--porcelain") == ""
    assert "040000 tree" in git(root, "ls-tree", "HEAD", "a.md")


def test_no_name_of_ours_is_left(root: Path) -> None:  # noqa: F811
    (root / "a.md").write_text("ours\n")
    assert opened(root).commit(["a.md"], "ours\n")
    assert git(root, "for-each-ref", "--format=%(refname)") == "refs/heads/main\n"


def test_what_a_killed_run_left_is_written_over(root: Path) -> None:  # noqa: F811
    git(root, "commit", "--quiet", "--allow-empty", "--message", "aside")
    git(root, "update-ref", "refs/worktree/codex-kb", "HEAD")
    git(root, "reset", "--quiet", "--hard", "HEAD~1")
    (root / "a.md").write_text("ours\n")
    assert opened(root).commit(["a.md"], "ours\n")
    assert git(root, "log", "--format=%s") == "ours\nbegin\n"


def test_it_does_not_move_a_head_that_another_moved(root: Path) -> None:  # noqa: F811
    repository = opened(root)
    before = git(root, "rev-parse", "HEAD").strip()
    git(root, "commit", "--quiet", "--allow-empty", "--message", "theirs")
    (root / "a.md").write_text("ours\n")
    git(root, "add", "a.md")
    assert not direct.commit(repository._run, before, direct.staged(repository._run), "ours\n")
    assert git(root, "log", "-1", "--format=%s") == "theirs\n"
    assert "codex-kb" not in git(root, "for-each-ref")


def test_names_that_differ_by_case_alone_are_two_where_case_is_ignored(root: Path) -> None:  # noqa: F811
    git(root, "config", "core.ignorecase", "true")
    (root / "Deep").mkdir()
    (root / "Deep/old.md").write_text("theirs\n")
    assert opened(root).commit(["Deep/old.md"], "one\n")
    (root / "deep").mkdir()
    (root / "deep/new.md").write_text("ours\n")
    assert opened(root).commit(["deep/new.md"], "two\n")
    assert committed(root) == {"deep/new.md"}
    assert git(root, "status", "--porcelain") == ""


@pytest.mark.parametrize("name", ["refs/worktree/codex-kb/x", "MERGE_HEAD"])
def test_what_is_in_the_way_leaves_it_to_git_commit(root: Path, name: str) -> None:  # noqa: F811
    (root / "a.md").write_text("ours\n")
    if name == "MERGE_HEAD":
        (root / ".git/MERGE_HEAD").write_text(git(root, "rev-parse", "HEAD"))
        assert not direct.serves(opened(root)._run, root, root / ".git")
        return
    git(root, "update-ref", name, "HEAD")
    assert opened(root).commit(["a.md"], "ours\n")
    assert git(root, "log", "-1", "--format=%s") == "ours\n"


def test_who_commits_with_a_name_that_is_not_utf_8_is_written_as_git_writes_it(root: Path) -> None:  # noqa: F811
    with (root / ".git/config").open("ab") as file:
        file.write(b"[user]\n\tname = \xff\xe9X\n")
    (root / "a.md").write_text("ours\n")
    assert opened(root).commit(["a.md"], "ours\n")
    assert git(root, "log", "-1", "--format=%an") == "ÿéX\n"


def test_a_work_tree_of_a_folder_with_a_line_break_in_its_name(tmp_path: Path) -> None:
    first, there = tmp_path / "new\nline", tmp_path / "wt"
    first.mkdir()
    git(first, "init", "-q")
    for name, value in (("user.name", "Ada"), ("user.email", "ada@example.org")):
        git(first, "config", name, value)
    git(first, "commit", "-q", "--allow-empty", "-m", "begin")
    git(first, "worktree", "add", "-q", str(there))
    (there / "a.md").write_text("ours\n")
    assert opened(there).commit(["a.md"], "ours\n")
    assert git(there, "log", "-1", "--format=%s") == "ours\n"


def test_who_has_the_index_in_hand_is_waited_for(root: Path) -> None:  # noqa: F811
    (root / "a.md").write_text("ours\n")
    git(root, "add", "a.md")
    (root / ".git/index.lock").touch()
    with pytest.raises(Exception, match=r"index\.lock"):
        opened(root).commit(["a.md"], "ours\n")
    assert git(root, "log", "-1", "--format=%s") == "begin\n"


@pytest.mark.parametrize(
    ("setting", "plain"),
    [("commit.gpgSign=true", False), ("commit.gpgSign=false", True), ("i18n.commitEncoding=latin1", False),
     ("maintenance.auto=false", False), ("hook.mine.command=true", False), ("core.hooksPath=/nowhere", True)],
)  # fmt: skip
def test_settings_that_say_more_of_commits(root: Path, setting: str, plain: bool) -> None:  # noqa: F811
    git(root, "config", *setting.split("=", 1))
    assert direct.serves(opened(root)._run, root, root / ".git") == plain


@pytest.mark.parametrize("name", ["pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"])
def test_every_hook_of_a_commit_runs(root: Path, name: str) -> None:  # noqa: F811
    hook(root, name, "touch ran")
    (root / "a.md").write_text("ours\n")
    assert opened(root).commit(["a.md"], "ours\n")
    assert (root / "ran").exists()


def test_a_wanted_signature_is_asked_for(root: Path) -> None:  # noqa: F811
    signer = hook(root, "signer", "touch ran; exit 1")
    git(root, "config", "gpg.program", str(signer))
    git(root, "config", "commit.gpgSign", "true")
    (root / "a.md").write_text("ours\n")
    with pytest.raises(Exception, match="git did not commit"):
        opened(root).commit(["a.md"], "ours\n")
    assert (root / "ran").exists()


def test_what_the_user_staged_stays_staged(root: Path) -> None:  # noqa: F811
    busy(root)
    before = work(root)
    (root / "a.md").write_text("ours\n")
    assert opened(root).commit(["a.md"], "ours\n")
    assert (work(root), committed(root)) == (before, {"a.md"})
