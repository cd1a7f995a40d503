"""Decisions survive every state that git can be in, and no command makes more of it than it was asked to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codex_kb.acts import Act, perform, writing
from codex_kb.disk.transaction import Change, Transactions
from codex_kb.kb import KnowledgeBase
from conftest import Base, Run

BRANCH = '[git]\nbranch = "extract/{source}"\n'


def decide(kb: Base, mark: str, name: str = "notes") -> Run:
    """Decide the first proposal that waits from a source."""
    kb.mark(mark, name, 1)
    return kb.run("review", "--apply")


def log(kb: Base, revision: str = "HEAD", name: str = "notes") -> list[dict[str, Any]]:
    """The decisions as they are committed."""
    return [json.loads(line) for line in kb.git("show", f"{revision}:codex/decisions/{name}.jsonl").splitlines()]


def test_a_sparse_checkout_loses_no_decision(kb: Base) -> None:
    kb.ingest()
    assert decide(kb, "-").code == 0
    kb.git("sparse-checkout", "set", "inbox", "schemas")
    assert not kb.path("codex/decisions").exists()
    assert decide(kb, "-").code == 0
    assert len(log(kb)) == 2


def test_what_is_on_record_stays_byte_for_byte(kb: Base) -> None:
    kb.ingest()
    assert decide(kb, "-").code == 0
    path = "codex/decisions/notes.jsonl"
    line = kb.read(path)
    kb.write(path, line + "\n" + line.rstrip("\n"))
    kb.commit_all()
    before = kb.read(path)
    assert decide(kb, "-").code == 0
    assert kb.read(path).startswith(before + "\n")


def test_more_files_than_a_command_line_holds_are_asked_about(kb: Base) -> None:
    kb.commit_all()
    kb.git("sparse-checkout", "set", "inbox")
    repository = KnowledgeBase(kb.root).repository
    assert repository is not None
    many = [f"codex/{'x' * 100}/{number}.md" for number in range(30_000)]
    assert repository.sparse([*many, "schemas/claim.md"]) == {"schemas/claim.md"}


def test_a_claim_that_a_sparse_checkout_leaves_out_is_not_overwritten(kb: Base) -> None:
    kb.ingest()
    assert decide(kb, "x").code == 0
    [path] = kb.claims()
    before = kb.git("rev-parse", "HEAD")
    kb.git("sparse-checkout", "set", "inbox", "schemas")
    opened = KnowledgeBase(kb.root)
    with writing(opened, "test"), pytest.raises(Exception, match="left out by a sparse checkout"):
        perform(opened, Act((Change(path, None, b"another"),), "codex: x\n"))
    assert kb.git("rev-parse", "HEAD") == before


def test_decisions_on_a_branch_survive_a_stash(kb: Base) -> None:
    kb.write("codex.toml", kb.read("codex.toml") + BRANCH)
    kb.commit_all()
    kb.ingest()
    assert decide(kb, "-").code == 0
    kb.git("stash", "-u")
    kb.git("checkout", "-q", "extract/notes", "--", "inbox")
    kb.git("reset", "-q")
    assert decide(kb, "-").code == 0
    assert len(log(kb, "extract/notes")) == 2


def test_git_variables_of_a_hook_do_not_send_commits_elsewhere(
    kb: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    kb.source()
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    assert kb.run("ingest", "inbox").code == 0
    assert "propose" in kb.git("log", "-1", "--format=%s")
    assert list(other.iterdir()) == [other / ".git"]


def test_a_repository_that_git_does_not_open_is_an_error(kb: Base) -> None:
    kb.source()
    kb.path(".git/config").write_text("[core\n")
    done = kb.run("ingest", "inbox")
    assert done.code == 1
    assert "git does not open this repository" in done.err


def test_a_leftover_index_lock_keeps_the_commit_for_the_next_run(kb: Base) -> None:
    kb.source()
    lock = kb.write(".git/index.lock", "")
    assert kb.run("ingest", "inbox").code == 1
    assert "codex distill" in kb.run("status").out
    lock.unlink()
    assert kb.run("distill").code == 0
    assert kb.git("status", "--porcelain") == ""
    assert "propose" in kb.git("log", "--format=%s")


def test_what_the_user_discarded_after_git_refused_is_not_written_again(kb: Base) -> None:
    kb.source()
    kb.commit_all()
    lock = kb.write(".git/index.lock", "")
    assert kb.run("ingest", "inbox").code == 1
    lock.unlink()
    kb.git("checkout", "-q", ".")
    kb.git("clean", "-fdq")
    before = kb.snapshot()
    assert kb.run("distill").code == 0
    assert kb.snapshot() == before


def test_a_new_file_that_is_staged_otherwise_than_it_stands_is_the_users(kb: Base) -> None:
    path = kb.source()
    kb.git("add", path)
    kb.edit("Notes on towns", "Notes on ports", path)
    staged, text = kb.git("show", f":{path}"), kb.read(path)
    done = kb.run("ingest", "inbox")
    assert (done.code, kb.git("show", f":{path}"), kb.read(path)) == (4, staged, text)


def test_a_source_announced_with_git_add_is_taken(kb: Base) -> None:
    kb.git("add", "-N", kb.source())
    assert kb.run("ingest", "inbox").code == 0
    assert kb.git("status", "--porcelain") == ""


@pytest.mark.parametrize("setting", ["diff.relative=true", "diff.noprefix=true", "commit.cleanup=scissors",
                                     "status.relativePaths=false", "diff.external=false", "core.quotePath=false",
                                     "commit.verbose=true", "status.showUntrackedFiles=no"])  # fmt: skip
def test_no_setting_of_git_bends_what_is_committed(kb: Base, tmp_path: Path, setting: str) -> None:
    outer = tmp_path / "outer"
    (outer / "below").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(outer)], check=True)
    assert kb.run("init", str(outer / "below/kb")).code == 0
    below = Base(outer / "below/kb", lambda *args: kb.run(*args, cwd=outer / "below/kb"))
    for each in ("user.name=Ada", "user.email=ada@example.org", setting):
        below.git("config", *each.split("="))
    below.commit_all()
    below.source()
    assert below.run("ingest", "inbox").code == 0
    assert below.git("status", "--porcelain", "--untracked-files=all") == ""
    assert "propose" in below.git("log", "-1", "--format=%s")


@pytest.mark.parametrize("what", ["merge", "cherry-pick", "revert", "rebase"])
def test_an_operation_under_way_is_not_concluded(kb: Base, what: str) -> None:
    kb.write("a.txt", "one\n")
    kb.commit_all()
    kb.git("checkout", "-q", "-b", "other")
    kb.write("a.txt", "two\n")
    kb.commit_all()
    kb.git("checkout", "-q", "main")
    kb.write("a.txt", "three\n")
    kb.commit_all()
    kb.write("a.txt", "four\n")
    kb.commit_all()
    argument = {"revert": "HEAD~1"}.get(what, "other")
    subprocess.run(["git", what, argument], cwd=kb.root, capture_output=True, check=False)
    kb.write("a.txt", "five\n")
    kb.git("add", "a.txt")
    kb.source()
    before = kb.snapshot()
    done = kb.run("ingest", "inbox")
    assert done.code == 4
    assert f"{what} is under way" in done.err
    assert kb.snapshot() == before
    assert kb.run("ingest", "inbox", "--no-commit").code == 0


def test_a_detached_head_is_said(kb: Base) -> None:
    kb.git("checkout", "-q", "--detach")
    kb.source()
    assert "detached HEAD: git switch -c NAME keeps it" in kb.run("ingest", "inbox").err


@pytest.mark.parametrize("name", ["a..b", "-x", "x.lock", "a b~1", "@{{-1}}"])
def test_a_name_that_no_branch_can_have_is_found_before_anything_is_written(kb: Base, name: str) -> None:
    kb.write("codex.toml", kb.read("codex.toml") + f'[git]\nbranch = "{name}"\n')
    kb.commit_all()
    kb.git("checkout", "-q", "-b", "other")  # so that there is a branch before it
    kb.source()
    before = kb.snapshot()
    done = kb.run("ingest", "inbox")
    assert done.code == 2
    assert kb.snapshot() == before


@pytest.mark.parametrize(("said", "commands"), [
    ("beside the branch 'extract'", ["branch extract"]),
    ("beside the branch 'extract/notes/a'", ["branch extract/notes/a"]),
    ("is checked out there", ["worktree add -q -b extract/notes ../tree"]),
    ("nothing is committed yet", ["checkout -q --orphan new"]),
])  # fmt: skip
def test_a_branch_that_git_cannot_commit_to_is_found_before_anything_is_written(
    kb: Base, said: str, commands: list[str]
) -> None:
    kb.write("codex.toml", kb.read("codex.toml") + BRANCH)
    kb.commit_all()
    kb.source()
    for command in commands:
        kb.git(*command.split())
    before = kb.snapshot()
    done = kb.run("ingest", "inbox")
    assert done.code
    assert said in done.err + done.out
    assert kb.snapshot() == before
    assert not Transactions(kb.root).unfinished()


def test_what_a_hook_refused_on_another_branch_is_committed_there_by_the_next_run(kb: Base) -> None:
    kb.write("codex.toml", kb.read("codex.toml") + BRANCH)
    kb.commit_all()
    kb.source()
    hook = kb.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert "the next run commits on extract/notes" in kb.run("ingest", "inbox").err
    hook.unlink()
    assert kb.run("distill").code == 0
    assert "propose" in kb.git("log", "-1", "--format=%s", "extract/notes")


@pytest.mark.parametrize("bit", ["skip-worktree", "assume-unchanged"])
@pytest.mark.parametrize("path", ["codex/decisions/notes.jsonl", "inbox/notes.md"])
def test_a_file_that_git_is_told_to_pass_over_is_found_before_anything_is_written(
    kb: Base, path: str, bit: str
) -> None:
    [first, *others] = kb.ingest()
    assert kb.run("review", "--reject", first["id"]).code == 0
    ids = [each["id"] for each in others]
    kb.git("update-index", f"--{bit}", path)
    before, head = kb.snapshot(), kb.git("rev-parse", "HEAD")
    done = kb.run("review", *(word for each in ids for word in ("--reject", each)))
    assert (done.code, f"--no-{bit} {path}" in done.err) == (4, True)
    assert (kb.snapshot(), kb.git("rev-parse", "HEAD")) == (before, head)
    kb.git("update-index", f"--no-{bit}", path)
    assert kb.run("review", *(word for each in ids for word in ("--reject", each))).code == 0
    assert kb.git("status", "--porcelain") == ""


@pytest.mark.parametrize(("pattern", "path"), [
    ("*.jsonl", "codex/decisions/notes.jsonl"), ("codex/economics/", "codex/economics/"),
    ("inbox/proposals/", "inbox/proposals/notes.json"),
])  # fmt: skip
def test_what_people_decide_is_not_written_where_git_ignores_it(kb: Base, pattern: str, path: str) -> None:
    if "proposals" not in pattern:
        kb.ingest()
        kb.mark("x", count=1)
        kb.commit_all()
    else:
        kb.source()
    kb.write(".gitignore", pattern + "\n")
    kb.commit_all()
    before, head = kb.snapshot(), kb.git("rev-parse", "HEAD")
    done = kb.run(*(("ingest", "inbox") if "proposals" in pattern else ("review", "--apply")))
    assert done.code == 4
    assert f"git check-ignore -v {path}" in done.err + done.out
    assert (kb.snapshot(), kb.git("rev-parse", "HEAD")) == (before, head)


def test_what_is_derived_git_may_ignore(kb: Base) -> None:
    kb.write(".gitignore", "codex/index/\n")
    kb.commit_all()
    kb.ingest()
    kb.mark("x", count=1)
    assert kb.run("review", "--apply").code == 0
    assert "codex/index" not in kb.git("ls-files")
    assert len(log(kb)) == 1


@pytest.mark.parametrize("filled", [True, False])
def test_a_submodule_in_the_way_is_found_before_anything_is_written(kb: Base, tmp_path: Path, filled: bool) -> None:
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *who, "commit", "-q", "--allow-empty", "-m", "begin"], cwd=other, check=True)
    kb.git("rm", "-qr", "codex")
    kb.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "codex")
    kb.commit_all()
    kb.ingest()
    kb.mark("x", count=1)
    kb.commit_all()
    if not filled:  # as a clone has it at first
        kb.git("submodule", "--quiet", "deinit", "--force", "codex")
    before = kb.snapshot()
    done = kb.run("review", "--apply")
    assert done.code == 4
    assert "lies in the submodule codex" in done.err
    assert kb.snapshot() == before


def test_the_message_of_a_squash_merge_is_not_lost(kb: Base) -> None:
    kb.git("checkout", "-q", "-b", "other")
    kb.write("a.txt", "a")
    kb.commit_all()
    kb.git("checkout", "-q", "main")
    kb.git("merge", "-q", "--squash", "other")
    kb.source()
    before = kb.snapshot()
    done = kb.run("ingest", "inbox")
    assert (done.code, "a squash merge is under way" in done.err) == (4, True)
    assert kb.snapshot() == before
    assert kb.path(".git/SQUASH_MSG").exists()


# -- kills inside git ------------------------------------------------------------------------------


def kill_in_hook(kb: Base, *command: str, hook: str = "pre-commit") -> None:
    """Run a command in a process of its own that is killed while git runs a hook."""
    path = kb.write(f".git/hooks/{hook}", f"#!/bin/sh\nkill -9 $(cat {kb.root}/.git/pid)\nexit 1\n")
    path.chmod(0o755)
    script = (
        f"import os, sys; open({str(kb.root / '.git/pid')!r}, 'w').write(str(os.getpid())); "
        "import conftest; from codex_kb.encoders import model; model.load = conftest.FakeEncoder; "
        f"sys.argv = ['codex', *{list(command)!r}]; from codex_kb import cli; cli.main()"
    )
    tests = Path(__file__).parent
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), *sys.path])}
    done = subprocess.run([sys.executable, "-c", script], cwd=kb.root, env=env, capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()
    path.unlink()


def test_killed_inside_a_hook_all_of_the_review_is_committed_by_the_next_run(kb: Base) -> None:
    kb.ingest()
    kb.mark("-")
    kill_in_hook(kb, "review", "--apply")
    kb.path(".git/index.lock").unlink(missing_ok=True)
    assert kb.run("distill").code == 0
    assert kb.git("status", "--porcelain") == ""
    assert "inbox/proposals/notes.md" not in kb.git("ls-tree", "-r", "--name-only", "HEAD")
    assert len(log(kb)) == len(kb.decisions())


def test_what_was_cut_off_on_one_branch_waits_on_another(kb: Base) -> None:
    kb.ingest()
    kb.mark("-")
    kb.commit_all()
    kb.git("branch", "other")
    kill_in_hook(kb, "review", "--apply")
    kb.path(".git/index.lock").unlink(missing_ok=True)
    kb.git("reset", "-q")
    kb.git("symbolic-ref", "HEAD", "refs/heads/other")
    before = kb.git("rev-parse", "other")
    done = kb.run("distill")
    assert done.code == 4
    assert "was cut off on main, and waits to be finished there" in done.err
    assert kb.git("rev-parse", "other") == before
    kb.git("symbolic-ref", "HEAD", "refs/heads/main")
    assert kb.run("distill").code == 0
    ids = [row["id"] for row in log(kb)]
    assert len(ids) == len(set(ids)) > 0


def kill_before_files(kb: Base, monkeypatch: pytest.MonkeyPatch, *command: str) -> None:
    """Run a command that ends once its journal is kept, before it writes a file."""
    with monkeypatch.context() as patched:
        patched.setattr(Transactions, "_write", lambda *args: sys.exit(137))
        assert kb.run(*command).code == 137
    assert Transactions(kb.root).unfinished()


def of_a_colleague(kb: Base, tmp_path: Path, id_: str) -> Path:
    """A clone in which a colleague rejects a proposal; its root."""
    clone = tmp_path / "colleague"
    kb.git("clone", "-q", "-c", "user.name=Bob", "-c", "user.email=bob@example.org", ".", str(clone))
    other = Base(clone, lambda *args: kb.run(*args, cwd=clone))
    assert other.run("review", "--reject", id_).code == 0
    return clone


def test_lines_that_were_pulled_after_a_kill_and_those_of_the_journal_are_both_on_record(
    kb: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [each["id"] for each in kb.ingest()]
    assert kb.run("review", "--reject", ids[0]).code == 0
    clone = of_a_colleague(kb, tmp_path, ids[1])
    kill_before_files(kb, monkeypatch, "review", "--approve", ids[2])
    kb.git("pull", "-q", "--no-rebase", str(clone), "HEAD")
    assert kb.run("distill").code == 0
    assert [row["id"] for row in log(kb)] == ids[:3]
    assert len(kb.claims()) == 1
    assert not kb.path(".codex-kb/conflicts/codex/decisions").exists()


def test_what_was_merged_after_a_hook_refused_is_committed_as_it_stands(
    kb: Base, tmp_path: Path
) -> None:
    ids = [each["id"] for each in kb.ingest()]
    assert kb.run("review", "--reject", ids[0]).code == 0
    clone = of_a_colleague(kb, tmp_path, ids[1])
    hook = kb.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert kb.run("review", "--approve", ids[2]).code == 1
    kb.git("stash", "-qu")
    kb.git("pull", "-q", "--no-rebase", str(clone), "HEAD")
    subprocess.run(["git", "stash", "pop"], cwd=kb.root, capture_output=True, check=False)
    hook.unlink()
    before = kb.git("rev-parse", "HEAD")
    done = kb.run("distill")  # the packet has conflicts
    assert (done.code, "conflicts are not resolved" in done.err) == (4, True)
    assert kb.git("rev-parse", "HEAD") == before
    kb.git("checkout", "-q", "--theirs", "inbox/proposals")
    kb.git("reset", "-q")
    assert kb.run("distill").code == 0
    assert {row["id"] for row in log(kb)} == set(ids[:3])
    assert kb.git("status", "--porcelain") == ""


def test_what_git_committed_on_a_detached_head_before_the_kill_is_finished(kb: Base) -> None:
    kb.ingest()
    kb.git("checkout", "-q", "--detach")
    kb.mark("-")
    kill_in_hook(kb, "review", "--apply", hook="post-commit")
    before = kb.git("rev-parse", "HEAD")
    assert kb.run("review", "--apply").code == 0
    assert kb.git("rev-parse", "HEAD") == before
    assert not Transactions(kb.root).unfinished()


@pytest.mark.parametrize("home", ["", "--detach"])
def test_the_hint_leads_to_where_a_run_was_cut_off(
    kb: Base, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    [first, *_] = kb.ingest()
    kb.git("checkout", "-q", "-b", "other")
    kb.write("a.txt", "elsewhere")
    kb.commit_all()
    kb.git("checkout", "-q", *home.split(), "main")
    kill_before_files(kb, monkeypatch, "review", "--reject", first["id"])
    kb.git("switch", "-q", "other")
    done = kb.run("distill")
    assert done.code == 4
    subprocess.run(done.err.split("→ ")[1].split(",")[0], shell=True, cwd=kb.root, check=True)
    assert kb.run("distill").code == 0
    assert [row["id"] for row in log(kb)] == [first["id"]]


def test_a_branch_that_was_renamed_is_the_same(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    [first, *_] = kb.ingest()
    kill_before_files(kb, monkeypatch, "review", "--reject", first["id"])
    kb.git("branch", "-m", "main", "trunk")
    assert kb.run("distill").code == 0
    assert [row["id"] for row in log(kb, "trunk")] == [first["id"]]


def test_a_work_tree_that_a_killed_run_left_behind_is_removed(kb: Base) -> None:
    kb.write("codex.toml", kb.read("codex.toml") + BRANCH)
    kb.commit_all()
    kb.source()
    kill_in_hook(kb, "ingest", "inbox")
    assert kb.run("distill").code == 0
    assert not kb.path(".codex-kb/worktree").exists()
    assert len(kb.git("worktree", "list").splitlines()) == 1
    assert "propose" in kb.git("log", "-1", "--format=%s", "extract/notes")
    assert not Transactions(kb.root).unfinished()


def test_a_journal_can_be_set_aside(kb: Base) -> None:
    kb.ingest()
    kb.write(".codex-kb/journal.json", "{")
    done = kb.run("distill")
    assert (done.code, "codex check --set-aside" in done.err) == (4, True)
    assert "unfinished" in kb.run("check").out
    assert kb.run("check", "--set-aside").code == 0
    assert kb.run("distill").code == 0


def test_a_clone_with_other_newlines_has_the_same_claims(kb: Base, tmp_path: Path) -> None:
    kb.ingest()
    kb.mark("x")
    assert kb.run("review", "--apply").code == 0
    (path,) = [name for name in kb.claims() if "economics" in name][:1]
    text = kb.read(path)
    kb.write(path, f"{text.rstrip()}\n\nCities differ.\n\n---\n\nRelevant Notes:\n- [[towns]]\n")
    kb.commit_all()
    assert kb.run("distill").code == 0
    before = kb.run("check", "--json").json
    clone = tmp_path / "clone"
    kb.git("-c", "core.autocrlf=true", "clone", "-q", "-c", "core.autocrlf=true", ".", str(clone))
    other = Base(clone, lambda *args: kb.run(*args, cwd=clone))
    assert b"\r\n" in other.path(path).read_bytes()
    after = other.run("check", "--json").json
    assert [p["code"] for p in after] == [p["code"] for p in before]
    assert other.run("status", "--json").json["index"] == kb.run("status", "--json").json["index"]
    assert "no longer stands" not in other.run("show", path).out


@pytest.mark.parametrize(("name", "value"), [
    ("GIT_GLOB_PATHSPECS", "1"), ("GIT_NOGLOB_PATHSPECS", "1"), ("GIT_ICASE_PATHSPECS", "1"),
    ("GIT_LITERAL_PATHSPECS", "1"),
])  # fmt: skip
def test_how_the_users_git_reads_paths_is_not_how_ours_does(
    kb: Base, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    kb.ingest()
    kb.mark("x")
    monkeypatch.setenv(name, value)
    done = kb.run("review", "--apply")
    assert done.code == 0, done.err
    assert kb.git("status", "--porcelain") == ""


def test_gitpython_runs_git_and_nothing_else(kb: Base) -> None:
    environment = os.environ | {"GIT_PYTHON_GIT_EXECUTABLE": "/bin/false"}
    program = "from codex_kb.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program, "status"], cwd=kb.root, env=environment, check=False,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("verb", ["symbolic-ref", "status", "ls-files", "update-index", "rev-parse"])
def test_a_git_that_fails_is_an_error_of_git(
    kb: Base, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: str
) -> None:
    kb.ingest()
    kb.mark("x")
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncase " $* " in *" {verb} "*) echo "fatal: disk full" >&2; exit 128;; esac\n'
                       f'exec {shutil.which("git")} "$@"\n')  # fmt: skip
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    done = kb.run("review", "--apply")
    assert done.code == 1, done.err
    assert "disk full" in done.err
