"""Who may talk to the page: one browser, with the printed URL, under the page's own name. docs/security.md says why."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Bytes of a write at most.
LIMIT = 256_000
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_LOCKED = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<meta name="viewport" content="width=device-width"><title>codex: not open here</title>
<main><h1>Not open in this browser</h1>
<p>Open the whole URL that <code>codex review --web</code> printed. It opens once: to open another browser, start the
command again.</p><p>If you have just opened it from another program: <a href="/">go on</a>.</p></main></html>"""


class Guard:
    """Lets through what the one reviewer's browser asks, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._cookie = f"codex-{port}"
        self._session = secrets.token_urlsafe(32)
        self._token = secrets.token_urlsafe(32)
        self._used = False
        self.url = f"http://127.0.0.1:{port}/?token={self._token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        answer = self._refused(scope)
        await (answer or self._app)(scope, receive, with_headers)

    def _refused(self, scope: Scope) -> Response | None:
        """The answer to a request that goes no further; None for one that does."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return HTMLResponse("Misdirected: this page has another name.\n", 421)
        reading = scope["method"] in ("GET", "HEAD")
        if reading and _from_elsewhere(headers):
            return HTMLResponse("Only this page itself may ask for that.\n", 403)
        known = self._is_known(headers)
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["method"] == "GET" and scope["path"] == "/" and token:
            return self._exchanged(token, known)
        if not known:
            return _not_open(headers) if reading else _unwritten("the session has ended", 403)
        return None if reading else _unwelcome(headers, hosts[0], scope["method"])

    def _is_known(self, headers: Headers) -> bool:
        """Does the request carry the session's cookie?"""
        cookies = cookie_parser(headers.get("cookie", ""))
        return _same(cookies.get(self._cookie, ""), self._session)

    def _exchanged(self, token: str, known: bool) -> Response:
        """The token for the cookie, once; who has the cookie needs no token."""
        if known:
            return RedirectResponse("/", 303)
        if not _same(token, self._token) or self._used:
            return HTMLResponse(_LOCKED, 403)
        self._used = True
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, self._session, httponly=True, samesite="strict", path="/")
        return answer


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="replace"), other.encode())


def _from_elsewhere(headers: Headers) -> bool:
    """Does another page ask for more than to be followed here?"""
    site = headers.get("sec-fetch-site", "none")
    if site in ("none", "same-origin"):
        return False
    return headers.get("sec-fetch-mode") != "navigate" or headers.get("sec-fetch-dest") != "document"


def _not_open(headers: Headers) -> Response:
    """Without the cookie. Browsers keep it back where another program opened the URL: then the page asks once more."""
    again = {"Refresh": "0; url=/"} if headers.get("sec-fetch-site") in ("cross-site", "same-site") else {}
    return HTMLResponse(_LOCKED, 403, again)


def _unwelcome(headers: Headers, host: str, method: str) -> Response | None:
    """The answer to a write that another page may have sent."""
    if method != "POST":
        return _unwritten("no such way to write", 405)
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _unwritten("a write is JSON", 403)
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if (site or "same-origin") != "same-origin" or (origin or f"http://{host}") != f"http://{host}":
        return _unwritten("only this page itself may write", 403)
    if site is None and origin is None:
        return _unwritten("only this page itself may write", 403)
    if not headers.get("content-length", "0").isdecimal() or int(headers.get("content-length", "0")) > LIMIT:
        return _unwritten("more than this page would send", 413)
    return None


def _unwritten(message: str, status: int) -> Response:
    hint = "open the URL that codex review --web prints" if status == 403 else ""
    return JSONResponse({"error": {"code": "refused", "message": message, "hint": hint}}, status)
