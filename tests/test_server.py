"""`codex review --web` as a program: the URL it prints, the browser it opens, how it ends."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conftest import Base
from served import Program


def opened(url: str) -> tuple[int, str]:
    """What the URL answers: status, and where it leads."""
    where = urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(str(where.hostname), where.port, timeout=30)) as connection:
        connection.request("GET", f"{where.path}?{where.query}")
        with connection.getresponse() as answer:
            return answer.status, answer.headers["location"]


def test_the_url_stands_alone_on_the_first_line_and_ctrl_c_ends_it(kb: Base) -> None:
    kb.ingest()
    kb.mark("x", count=2)
    program = Program(kb.root, "--no-browser")
    where = urlsplit(program.url)
    assert (where.scheme, where.hostname, where.path) == ("http", "127.0.0.1", "/")
    assert opened(program.url) == (303, "/")
    code, out, err = program.ended()
    assert (code, out) == (0, "")
    assert "2 marks in 1 source not applied yet. next: codex review --apply" in err
    assert "Traceback" not in err


def test_it_listens_on_this_machine_alone(kb: Base) -> None:
    kb.ingest()
    program = Program(kb.root, "--no-browser")
    port = urlsplit(program.url).port
    mine = {each[4][0] for each in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)} - {"127.0.0.1"}
    for address in mine | {"127.0.0.2"}:
        with socket.socket() as other:
            other.settimeout(2)
            assert other.connect_ex((address, port)) != 0
    program.ended()


def test_the_port_is_that_of_last_time_where_it_is_free(kb: Base) -> None:
    kb.ingest()
    first = Program(kb.root, "--no-browser")
    second = Program(kb.root, "--no-browser")
    ports = [urlsplit(each.url).port for each in (first, second)]
    assert ports[0] != ports[1]
    second.ended(signal.SIGKILL)
    again = Program(kb.root, "--no-browser")
    assert urlsplit(again.url).port == ports[1]
    assert again.url != second.url
    again.ended()
    first.ended()


def test_a_port_that_is_taken_is_said(kb: Base) -> None:
    kb.ingest()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, _, err = Program(kb.root, "--no-browser", "--port", str(port)).ended(None)
        assert (code, f"port {port} is not free" in err) == (2, True)


def test_the_browser_is_given_a_file_without_the_token_in_its_name(kb: Base, tmp_path: Path) -> None:
    kb.ingest()
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nf="${{1#file://}}"\n{{ echo "$1"; stat -c %a "$(dirname "$f")"; cat "$f"; }} '
                       f'> {tmp_path}/part && mv {tmp_path}/part {tmp_path}/opened\n')  # fmt: skip
    browser.chmod(0o755)
    program = Program(kb.root, env={"BROWSER": f"{browser} %s"})
    seen = tmp_path / "opened"
    while not seen.exists():
        time.sleep(0.02)
    named, mode, page = seen.read_text().split("\n", 2)
    assert "token" not in named
    assert mode == "700"
    assert program.url in page
    program.ended()
    assert not Path(named.removeprefix("file://")).exists()


def test_options_that_do_not_go_together_are_refused(kb: Base) -> None:
    kb.ingest()
    for arguments in (["--port", "8000"], ["--no-browser"], ["--web", "--apply"], ["--web", "--approve", "x"],
                      ["--web", "--port", "70000"]):  # fmt: skip
        assert kb.run("review", *arguments).code == 2
    assert kb.run("review", "--web", "nothing").code == 3


def test_what_is_not_installed_is_said_with_its_install_line(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "uvicorn" else found(name))
    done = kb.run("review", "--web", "--no-browser")
    assert done.code == 2
    assert "the page needs uvicorn" in done.err
    assert "pip install 'codex-kb[web]'" in done.err
