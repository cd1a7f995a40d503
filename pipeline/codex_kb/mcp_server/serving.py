"""The server on its two transports: standard input and output, or HTTP on this machine alone."""

from __future__ import annotations

import hmac
import os
import secrets
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from codex_kb.errors import UsageError
from codex_kb.mcp_server.server import Door

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_HOST = "127.0.0.1"
_PATH = "/mcp"
_INTERRUPTED = 130


def over_stdio(server: MCPServer, door: Door, say: Callable[[str], None]) -> None:
    """Serve until standard input closes. An interrupt ends the process, when what is being written is written."""

    def leave(*_: object) -> NoReturn:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # who cannot wait asks twice
        # The thread that waits for input cannot be woken.
        door.close()
        say("interrupted; nothing is lost")
        os._exit(_INTERRUPTED)

    before = signal.signal(signal.SIGINT, leave)
    try:
        server.run("stdio")
    except* BrokenPipeError:  # who started it is gone
        pass
    finally:
        signal.signal(signal.SIGINT, before)


def over_http(server: MCPServer, port: int, say: Callable[[str], None]) -> None:
    """Serve on 127.0.0.1 until an interrupt, for who knows the token; port 0 is any that is free.

    Raises:
        UsageError: the port cannot be had.
        KeyboardInterrupt: when it ends.
    """
    import uvicorn  # noqa: PLC0415

    with socket.socket() as listening:
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((_HOST, port))
            listening.listen()  # who reads the address may ask at once
        except OSError as error:
            raise UsageError(f"port {port}: {error.strerror}", hint="--port names another") from error
        port = listening.getsockname()[1]
        token = secrets.token_urlsafe(32)
        hosts = [f"{name}:{port}" for name in (_HOST, "localhost")]
        security = TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=[f"http://{host}" for host in hosts])
        app = server.streamable_http_app(streamable_http_path=_PATH, transport_security=security)
        config = uvicorn.Config(OnlyWithToken(app, token), log_level="error", lifespan="on",
                                timeout_graceful_shutdown=1, server_header=False)  # fmt: skip
        say(f"http://{_HOST}:{port}{_PATH}\nAuthorization: Bearer {token}")
        uvicorn.Server(config).run(sockets=[listening])


class OnlyWithToken:
    """Lets requests through that carry the token, compared in constant time; the others get 401."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._wanted = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the app's start and end."""
        if scope["type"] == "lifespan" or self._allowed(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        answer = PlainTextResponse("no token, or not the one that was printed", 401, {"WWW-Authenticate": "Bearer"})
        await answer(scope, receive, send)

    def _allowed(self, headers: Headers) -> bool:
        return hmac.compare_digest(headers.get("authorization", "").encode(), self._wanted)
