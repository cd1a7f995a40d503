"""The server of `codex review --web`: one socket on this machine, until Ctrl-C."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

import uvicorn

from codex_kb.disk import ports
from codex_kb.errors import UsageError
from codex_kb.web.app import app
from codex_kb.web.guard import Guard
from codex_kb.web.room import Room

_SECONDS = 3


def serve(room: Room, port: int | None, ready: Callable[[str], None]) -> None:
    """Answer until Ctrl-C. `ready` is told the URL, token and all, once the port is taken.

    Without a port the one that this knowledge base had last, so that what a page still had to send finds it again.

    Raises:
        UsageError: the port is not free.
    """
    root = room.kb.layout.root
    with contextlib.closing(taken(port, ports.last(root))) as listening:
        ports.keep(root, listening.getsockname()[1])
        server, url = made(room, listening)
        ready(url)
        with contextlib.suppress(KeyboardInterrupt):
            server.run([listening])


def made(room: Room, listening: socket.socket) -> tuple[uvicorn.Server, str]:
    """What answers at a listening socket, and the URL that opens it once."""
    guard = Guard(app(room), listening.getsockname()[1])
    settings = uvicorn.Config(
        guard, log_config=None, access_log=False, lifespan="off", ws="none", http="h11", loop="asyncio",
        server_header=False, proxy_headers=False, timeout_graceful_shutdown=_SECONDS,
    )  # fmt: skip
    return uvicorn.Server(settings), guard.url


@contextlib.contextmanager
def in_browser() -> Iterator[Callable[[str], bool]]:
    """What opens a URL in the user's browser; False where there is none.

    The browser is given a file that only this user may read and that leads there: others see what programs are
    started with.
    """
    with tempfile.TemporaryDirectory(prefix="codex-") as folder:

        def opened(url: str) -> bool:
            page = Path(folder) / "open.html"
            page.write_text(f'<!doctype html><meta http-equiv="refresh" content="0; url={escape(url)}">')
            return webbrowser.open(page.as_uri())

        yield opened


def taken(port: int | None = None, last: int = 0) -> socket.socket:
    """A listening socket at the port; without one at the last, or any that is free. Raises UsageError."""
    for each in [port] if port else [last, 0] if last else [0]:
        found = socket.socket()
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind(("127.0.0.1", each))
            found.listen()
            return found
        except OSError as error:
            found.close()
            failed = error
    raise UsageError(f"port {port} is not free: {failed.strerror}", hint="name another --port, or none")
