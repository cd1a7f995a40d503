"""Bulk work on a real Ray cluster of two nodes: the same bytes as in process, whatever is killed."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

if importlib.util.find_spec("ray") is None:
    pytest.skip("the extra ray is not installed: make test-cluster", allow_module_level=True)
if sys.platform != "linux":
    pytest.skip("two nodes on loopback need 127.0.0.2 and 127.0.0.3", allow_module_level=True)

from conftest import HEAD as FRONTMATTER
from conftest import Base
from raylets import HEAD, NODE, Raylets, command, running, until

_TESTS = Path(__file__).parent
_CODEX = (sys.executable, "-c", "from codex_kb.cli import main; main()")
_TIMES = re.compile(rb'"proposed": "20[^"]*"')
_GUARD = 240
SOURCES = 200


@pytest.fixture(scope="module")
def cluster() -> Iterator[Raylets]:
    with running() as found:
        yield found


@pytest.fixture
def kb(tmp_path: Path, clean_env: None) -> Base:
    """A knowledge base for other processes, with the real encoder."""
    root = tmp_path / "kb"
    subprocess.run([*_CODEX, "init", str(root)], check=True, capture_output=True)
    found = Base(root, lambda *args, **more: pytest.fail("use codex()"))
    found.git("config", "user.name", "Rita Reviewer")
    found.git("config", "user.email", "rita@example.org")
    found.commit_all()
    return found


def begin(root: Path, cluster: Raylets, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """A command of codex as a process of its own; `more` goes to its environment."""
    token = {name: cluster.environment[name] for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN")}
    environment = {**os.environ, **token, **more}
    return subprocess.Popen([*_CODEX, *arguments], cwd=root, env=environment, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)  # fmt: skip


def codex(root: Path, cluster: Raylets, *arguments: str, code: int = 0, **more: str) -> tuple[str, str]:
    """A command to its end: what it printed and what it said."""
    process = begin(root, cluster, *arguments, **more)
    out, err = process.communicate(timeout=_GUARD)
    assert process.returncode == code, err
    return out, err


def sources(kb: Base, count: int) -> None:
    """Short sources, all different; one that cannot be read."""
    for number in range(count):
        kb.write(f"inbox/s{number:03d}.md", FRONTMATTER + "\n\n".join([
            f"Wide boats of kind {number} turn slowly in every narrow harbour of the northern coast.",
            f"The price of tar number {number} doubled in the winter months because supply was short.",
            f"Trade with {number % 7} towns makes people richer than war with {number % 11} of them does.",
        ]) + "\n")  # fmt: skip
    kb.commit_all()


def in_process(kb: Base, cluster: Raylets, *arguments: str, **more: str) -> dict[str, bytes]:
    """What the same command in process makes of a copy."""
    copy = Base(kb.root.with_name("copy"), kb.run)
    shutil.copytree(kb.root, copy.root)
    codex(copy.root, cluster, *arguments, "--engine", "local", **more)
    return files(copy)


def files(kb: Base) -> dict[str, bytes]:
    """Every file; when something was proposed is no part of it."""
    return {path: _TIMES.sub(b"", data) for path, data in kb.snapshot().items()}


def rows(out: str) -> dict[str, int]:
    """How many sources became what."""
    found = [row["status"] for row in json.loads(out)["sources"] if not row["path"].startswith("inbox/proposals")]
    return {status: found.count(status) for status in set(found)}


def child(cluster: Raylets, patience: float, items: Sequence[str], engine: str = "") -> list[Any]:
    """What a cluster makes of items of `cluster_child`."""
    path = os.pathsep.join([cluster.environment["PYTHONPATH"], str(_TESTS)])
    done = subprocess.run(
        [sys.executable, str(_TESTS / "cluster_child.py"), engine or cluster.engine, str(patience), *items],
        env={**cluster.environment, "PYTHONPATH": path}, capture_output=True, text=True, timeout=_GUARD, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_results_come_in_order_and_an_error_is_data_of_its_own_item(cluster: Raylets) -> None:
    found = child(cluster, 2, ["a", "refuse", "ask", "fault", "gone", "die", "b", "ask in vain"])
    assert [row[0] for row in found] == ["a", "refuse", "ask", "fault", "gone", "die", "b", "ask in vain"]
    assert [row[1:] for row in found[:3]] == [["told a"], ["ModelError", "cut off"], ["told answer to ask"]]
    assert found[3][1:] == ["RefusedFile", "a fault of ours in a worker: ZeroDivisionError('by nothing')"]
    assert found[4][1:] == ["CodexError", "it is gone"]
    assert found[5][1:] == ["RefusedFile", "its worker died 4 times: WorkerCrashedError"]
    assert found[6][1:] == ["told b"]
    assert found[7][1:] == ["CodexError", "a fault of ours: ZeroDivisionError('at home')"]


def test_a_run_in_which_nothing_is_finished_says_where_it_hangs_and_stops(cluster: Raylets) -> None:
    found = child(cluster, 0.4, ["a", "hang", "b"])
    assert found[0] == ["a", "told a"]
    said = found[1][2]
    assert "nothing was finished for 0.4 min; in flight: hang; nodes: " in said
    assert f"{HEAD} (1 processors)" in said


def test_a_cluster_of_our_own_ends_with_the_run(cluster: Raylets) -> None:
    before = {path.name for path in Path("/tmp").glob("codex-ray-*")}
    assert child(cluster, 2, ["a", "ask"], "ray") == [["a", "told a"], ["ask", "told answer to ask"]]
    assert {path.name for path in Path("/tmp").glob("codex-ray-*")} == before


def test_killed_workers_nodes_and_drivers_cost_what_was_in_flight(kb: Base, cluster: Raylets) -> None:
    sources(kb, SOURCES)
    kb.write("codex.toml", "[git]\nbatch = 20\n")
    kb.write("inbox/bad.md", b"---\ntitle: \xff\n---\n")
    kb.commit_all()
    copy = Base(kb.root.with_name("copy"), kb.run)
    shutil.copytree(kb.root, copy.root)
    codex(copy.root, cluster, "ingest", "inbox", code=1)

    def head() -> str:
        return kb.git("rev-parse", "HEAD")

    def subjects() -> list[str]:
        return kb.git("log", "--format=%s").splitlines()

    began = head()
    driver = begin(kb.root, cluster, "ingest", "inbox", "--engine", cluster.engine)
    os.kill(until(lambda: cluster.workers(NODE), 60)[0], signal.SIGKILL)
    until(lambda: head() != began, 120)
    driver.kill()
    driver.communicate(timeout=30)
    done = len(subjects())
    assert subjects()[0] == "extractive: propose 60 claims from 20 sources"

    driver = begin(kb.root, cluster, "ingest", "inbox", "--engine", cluster.engine, "--json")
    until(lambda: len(subjects()) > done, 120)
    cluster.kill(NODE)
    out, err = driver.communicate(timeout=_GUARD)
    assert driver.returncode == 1, err
    assert rows(out)["refused"] == 1
    assert rows(out)["proposed"] + rows(out)["unchanged"] == SOURCES
    assert rows(out)["unchanged"] >= 20
    assert files(kb) == files(copy)
    assert kb.git("status", "--porcelain") == ""
    cluster.start(NODE)


def test_workers_find_sources_themselves_where_the_settings_say_and_you_granted_it(kb: Base, cluster: Raylets) -> None:
    sources(kb, 3)
    shared = kb.root.with_name("shared")
    shutil.copytree(kb.path("inbox"), shared / "inbox")
    (shared / "inbox/s001.md").write_bytes(b"other bytes\n")
    (shared / "inbox/s002.md").unlink()
    kb.write("codex.toml", f'[run]\nengine = "{cluster.engine}"\nfiles = "file://{shared}"\n')
    kb.commit_all()
    _, err = codex(kb.root, cluster, "ingest", "inbox", code=2)
    assert f"the settings want to send sources to the Ray cluster at {cluster.address}" in err
    shown, _ = codex(kb.root, cluster, "trust", "--yes")
    assert f"have workers of a cluster read sources at file://{shared}" in shown
    out, _ = codex(kb.root, cluster, "ingest", "inbox", "--json", code=1)
    reasons = {row["path"]: row["reason"] for row in json.loads(out)["sources"]}
    assert "a worker found other bytes at file://" in reasons["inbox/s001.md"]
    assert "a worker cannot read it at file://" in reasons["inbox/s002.md"]
    assert "status: processing" in kb.read("inbox/s000.md")
    assert "status: unprocessed" in kb.read("inbox/s001.md")


def test_distill_embeds_on_a_cluster_to_the_same_bytes(kb: Base, cluster: Raylets) -> None:
    kb.claim("first", "Ropes of hemp outlast those of flax in salt water")
    codex(kb.root, cluster, "distill")  # how exact the model is was measured by now: that takes long
    for number in range(40):
        kb.claim(f"c{number:02d}", f"Wide boats of kind {number} turn slowly in every narrow harbour", f"Kind {number}")
    kb.commit_all()
    expected = in_process(kb, cluster, "distill")
    codex(kb.root, cluster, "distill", "--engine", cluster.engine)
    assert files(kb) == expected
    assert sum(path.startswith("codex/index/") and path.endswith(".jsonl") for path in expected) == 41


def test_language_models_are_asked_by_the_caller_alone_within_one_limit(kb: Base, cluster: Raylets) -> None:
    pytest.importorskip("pydantic_ai", reason="the extra llm is not installed")
    from fake_model import answer  # noqa: PLC0415
    from model_server import ModelServer, ok, slow  # noqa: PLC0415

    key = "sk-very-secret-0123456789abcdef"
    kb.claim("boats", "Wide boats of kind 3 turn slowly in every narrow harbour of the coast", "They are wide")
    sources(kb, 8)
    with ModelServer(lambda body, number: slow(0.2, ok(answer(body["messages"][-1]["content"]), 1000, 100))) as server:
        ask = ("ingest", "inbox", "--model", f"openai:m@{server.url}", "--jobs", "2")
        expected = in_process(kb, cluster, *ask, CODEX_MODEL_KEY=key)
        asked, server.most_at_once = server.count, 0
        _, err = codex(kb.root, cluster, *ask, "--engine", cluster.engine, CODEX_MODEL_KEY=key)
        assert server.count == 2 * asked
        assert server.most_at_once == 2
        assert {request["headers"]["authorization"] for request in server.requests} == {f"Bearer {key}"}
    assert files(kb) == expected
    assert f"{asked} questions, " in err
    logs = [path.read_bytes() for path in cluster.folder.rglob("*") if path.is_file()]
    assert not any(key.encode() in log for log in logs)


def test_an_engine_that_is_none_or_cannot_be_joined_is_said(kb: Base, cluster: Raylets) -> None:
    sources(kb, 1)
    _, err = codex(kb.root, cluster, "ingest", "inbox", "--engine", "spark", code=2)
    assert "there is no engine 'spark'" in err
    assert "ray://HOST:PORT" in err
    _, err = codex(kb.root, cluster, "ingest", "inbox", "--engine", f"ray://{HEAD}:1", code=5)
    assert f"the Ray cluster at {HEAD}:1 cannot be joined" in err
    _, err = codex(kb.root, cluster, "ingest", "inbox", "--engine", cluster.engine, code=5, RAY_AUTH_TOKEN="0" * 64)
    assert f"the Ray cluster at {cluster.address} cannot be joined" in err
    assert "status: unprocessed" in kb.read("inbox/s000.md")
    assert command(os.getpid())
