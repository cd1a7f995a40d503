"""Who may talk to the page: each rule of docs/security.md, tried on a real port."""

from __future__ import annotations

import re

import pytest

from codex_kb.web.guard import LIMIT
from conftest import Base
from served import Served

JSON = {"Content-Type": "application/json"}


def test_the_printed_url_opens_the_page_once(served: Served, kb: Base) -> None:
    with Served(kb.root) as other:
        answer = other.open()
        assert (answer.status, answer.headers["location"]) == (303, "/")
        assert re.fullmatch(rf"codex-{other.port}=\S{{43}}; HttpOnly; Path=/; SameSite=strict",
                            answer.headers["set-cookie"])  # fmt: skip
        assert other.get("/").status == 200
        cookie, other.cookie = other.cookie, ""
        again = other.get(other.url.removeprefix(other.address))
        assert again.status == 403
        assert "set-cookie" not in again.headers
        other.cookie = cookie
        assert other.get(other.url.removeprefix(other.address)).status == 303


@pytest.mark.parametrize("cookie", ["", "codex=1", "codex-{port}=", "codex-{port}=x", "codex-{port}=\u00e9"])
def test_without_the_cookie_nothing_is_shown_or_written(served: Served, kb: Base, cookie: str) -> None:
    served.cookie = cookie.format(port=served.port)
    before = kb.snapshot()
    for path in ("/", "/review/notes", "/static/style.css", "/nowhere"):
        answer = served.get(path)
        assert answer.status == 403
        assert "codex review --web" in answer.text
    assert served.post("apply", {"name": "notes", "seen": ""}).status == 403
    assert kb.snapshot() == before


def test_a_wrong_token_opens_nothing(served: Served) -> None:
    served.cookie = ""
    assert served.get("/?token=x").status == 403
    assert served.get("/?token=%C3%A9").status == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "localhost:1", "127.0.0.1:{port}.evil.example", "[::1]:{port}"]
)
def test_a_page_under_another_name_gets_nothing(served: Served, host: str) -> None:
    assert served.get("/", Host=host.format(port=served.port)).status == 421
    assert served.get("/", Host=f"localhost:{served.port}").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        JSON,
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "Content-Type": "text/plain"},
        {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"},
        JSON | {"Sec-Fetch-Site": "same-site"},
        JSON | {"Sec-Fetch-Site": "cross-site"},
        JSON | {"Sec-Fetch-Site": "none"},
        JSON | {"Origin": "http://127.0.0.1:{other}"},
        JSON | {"Origin": "https://127.0.0.1:{port}"},
        JSON | {"Origin": "http://localhost:{port}"},
        JSON | {"Origin": "null"},
        JSON | {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"},
    ],
)
def test_another_page_cannot_write(served: Served, kb: Base, headers: dict[str, str]) -> None:
    named = {name: value.format(port=served.port, other=served.port - 1) for name, value in headers.items()}
    before = kb.snapshot()
    (name, id_), *_ = served.room.desk.queue()
    asked = {"name": name, "items": [{"id": id_, "seen": ""}], "mark": "approve"}
    assert served.post("mark", asked, named).status == 403
    assert kb.snapshot() == before
    assert served.post("mark", asked, JSON | {"Origin": served.address}).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200),
    ],
)
def test_another_page_can_lead_here_and_no_more(served: Served, headers: dict[str, str], status: int) -> None:
    assert served.ask("GET", "/", headers).status == status


def test_every_answer_has_the_headers(served: Served) -> None:
    pages = [served.get(path) for path in ("/", "/review/notes", "/static/page.js", "/nowhere", "/claim/none.md")]
    refused = served.get("/", Host="evil.example")
    written = served.post("nothing", {})
    served.cookie = ""
    for answer in [*pages, refused, written, served.get("/")]:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "server" not in answer.headers


def test_nothing_is_written_inline(served: Served) -> None:
    for path in ("/", "/review/notes", "/preview/notes", "/search?q=towns", "/decided?of=inbox/notes.md"):
        page = served.get(path).text
        assert not re.search(r"<script(?! type=\"module\" src=\"/static/)|<style| style=| on[a-z]+=|javascript:", page)


def test_a_body_that_is_too_big_is_refused(served: Served) -> None:
    assert served.post("mark", {"name": "x" * LIMIT}).status == 413
    same = {"Sec-Fetch-Site": "same-origin", **JSON}
    assert served.ask("POST", "/api/mark", same | {"Content-Length": "x"}, b"{}").status in (400, 413)
    chunks = served.ask("POST", "/api/mark", same | {"Transfer-Encoding": "chunked"},
                        b"%x\r\n%s\r\n0\r\n\r\n" % (LIMIT + 1, b"x" * (LIMIT + 1)))  # fmt: skip
    assert chunks.status == 400
    assert "more than" in chunks.json["error"]["message"]


def test_other_ways_to_write_are_none(served: Served) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        assert served.ask(method, "/api/mark", JSON, b"{}").status == 405
    assert served.ask("GET", "/api/mark").status == 405
    assert served.ask("HEAD", "/").status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/", "/static/../app.py", "/static/..%2fapp.py", "/static/app.py", "/inbox/notes.md",
        "/<script>alert(1)</script>", "/review/%3Cscript%3E", "/item/notes/%3Cscript%3E",
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_and_nothing_is_listed(served: Served, path: str) -> None:
    answer = served.get(path)
    assert answer.status == 404
    assert "<script>alert" not in answer.text
    assert "import " not in answer.text
