"""`codex mcp` as a process: its transports, what it prints where, how it ends, the transcript in docs/mcp.md."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp", reason="the extra mcp is not installed")

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from conftest import Base, Run, make_base

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs/mcp.md"
CODEX = str(Path(sys.executable).with_name("codex"))
VERSION = "2025-06-18"
HELLO = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
real = pytest.mark.skipif(os.environ.get("CODEX_FAST") == "1", reason="loads the real model")


class Raw:
    """A client that writes lines of JSON, and reads each answer."""

    def __init__(self, root: Path, *options: str) -> None:
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self.process = subprocess.Popen([CODEX, "mcp", *options], cwd=root, text=True, **pipes)

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdout
        self.send(message)
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def begin(self) -> dict[str, Any]:
        answer = self.ask({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO})
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.ask({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                                           "params": {"name": name, "arguments": arguments}})["result"]  # fmt: skip
        return result

    def end(self) -> tuple[int, str | None, str]:
        """Close standard input; the exit code, and what was left on standard output, if it is open, and error."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.fixture
def kb(tmp_path: Path, run: Callable[..., Run]) -> Base:
    """A knowledge base with the real encoder, which a process of its own has."""
    base = make_base(tmp_path / "kb", run)
    base.claim("boats", "Wide boats turn slowly in narrow harbours")
    base.source()
    base.commit_all()
    return base


@pytest.fixture
def begun(kb: Base) -> Iterator[Raw]:
    """A server that was greeted."""
    raw = Raw(kb.root)
    raw.begin()
    yield raw
    raw.process.kill()
    raw.process.communicate()


# -- standard input and output ---------------------------------------------------------------------


@real
def test_lines_of_json_are_answered_and_nothing_else_is_printed(kb: Base) -> None:
    raw = Raw(kb.root)
    assert raw.begin()["result"]["protocolVersion"] == VERSION
    listed = raw.ask({"jsonrpc": "2.0", "id": "list", "method": "tools/list"})
    assert (listed["id"], len(listed["result"]["tools"])) == ("list", 7)
    found = raw.call("search_claims", query="boats")
    assert [each["path"] for each in found["structuredContent"]["claims"]] == ["codex/economics/boats.md"]
    assert raw.call("approve_claim", id="1")["isError"] is True
    said = raw.call("search_claims", query="boats", limit=99)["content"][0]["text"]
    assert ("less than or equal to 20" in said, "http" in said) == (True, False)
    code, out, err = raw.end()
    assert (code, out) == (0, "")
    assert "Traceback" not in err


@real
def test_claims_that_another_process_approves_are_found_and_proposals_wait(kb: Base) -> None:
    raw = Raw(kb.root, "--propose")
    raw.begin()
    quote = "Large cities raise the productivity of workers because firms and people learn from one another."
    made = raw.call("propose_claim", title="Learning makes cities productive", source="notes", quote=quote)
    waits = made["structuredContent"]["id"]
    assert kb.git("log", "-1", "--format=%s") == "agent:raw: propose 1 claim from notes"
    assert len(raw.call("search_claims", query="cities")["structuredContent"]["claims"]) == 1
    done = subprocess.run([CODEX, "review", "--approve", waits, "--reviewer", "Ada <ada@example.org>"], cwd=kb.root,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    first = raw.call("search_claims", query="cities")["structuredContent"]["claims"][0]
    assert first["title"] == "Learning makes cities productive"
    decided = raw.call("read_claim", claim=first["path"])["structuredContent"]["decisions"]
    assert [(each["by"], each["proposer"]) for each in decided] == [("Ada <ada@example.org>", "agent:raw")]
    assert raw.end()[0] == 0
    assert kb.git("status", "--porcelain") == ""


def test_the_sdks_client_starts_it(kb: Base) -> None:
    async def work() -> Any:
        server = StdioServerParameters(command=CODEX, args=["mcp", "--kb", str(kb.root)])
        async with Client(server) as client:
            return await client.call_tool("read_source", {"source": "notes", "end": 20})

    assert "Prediction" in asyncio.run(work()).structured_content["text"]


def test_an_interrupt_ends_it(begun: Raw) -> None:
    begun.process.send_signal(signal.SIGINT)
    assert begun.process.stderr
    assert "interrupted" in begun.process.stderr.read()
    assert begun.process.wait(timeout=60) == 130


def test_it_ends_quietly_when_who_started_it_is_gone(begun: Raw) -> None:
    assert begun.process.stdout
    begun.process.stdout.close()
    begun.send({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    begun.process.stdout = None
    assert begun.end() == (0, None, "")


def test_it_starts_in_a_knowledge_base_alone(run: Callable[..., Run], tmp_path: Path) -> None:
    for arguments in (["mcp"], ["mcp", "--kb", str(tmp_path)], ["mcp", "--http"]):
        done = run(*arguments, cwd=tmp_path)
        assert (done.code, done.out) == (2, "")
        assert "codex.toml" in done.err
        assert "→" in done.err


def test_without_its_extra_it_says_what_to_install(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = kb.run("mcp")
    assert (done.code, "pip install 'codex-kb[mcp]'" in done.err) == (2, True)


def test_a_port_is_for_http(kb: Base) -> None:
    assert kb.run("mcp", "--port", "8000").code == 2


# -- HTTP ------------------------------------------------------------------------------------------


class Served:
    """A server over HTTP, with the address and token that it printed."""

    def __init__(self, root: Path) -> None:
        self.process = subprocess.Popen([CODEX, "-q", "mcp", "--http"], cwd=root, text=True, stderr=subprocess.PIPE,
                                        stdout=subprocess.PIPE)  # fmt: skip
        assert self.process.stderr
        self.url = self.process.stderr.readline().strip()
        self.bearer = self.process.stderr.readline().strip().removeprefix("Authorization: ")
        self.port = int(re.fullmatch(r"http://127\.0\.0\.1:(\d+)/mcp", self.url)[1])  # type: ignore[index]

    def ask(self, method: str = "POST", session: str = "", message: Any = None, **headers: str) -> tuple[int, str, str]:
        """The status, the session and the text of an answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {
            "Accept": "application/json, text/event-stream", "Content-Type": "application/json",
            "Authorization": self.bearer, **({"Mcp-Session-Id": session} if session else {}), **headers,
        }  # fmt: skip
        connection.request(method, "/mcp", json.dumps(message) if message else None, sent)
        answer = connection.getresponse()
        found = answer.status, answer.headers.get("Mcp-Session-Id", ""), answer.read().decode()
        connection.close()
        return found


def test_the_sdks_client_speaks_with_it_over_http(served: Served) -> None:
    async def work() -> Any:
        async with (
            httpx2.AsyncClient(headers={"Authorization": served.bearer}) as http,
            Client(streamable_http_client(served.url, http_client=http)) as client,
        ):
            return await client.call_tool("read_source", {"source": "notes", "end": 20})

    assert "Prediction" in asyncio.run(work()).structured_content["text"]


@pytest.fixture
def served(kb: Base) -> Iterator[Served]:
    running = Served(kb.root)
    yield running
    running.process.kill()
    running.process.communicate()


def test_who_knows_the_token_is_answered(served: Served) -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}
    status, session, _ = served.ask(message=hello)
    assert status == 200
    assert served.ask(session=session, message={"jsonrpc": "2.0", "method": "notifications/initialized"})[0] == 202
    read = {"name": "read_source", "arguments": {"source": "notes", "end": 20}}
    status, _, said = served.ask(session=session, message={"jsonrpc": "2.0", "id": 2, "method": "tools/call",
                                                           "params": read})  # fmt: skip
    assert (status, "Prediction" in said) == (200, True)
    served.process.send_signal(signal.SIGINT)
    out, err = served.process.communicate(timeout=60)
    assert (served.process.returncode, out) == (130, "")
    assert served.bearer.split()[1] not in err, "it is printed once"


def test_others_are_turned_away(served: Served) -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}
    token = served.bearer.split()[1]
    hosts = ("evil.example", f"evil.example:{served.port}", "127.0.0.1", "127.0.0.1:1", f"0.0.0.0:{served.port}")
    origins = ("http://evil.example", "null", f"https://127.0.0.1:{served.port}", "http://localhost:1")
    for method in ("POST", "GET", "DELETE", "OPTIONS"):
        for wrong in ("", token, "Bearer", "Bearer x", f"Bearer {token[:-1]}", f"Bearer {token}x", "Bearer \xe9"):
            assert served.ask(method, message=hello, Authorization=wrong)[0] == 401
        for host in hosts:
            assert served.ask(method, message=hello, Host=host)[0] == 421
        for origin in origins:
            assert served.ask(method, message=hello, Origin=origin)[0] == 403


def test_a_port_that_is_taken_is_said(served: Served, kb: Base) -> None:
    done = kb.run("mcp", "--http", "--port", str(served.port))
    assert (done.code, f"port {served.port}" in done.err) == (2, True)


# -- what docs/mcp.md says -------------------------------------------------------------------------


def masked(value: Any) -> Any:
    """An answer without what another machine or version would change."""
    return json.loads(re.sub(r"\b0\.\d\d+", "0.5", json.dumps(value)))


@real
def test_the_transcript(tmp_path: Path, clean_env: None) -> None:
    root = tmp_path / "kb"
    root.mkdir()
    for name in ("codex", "inbox", "schemas", "codex.toml"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, root / name)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    text = DOCS.read_text(encoding="utf-8")
    (block,) = re.findall(r"```jsonl\n(.*?)```", text, re.DOTALL)
    raw = Raw(root)
    lines = []
    for sent in (line for line in block.splitlines() if not line.startswith("← ")):
        message = json.loads(sent.removeprefix("→ "))
        lines.append(sent)
        if "id" in message:
            lines.append("← " + json.dumps(masked(raw.ask(message)), ensure_ascii=False))
        else:
            raw.send(message)
    assert raw.end()[0] == 0
    found = "\n".join(lines) + "\n"
    if os.environ.get("CODEX_SNAPSHOTS") == "write":
        DOCS.write_text(text.replace(block, found), encoding="utf-8")
        return
    assert found == block


def test_the_tools_listed_are_the_tools(kb: Base) -> None:
    raw = Raw(kb.root, "--propose")
    raw.begin()
    tools = raw.ask({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})["result"]["tools"]
    raw.end()
    listed = re.findall(r"^\| `(\w+)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == [tool["name"] for tool in tools]


def test_the_settings_for_clients_are_json(run: Callable[..., Run]) -> None:
    blocks = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        (servers,) = json.loads(block).values()
        assert "codex" in servers
