"""Knowledge bases of a stranger: whatever a clone holds, nothing outside is read, written or told.

The cases are folders below tests/cases/hostile; its README says how they read.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from codex_kb.encoders.sentence import SentenceEncoder
from codex_kb.errors import ServiceError
from conftest import Base, Run

CASES = Path(__file__).parent / "cases/hostile"
SECRET = "The password of the harbour is swordfish."
PACKET = "## [x] A packet of somebody else\n"
COMMANDS = (
    ("status",), ("check",), ("search", "password of boats"), ("search", "password", "--json"),
    ("show", "wide-boats"), ("show", "inbox/notes.md"), ("proposals",), ("ingest", "inbox"), ("review", "--apply"),
    ("undo", "HEAD"), ("distill",), ("distill", "--check"), ("trust",), ("status", "--json"),
)  # fmt: skip
ALLOWED = {0, 1, 2, 3, 4, 5}
SECONDS = 120


class Listener:
    """A server that must hear nothing; counts who connects."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        self.heard = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.heard += 1
            connection.close()

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.close()


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder beside the clone, and the mark of a program that ran."""
    folder = tmp_path / "victim/outside"
    folder.mkdir(parents=True)
    for name, text in {"secret.md": f"# Secret\n\n{SECRET}\n", "kept.md": "kept\n", "packet.md": PACKET,
                       "settings.toml": "[swordfish]\n"}.items():  # fmt: skip
        (folder / name).write_text(text)
    monkeypatch.setenv("HOSTILE_MARK", str(folder / "PWNED"))
    monkeypatch.setenv("CODEX_MODEL_KEY", "sk-hostile-0123456789")
    return folder


@pytest.fixture(autouse=True)
def deadline() -> Iterator[None]:
    """A command that waits for ever fails."""

    def late(*_: object) -> None:
        raise AssertionError(f"no end after {SECONDS} seconds")

    signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)


def make(kb: Base, name: str, url: str) -> dict[str, Any]:
    """Lay a case over a knowledge base where a marked packet waits, and commit it; what its case.json says."""
    case: dict[str, Any] = json.loads((CASES / name / "case.json").read_text())
    kb.claim("wide-boats", "Wide boats turn slowly", domain="ships", body="Boats of wood rot.")
    kb.ingest()
    kb.mark("x")
    kb.source("fresh", ["Cities with many harbours pay their workers higher wages than cities without any do."])
    if record := case.get("record"):
        path = "inbox/proposals/notes.json"
        kb.write(path, json.dumps(json.loads(kb.read(path)) | record))
    tree = CASES / name / "tree"
    files = {p.relative_to(tree).as_posix(): p.read_text() for p in tree.rglob("*") if p.is_file()}
    files |= case.get("files", {}) | {path: text * times for path, (text, times) in case.get("repeat", {}).items()}
    if ".codex-kb" in "".join((*files, *case.get("links", {}))):
        shutil.rmtree(kb.path(".codex-kb"))
    for path, text in files.items():
        kb.write(path, text.replace("{url}", url))
    link(kb, case.get("links", {}))
    kb.git("add", "-A", "--force", ".")
    if not any(".codex-kb" in each for each in (*files, *case.get("links", {}))):
        kb.git("rm", "-rq", "--cached", "--ignore-unmatch", ".codex-kb")
    kb.git("commit", "-qm", "all")
    for branch, links in case.get("branch", {}).items():
        kb.git("checkout", "-qb", branch)
        link(kb, links)
        kb.git("add", "-A")
        kb.git("commit", "-qm", "links")
        kb.git("checkout", "-q", "main")
    return case


def link(kb: Base, links: dict[str, str]) -> None:
    for path, target in links.items():
        there = kb.path(path)
        if there.is_dir() and not there.is_symlink():
            shutil.rmtree(there)
        there.parent.mkdir(parents=True, exist_ok=True)
        there.unlink(missing_ok=True)
        there.symlink_to(target)


def cloned(kb: Base, victim: Path, case: dict[str, Any]) -> Path:
    """The clone as somebody has it, with a file of their own; its root."""
    if case.get("nested"):
        outer = kb.root.with_name("outer")
        shutil.copytree(kb.root, outer / "sub", symlinks=True, ignore=shutil.ignore_patterns(".git", ".codex-kb"))
        for command in (["init", "-q"], ["add", "-A", "--force"], ["-c", "user.name=E", "-c", "user.email=e@e",
                                                                  "commit", "-qm", "all"]):  # fmt: skip
            subprocess.run(["git", *command], cwd=outer, check=True, capture_output=True)
        subprocess.run(["git", "clone", "-q", str(outer), str(victim)], check=True, capture_output=True)
        victim = victim / "sub"
    else:
        subprocess.run(["git", "clone", "-q", str(kb.root), str(victim)], check=True, capture_output=True)
    for branch in case.get("branch", {}):
        subprocess.run(["git", "branch", "-q", branch, f"origin/{branch}"], cwd=victim, check=True, capture_output=True)
    for path in case.get("fifos", ()):
        os.mkfifo(victim / path)
    for key, value in {"user.name": "Vic Victim", "user.email": "vic@example.org",
                       "remote.harbour.url": "https://vic:swordfish@example.org/kb.git"}.items():  # fmt: skip
        subprocess.run(["git", "config", "--file", git_folder(victim) / "config", key, value], check=True)
    (victim / "mine.txt").write_text("mine")
    return victim


def git_folder(victim: Path) -> Path:
    return next(folder / ".git" for folder in (victim, *victim.parents) if (folder / ".git").is_dir())


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def texts(folder: Path) -> bytes:
    """What all regular files of a clone hold, those of git's unpacked objects left out; links are not followed."""
    found = [p for p in folder.rglob("*") if p.is_file() and not p.is_symlink() and ".git" not in p.parts]
    return b"".join(p.read_bytes() for p in found if folder in p.resolve().parents)


@pytest.mark.parametrize("name", sorted(p.parent.name for p in CASES.glob("*/case.json")))
def test_a_hostile_clone(
    name: str, kb: Base, run: Callable[..., Run], outside: Path, listener: Listener, tmp_path: Path
) -> None:
    case = make(kb, name, listener.url)
    victim = cloned(kb, tmp_path / "victim/kb", case)
    before, settings = contents(outside), (git_folder(victim) / "config").read_bytes()
    claims = sorted((victim / "codex").rglob("wide-boats.md"))
    said = ""
    for command in COMMANDS:
        done = run(*command, cwd=victim)
        assert done.code in ALLOWED, f"{command}: {done.code}: {done.err}"
        said += done.out + done.err
        if "--json" not in command:
            assert "\x1b" not in done.out + done.err, command
            assert "\u202e" not in done.out + done.err, command
    assert contents(outside) == before
    assert (git_folder(victim) / "config").read_bytes() == settings
    assert [p for p in git_folder(victim).rglob("*") if p.suffix in (".md", ".json", ".jsonl")] == []
    assert listener.heard == 0
    assert "swordfish" not in said
    assert b"swordfish" not in texts(victim)
    log = subprocess.run(["git", "log", "-p", "--all"], cwd=git_folder(victim).parent, check=True, capture_output=True)
    assert b"swordfish" not in log.stdout
    assert (victim / "mine.txt").read_text() == "mine"
    assert sorted((victim / "codex").rglob("wide-boats.md")) == claims
    assert case.get("says", "") in said


@pytest.mark.parametrize(("path", "target", "says"), [
    ("index/seal.json.new", "../../../outside/kept.md", "a link, which no run of ours made"),
    ("conflicts/codex", "../../../outside", "a link, which no run of ours made"),
    ("conflicts/codex/decisions", "../../../../outside", "git tracks this local state"),
    ("entries/00/00.jsonl", "", "git tracks this local state"),
])  # fmt: skip
def test_local_state_that_a_pull_brings_is_not_believed(
    kb: Base, run: Callable[..., Run], outside: Path, tmp_path: Path, path: str, target: str, says: str
) -> None:
    kb.claim("wide-boats", "Wide boats turn slowly", domain="ships")
    kb.commit_all()
    victim = cloned(kb, tmp_path / "victim/kb", {})
    assert run("search", "boats", cwd=victim).code == 0
    before = contents(outside)
    shutil.rmtree(kb.path(".codex-kb"), ignore_errors=True)
    if target:
        link(kb, {f".codex-kb/{path}": target})
    else:
        kb.write(f".codex-kb/{path}", "of a stranger")
    kb.git("add", "--force", ".codex-kb")
    kb.git("commit", "-qm", "state")
    subprocess.run(["git", "pull", "-q", "--ff-only", "origin", "main"], cwd=victim, check=True, capture_output=True)
    kb.claim("fast-boats", "Fast boats are narrow", domain="ships")
    shutil.copytree(kb.path("codex"), victim / "codex", dirs_exist_ok=True)
    for command in COMMANDS:
        assert run(*command, cwd=victim).code in ALLOWED, command
    done = run("distill", cwd=victim)
    assert (done.code, says in done.err) == (2, True), done.err
    assert contents(outside) == before


def test_without_hostility_the_same_commands_do_their_work(
    kb: Base, run: Callable[..., Run], outside: Path, tmp_path: Path
) -> None:
    """The cases prove something only where a sound clone gets through."""
    make(kb, "terminal", "")
    victim = cloned(kb, tmp_path / "victim/kb", {})
    codes = {command: run(*command, cwd=victim).code for command in COMMANDS}
    assert {command for command, code in codes.items() if code} <= {("check",)}
    assert json.loads((victim / "codex/decisions/notes.jsonl").read_text().splitlines()[0])["verdict"] == "approved"


def test_a_class_of_a_models_folder_is_not_run(outside: Path, tmp_path: Path) -> None:
    folder = tmp_path / "evil"
    shutil.copytree(CASES / "model-class/tree/models/evil", folder)
    with pytest.raises(ServiceError, match="cannot load the model"):
        SentenceEncoder(str(folder), local=True).encode(["a"])
    assert not (outside / "PWNED").exists()
