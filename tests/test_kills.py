"""Killed together with git, a command is brought by the next run to the end of one that nothing stopped."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import SENTENCES, Base

BRANCH = '[git]\nbranch = "extract/{source}"\n'
INGEST, REVIEW, DISTILL = ("ingest", "inbox"), ("review", "--apply"), ("distill",)
LOCK = re.compile(r"'([^'\n]+\.lock)': File exists")


def killed(kb: Base, hook: str, command: Sequence[str], time: int = 1) -> None:
    """Run a command in a process group of its own that is killed, git and all, when git runs a hook for the n-th time.

    A hook `name state` is killed only when git calls it with this state.
    """
    name, _, state = hook.partition(" ")
    path = kb.write(f".git/hooks/{name}", f"""#!/bin/sh
[ "$1" = "{state}" ] || [ -z "{state}" ] || exit 0
echo >>{kb.root}/.git/times
[ "$(wc -l <{kb.root}/.git/times)" -ne {time} ] || kill -s KILL -- -$(cat {kb.root}/.git/pid)
""")
    path.chmod(0o755)
    script = (
        f"import os, sys; open({str(kb.root / '.git/pid')!r}, 'w').write(str(os.getpid())); "
        "import conftest; from codex_kb.encoders import model; model.load = conftest.FakeEncoder; "
        f"sys.argv = ['codex', *{list(command)!r}]; from codex_kb import cli; cli.main()"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    done = subprocess.run([sys.executable, "-c", script], cwd=kb.root, env=env, capture_output=True, check=False,
                          start_new_session=True)  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    path.unlink()


def go_on(kb: Base, command: Sequence[str]) -> list[str]:
    """The same command again, with the locks removed that git names; these."""
    removed: list[str] = []
    while (done := kb.run(*command)).code:
        (lock,) = LOCK.findall(done.err)
        Path(lock).unlink()
        removed.append(Path(lock).relative_to(kb.root).as_posix())
    return removed


def end(kb: Base) -> dict[str, object]:
    """What must be the same, however the command came to its end."""
    heads = kb.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
    logs = [kb.path("codex/decisions").glob("*.jsonl")]
    rows = [json.loads(line) for each in logs for path in each for line in path.read_text().splitlines()]
    return {
        "log": {head: kb.git("log", "--format=%s", "--name-only", head) for head in heads},
        "decisions": sorted((row["id"], row["verdict"]) for row in rows),
        "files": sorted(kb.snapshot()),
        "user's": [kb.read("staged.txt"), kb.read("mine.md"), kb.git("diff", "--cached")],
        "status": kb.git("status", "--porcelain", "--untracked-files=all"),
        "work trees": len(kb.git("worktree", "list").splitlines()),
        "left": [name for name in ("journal.json", "worktree") if kb.path(f".codex-kb/{name}").exists()],
        "problems": [problem["code"] for problem in kb.run("check", "--json").json],
    }


REFS = ".git/refs/heads"


@pytest.mark.parametrize(("command", "hook", "time", "branch", "locks"), [
    (INGEST, "pre-commit", 2, "", [".git/index.lock"]),
    (REVIEW, "post-commit", 1, "", []),
    (REVIEW, "reference-transaction prepared", 1, "", [".git/index.lock", ".git/HEAD.lock", f"{REFS}/main.lock"]),
    (DISTILL, "post-index-change", 1, "", []),
    (INGEST, "reference-transaction prepared", 1, BRANCH, [f"{REFS}/extract/rivers.lock"]),
    (INGEST, "post-checkout", 2, BRANCH, []),
    (REVIEW, "post-index-change", 1, BRANCH, []),
    (REVIEW, "post-commit", 1, BRANCH, []),
])  # fmt: skip
def test_killed_with_git_the_same_command_reaches_the_same_end(
    kb: Base, tmp_path: Path, command: Sequence[str], hook: str, time: int, branch: str, locks: list[str]
) -> None:
    kb.write("codex.toml", kb.read("codex.toml") + branch)
    kb.claim("tar", "Tar is dear where forests burn")
    kb.commit_all()
    if command == REVIEW:
        kb.ingest()
        kb.mark("x", count=1)
        kb.mark("-")
    for name in ("rivers", "towns"):
        kb.source(name, SENTENCES[:1])
    kb.write("staged.txt", "staged")
    kb.git("add", "staged.txt")
    kb.write("mine.md", "mine")
    copy = tmp_path / "undisturbed"
    shutil.copytree(kb.root, copy)
    undisturbed = replace(kb, root=copy, run=lambda *args: kb.run(*args, cwd=copy))
    assert undisturbed.run(*command).code == 0
    killed(kb, hook, command, time)
    assert go_on(kb, command) == locks
    assert end(kb) == end(undisturbed)
