"""The page of a knowledge base, served on a real port of this machine, and who asks it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from codex_kb.kb import KnowledgeBase
from codex_kb.web.room import Room
from codex_kb.web.server import made, taken

REVIEWER = "Rita Reviewer <rita@example.org>"
_SAME = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}


class Answer(NamedTuple):
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Served:
    """A server in a thread; asks with the session's cookie once it was opened."""

    def __init__(self, root: Path, *sources: str) -> None:
        self.room = Room(KnowledgeBase(root), REVIEWER, sources)
        self._listening = taken()
        self.port = self._listening.getsockname()[1]
        self._server, self.url = made(self.room, self._listening)
        self._thread = threading.Thread(target=self._server.run, args=([self._listening],))
        self._thread.start()
        self.cookie = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listening.close()
        self.room.close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, headers: Mapping[str, str] = {}, body: bytes | None = None) -> Answer:
        """One request, as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        given = {name: value for name, value in {"Cookie": self.cookie, **headers}.items() if value}
        connection.request(method, path, body, given)
        with connection.getresponse() as response:
            answer = Answer(response.status, dict(response.getheaders()), response.read())
        connection.close()
        return answer

    def open(self) -> Answer:
        """Exchange the token for the cookie."""
        answer = self.ask("GET", self.url.removeprefix(self.address))
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, {name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, what: str, value: object, headers: Mapping[str, str] = _SAME) -> Answer:
        return self.ask("POST", f"/api/{what}", headers, json.dumps(value).encode())

    def mark(self, name: str, id_: str, mark: str, **fields: str) -> Answer:
        """Mark a proposal as it stands now."""
        seen = self.room.desk.item(name, id_).version
        return self.post("mark", {"name": name, "items": [{"id": id_, "seen": seen}], "mark": mark, "fields": fields})


#: Runs `codex ARGS…` with the fake encoder.
CHILD = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import codex_kb.encoders.model
from conftest import FakeEncoder
codex_kb.encoders.model.load = FakeEncoder
from codex_kb.cli import main
main()
"""


class Program:
    """`codex review --web` as a process of its own."""

    def __init__(self, root: Path, *arguments: str, env: Mapping[str, str] = {}) -> None:
        command = [sys.executable, "-c", CHILD, str(Path(__file__).parent), "review", "--web", *arguments]
        self._process = subprocess.Popen(command, cwd=root, env={**os.environ, **env}, text=True,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        assert self._process.stdout
        self.url = self._process.stdout.readline().rstrip("\n")

    def ended(self, by: signal.Signals | None = signal.SIGINT) -> tuple[int, str, str]:
        """End it with a signal, or wait for its end: exit code, further output, errors."""
        if by is not None:
            self._process.send_signal(by)
        out, err = self._process.communicate(timeout=30)
        return self._process.returncode, out, err
