"""Addresses and what answers them; every failure is a page or JSON that says what to do next."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from codex_kb import views
from codex_kb.errors import Changed, CodexError, Conflict, NotFound, RefusedFile, UsageError, WriteFailed
from codex_kb.text import json_of_others
from codex_kb.web import pages
from codex_kb.web.guard import LIMIT
from codex_kb.web.room import Room
from codex_kb.web.writes import WRITES

_STATUS = ((Changed, 409), (Conflict, 423), (NotFound, 404), (UsageError, 400), (RefusedFile, 400), (WriteFailed, 507))
_KINDS = {"css": "text/css", "js": "text/javascript"}
_FILES = ("style.css", "review.js", "missed.js", "unsent.js", "keys.js", "page.js")

Endpoint = Callable[[Request], Awaitable[Response]]


def app(room: Room) -> Starlette:
    """The pages of one knowledge base. Who may see them is the guard's to say."""
    files = {name: resources.files(__package__).joinpath("static", name).read_bytes() for name in _FILES}

    async def page(request: Request, make: Callable[[Room, Request], str]) -> Response:
        return HTMLResponse(await room.do(lambda here: make(here, request)))

    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in files:
            raise NotFound("there is no such page")
        return Response(files[name], media_type=_KINDS[name.rpartition(".")[2]])

    async def write(request: Request) -> Response:
        work = WRITES.get(request.path_params["what"])
        if work is None:
            raise NotFound("there is no such page")
        asked = await _body(request)
        return JSONResponse(await room.do(lambda here: work(here, asked)))

    def get(path: str, make: Callable[[Room, Request], str]) -> Route:
        return Route(path, _safely(room, partial(page, make=make)), methods=["GET"])

    return Starlette(
        routes=[
            get("/", lambda here, asked: pages.of_queue(here, asked.query_params)),
            get("/review/{name}", lambda here, asked: pages.of_review(here, _name(asked), asked.query_params)),
            get("/item/{name}/{id}", lambda here, asked: pages.of_item(here, _name(asked), asked.path_params["id"])),
            get("/preview/{name}", lambda here, asked: pages.of_preview(here, _name(asked), asked.query_params)),
            get("/decided", lambda here, asked: pages.of_decided(here, asked.query_params)),
            get("/search", lambda here, asked: pages.of_search(here, asked.query_params)),
            get("/claim/{path:path}", lambda here, asked: pages.of_claim(here, asked.path_params["path"])),
            Route("/static/{name}", _safely(room, static), methods=["GET"]),
            Route("/api/{what}", _safely(room, write), methods=["POST"]),
        ],
        exception_handlers={HTTPException: partial(_unknown, room)},
    )


def _name(asked: Request) -> str:
    return str(asked.path_params["name"])


def _safely(room: Room, endpoint: Endpoint) -> Endpoint:
    """The endpoint, with every failure as an answer."""
    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except CodexError as error:
            return _failed(room, request, error)
        except Exception as error:
            fault = CodexError(f"a fault of ours: {type(error).__name__}: {error}", hint="please report it")
            room.kb.say(str(fault))
            return _failed(room, request, fault)

    return answered


async def _unknown(room: Room, request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _failed(room, request, NotFound("there is no such page"), status)


def _failed(room: Room, request: Request, error: CodexError, status: int = 0) -> Response:
    status = status or next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    if request.method == "POST":
        return JSONResponse(views.error(error), status)
    return HTMLResponse(pages.rendered("error.html", room, error=error), status)


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object of a write.

    Raises:
        UsageError: it is none, or too long.
    """
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > LIMIT:
            raise UsageError("more than this page would send")
    value = None
    with contextlib.suppress(ValueError):
        value = json_of_others.read(bytes(data))
    if not isinstance(value, dict):
        raise UsageError("a write is one JSON object")
    return value
