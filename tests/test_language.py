"""Hosted language models, over real sockets, with a server that misbehaves."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from codex_kb import language
from codex_kb.errors import ModelError, UsageError
from codex_kb.language import background, keys, retry
from codex_kb.records import Answer, Prompt
from model_server import (
    ModelServer,
    Reply,
    cut,
    drop,
    filtered,
    length,
    not_json,
    ok,
    refusal,
    slow,
    status,
    wrong_schema,
)

SCHEMA = {
    "type": "object",
    "properties": {"claims": {"type": "array", "items": {"type": "string", "maxLength": 30}, "maxItems": 3}},
    "required": ["claims"],
    "additionalProperties": False,
}
PROMPT = Prompt("You read notes.", "What do they say?", SCHEMA, 300)
GOOD = '{"claims": ["towns grow"]}'
KEY = "sk-secret-0123456789abcdef"
VARIABLES = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "OLLAMA_API_KEY",
             "OLLAMA_BASE_URL", "CODEX_MODEL_KEY")  # fmt: skip


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def hosted() -> Any:
    """The module of hosted models, where its packages are installed."""
    pytest.importorskip("pydantic_ai", reason="the extra llm is not installed")
    from codex_kb.language import hosted  # noqa: PLC0415

    return hosted


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits between tries, which are not waited."""
    slept: list[float] = []

    async def nap(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(retry, "sleep", nap)
    return slept


def model(server: ModelServer, hosted: Any, **more: Any) -> Any:
    """The model behind the server."""
    from codex_kb.language import doors  # noqa: PLC0415

    return hosted.HostedModel(doors.open_door("openai", f"tiny@{server.url}"), **more)


def failure(server: ModelServer, hosted: Any, **more: Any) -> ModelError:
    """How a question fails."""
    with pytest.raises(ModelError) as failed:
        model(server, hosted, **more).ask(PROMPT)
    return failed.value


# -- names and keys ------------------------------------------------------------------------------


def test_kinds() -> None:
    assert language.kinds() == ("anthropic", "google", "local", "ollama", "openai")
    assert language.knows("openai:gpt-5-mini")
    assert not language.knows("extractive")
    assert not language.knows("")
    with pytest.raises(UsageError, match="there is no kind of model 'gpt'") as failed:
        language.load("gpt:5")
    assert "openai:NAME" in failed.value.hint


@pytest.mark.parametrize("kind", ["anthropic", "openai", "google", "ollama"])
def test_missing_extra(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="more packages") as failed:
        language.load(f"{kind}:some")
    assert failed.value.hint == "pip install 'codex-kb[llm]'"


def test_missing_extra_of_one_service(hosted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setitem(__import__("sys").modules, "pydantic_ai.models.anthropic", None)
    with pytest.raises(UsageError, match="more packages"):
        language.load("anthropic:claude")


@pytest.mark.parametrize(
    ("name", "variable"),
    [("anthropic:c", "ANTHROPIC_API_KEY"), ("openai:g", "OPENAI_API_KEY"), ("google:g", "GEMINI_API_KEY")],
)
def test_missing_key_is_named(hosted: Any, name: str, variable: str) -> None:
    with pytest.raises(UsageError, match=f"{variable}.* is not set"):
        language.load(name)


def test_what_is_no_key(hosted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret\nX-Other: 1")
    with pytest.raises(UsageError, match="OPENAI_API_KEY holds something that is no key") as failed:
        language.load("openai:gpt-5-mini")
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize("url", ["http://", "https://user:pw-in-address@host/v1", "http://h/v1?key=pw-in-address",
                                 "http://h:99999999/v1", "http://[::1/v1"])  # fmt: skip
def test_bad_addresses(hosted: Any, url: str) -> None:
    with pytest.raises(UsageError, match="address") as failed:
        language.load(f"openai:tiny@{url}")
    assert "pw-in-address" not in f"{failed.value} {failed.value.hint}"


@pytest.mark.parametrize("name", ["openai:", "openai:a b", "openai:a\nb", "anthropic:", "openai:@http://h/v1"])
def test_bad_names(hosted: Any, name: str) -> None:
    with pytest.raises(UsageError, match="followed by a model's name"):
        language.load(name)


def test_names_hold_no_address_and_no_path(hosted: Any) -> None:
    assert language.load("openai:org/tiny@http://localhost:1/v1").name == "openai:org/tiny"
    assert language.load("openai:/home/ann/tiny.gguf@http://localhost:1").name == "openai:tiny.gguf"
    assert language.load("openai:a@b@http://localhost:1").name == "openai:a@b"
    assert language.load("ollama:llama3.2").name == "ollama:llama3.2"


def test_a_service_s_key_goes_to_its_own_address_only(hosted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in {
        "OPENAI_API_KEY": KEY, "OPENAI_ORG_ID": "org-own", "OPENAI_PROJECT_ID": "project-own",
        "OPENAI_CUSTOM_HEADERS": f"Authorization: Bearer {KEY}\nX-Own: header-own",
    }.items():  # fmt: skip
        monkeypatch.setenv(variable, value)
    with ModelServer([ok(GOOD)]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OLLAMA_BASE_URL", server.root)
        language.load(f"openai:tiny@{server.url}").ask(PROMPT)
        language.load("ollama:tiny").ask(PROMPT)
        assert [request["headers"]["authorization"] for request in server.requests] == ["Bearer none"] * 2
        monkeypatch.setenv("CODEX_MODEL_KEY", "own-key-of-the-server")
        language.load(f"openai:tiny@{server.url}").ask(PROMPT)
        assert server.requests[-1]["headers"]["authorization"] == "Bearer own-key-of-the-server"
        sent = json.dumps([[request["headers"], request["body"]] for request in server.requests])
        assert {request["headers"]["connection"] for request in server.requests} == {"close"}
        assert KEY not in sent
        assert '-own"' not in sent
        assert language.load("openai:gpt-5-mini")._door.place == "api.openai.com"  # type: ignore[attr-defined]


# -- answers -------------------------------------------------------------------------------------


def test_answer(hosted: Any) -> None:
    with ModelServer([ok(GOOD, 120, 30)]) as server:
        asked = model(server, hosted)
        assert asked.ask(PROMPT) == Answer(GOOD, 120, 30, None)
        assert (asked.name, asked.context_tokens, asked.at_once) == ("openai:tiny", 8192, 0)
        body = server.requests[0]["body"]
        assert [message["content"] for message in body["messages"]] == [PROMPT.system, PROMPT.user]
        assert (body["temperature"], body["max_tokens"]) == (0, 300)
        assert body["response_format"]["json_schema"]["schema"] == SCHEMA
        assert "tools" not in body
        assert server.paid == {PROMPT.user: 1}


@pytest.mark.parametrize("text", ["no JSON at all", wrong_schema().text, '```json\n{"claims": []}\n```'])
def test_text_is_not_judged(hosted: Any, text: str) -> None:
    with ModelServer([ok(text)]) as server:
        assert model(server, hosted).ask(PROMPT).text == text


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("anthropic:claude-haiku-4-5", "ANTHROPIC_API_KEY"), ("anthropic:claude-3-haiku-20240307", "ANTHROPIC_API_KEY"),
        ("openai:gpt-4o-mini", "OPENAI_API_KEY"), ("google:gemini-2.5-flash", "GOOGLE_API_KEY"),
        ("ollama:llama3.2", "OLLAMA_API_KEY"), ("ollama:gpt-oss:20b-cloud", "OLLAMA_API_KEY"),
    ],
)  # fmt: skip
def test_every_service(
    hosted: Any, monkeypatch: pytest.MonkeyPatch, naps: list[float], name: str, variable: str
) -> None:
    from codex_kb.language import doors  # noqa: PLC0415

    replies = [status(503), ok(GOOD), refusal(), length(), status(401, body=json.dumps({"error": {"message": KEY}}))]
    with ModelServer(replies) as server:
        monkeypatch.setitem(doors.ADDRESSES, "openai", server.url)
        for kind in ("anthropic", "google"):
            monkeypatch.setitem(doors.ADDRESSES, kind, server.root)
        monkeypatch.setenv("OLLAMA_BASE_URL", server.root)
        monkeypatch.setenv(variable, KEY)
        asked = language.load(name)
        assert asked.name == name
        answer = asked.ask(PROMPT)
        assert (answer.text, answer.input_tokens, answer.output_tokens, len(naps)) == (GOOD, 10, 5, 1)
        kinds = []
        for _ in range(3):
            with pytest.raises(ModelError) as failed:
                asked.ask(PROMPT)
            kinds.append(failed.value.kind)
            assert KEY not in everything(failed.value)
        assert kinds == ["refusal", "truncated", "rejected"]
        assert server.count == 5
        sent = server.requests[0]
        assert "claims" in json.dumps(sent["body"])
        assert "maxLength" in json.dumps(sent["body"])
        assert KEY not in sent["path"]


def test_temperature_is_left_out_where_it_is_rejected(hosted: Any, naps: list[float]) -> None:
    def answer(body: dict[str, Any], number: int) -> Reply:
        if "temperature" in body:
            return status(400, body=json.dumps({"error": {"message": "Unsupported value: 'temperature'"}}))
        return ok(GOOD)

    with ModelServer(answer) as server:
        asked = model(server, hosted)
        assert asked.ask(PROMPT).text == GOOD
        assert asked.ask(PROMPT).text == GOOD
        assert server.count == 3
        assert naps == []


def test_a_model_thinks_as_little_as_it_can(hosted: Any, naps: list[float]) -> None:
    def answer(body: dict[str, Any], number: int) -> Reply:
        if body["model"] == "o3" and "reasoning_effort" in body:
            return status(400, body=json.dumps({"error": {"message": "Unknown parameter: 'reasoning_effort'"}}))
        return ok(GOOD)

    with ModelServer(answer) as server:
        for name, efforts in {"gpt-5-mini": ["minimal"], "o3": ["low", None], "qwen": [None]}.items():
            assert language.load(f"openai:{name}@{server.url}").ask(PROMPT).text == GOOD
            sent = [request["body"] for request in server.requests if request["body"]["model"] == name]
            assert [body.get("reasoning_effort") for body in sent] == efforts
    assert naps == []


@pytest.mark.parametrize(("code", "said"), [
    (400, "response_format is not supported"),
    (500, "1 validation error: {'loc': ('body', 'response_format', 'type'), 'msg': \"Input should be 'text'\"}"),
])  # fmt: skip
def test_schema_is_told_where_it_is_rejected(hosted: Any, naps: list[float], code: int, said: str) -> None:
    def answer(body: dict[str, Any], number: int) -> Reply:
        if "response_format" in body:
            return status(code, body=json.dumps({"error": {"message": said}}))
        return ok(GOOD)

    with ModelServer(answer) as server:
        assert model(server, hosted).ask(PROMPT).text == GOOD
        assert "additionalProperties" in server.requests[-1]["body"]["messages"][0]["content"]
    assert naps == []


def test_json_is_asked_for_where_only_its_schema_is_rejected(hosted: Any) -> None:
    def answer(body: dict[str, Any], number: int) -> Reply:
        if body["response_format"]["type"] == "json_schema":
            return status(500, body=json.dumps({"error": {"message": "'response_format', 'type': 'json_object'"}}))
        return ok(GOOD)

    with ModelServer(answer) as server:
        asked = language.load(f"openai:m@{server.url}")
        assert [asked.ask(PROMPT).text for _ in range(2)] == [GOOD, GOOD]
        sent = [request["body"] for request in server.requests]
        assert [body["response_format"]["type"] for body in sent] == ["json_schema", "json_object", "json_object"]
        assert "additionalProperties" in json.dumps(sent[-1]["messages"])


def test_a_rejection_that_stays_is_not_repeated(hosted: Any) -> None:
    with ModelServer([status(400, body=json.dumps({"error": {"message": "temperature too hot"}}))]) as server:
        assert failure(server, hosted).kind == "rejected"
        assert server.count == 2


def test_prices(hosted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert language.load("openai:gpt-4o-mini").price(1_000_000, 1_000_000) == pytest.approx(0.75)
    assert language.load("openai:gpt-4o-mini").context_tokens == 128_000
    assert language.load("openai:unheard-of").price(1, 1) is None
    assert language.load("openai:gpt-4o-mini@http://localhost:1").price(1, 1) is None
    assert language.load("ollama:llama3.2").price(1, 1) == 0
    assert language.load("ollama:gpt-oss:120b-cloud").price(1, 1) is None
    monkeypatch.setenv("OLLAMA_BASE_URL", "https://ollama.com/v1")
    assert language.load("ollama:gpt-oss").price(1, 1) is None


# -- failures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked_for", "least", "most"), [("0", 0, 0), ("1", 1, 1), ("3600", 60, 60), ("date", 5, 10)])
def test_busy(hosted: Any, naps: list[float], asked_for: str, least: float, most: float) -> None:
    if asked_for == "date":
        asked_for = format_datetime(datetime.now(UTC) + timedelta(seconds=10), usegmt=True)
    with ModelServer([status(429, {"Retry-After": asked_for}), ok(GOOD)]) as server:
        assert model(server, hosted).ask(PROMPT).text == GOOD
        assert server.count == 2
        (nap,) = naps
        assert least <= nap <= most


@pytest.mark.parametrize(
    "reply",
    [status(500), status(502, body="<html>"), status(503), status(504), status(529), status(408), status(409),
     status(429, {"Retry-After": "soon"}), drop(), cut(ok(GOOD)), not_json(), not_json('{"choices": []}'),
     not_json('{"error": {"code": 502}}'), not_json("null"), slow(5, ok(GOOD))],
    ids=lambda reply: f"{reply.status}{reply.broken}{reply.raw}{reply.wait}"[:30],
)  # fmt: skip
def test_what_passes_is_asked_again(hosted: Any, naps: list[float], reply: Reply) -> None:
    with ModelServer([reply, reply, ok(GOOD)]) as server:
        assert model(server, hosted, timeout=0.5).ask(PROMPT).text == GOOD
        assert server.count == 3
        assert server.most_at_once <= 3
        assert len(naps) == 2
        assert naps[0] <= 1
        assert naps[1] <= 2


@pytest.mark.parametrize("reply", [status(503), drop(), not_json(), slow(5, ok(GOOD)), cut(ok(GOOD))])
def test_what_does_not_pass(hosted: Any, naps: list[float], reply: Reply) -> None:
    with ModelServer([reply]) as server:
        failed = failure(server, hosted, attempts=3, timeout=0.3)
        assert failed.kind == "unavailable"
        assert "(asked 3 times)" in failed.message
        assert server.count == 3
        assert failed.tokens == (0, 0)


def test_a_trickle_ends_in_time(hosted: Any, naps: list[float]) -> None:
    with ModelServer([slow(30, ok(GOOD))]) as server:
        assert "in time" in failure(server, hosted, attempts=2, timeout=0.2).message
        assert server.count == 2
        assert not server.paid  # nobody waited for an answer


def test_nobody_there(hosted: Any, naps: list[float]) -> None:
    with ModelServer([ok(GOOD)]) as server:
        gone = model(server, hosted)
    with pytest.raises(ModelError, match=r"no connection to 127\.0\.0\.1") as failed:
        gone.ask(PROMPT)
    assert failed.value.kind == "unavailable"
    assert len(naps) == 4


@pytest.mark.parametrize(
    ("reply", "message"),
    [(status(400), "error 400"), (status(401), "does not accept the key"), (status(403), "does not accept the key"),
     (status(404), "does not know openai:tiny"), (status(413), "too long"), (status(422), "error 422"),
     (status(402), "paid first"),
     (status(429, body='{"error": {"message": "no quota", "code": "insufficient_quota"}}'), "paid first"),
     (status(400, body='{"error": {"message": "x", "code": "context_length_exceeded"}}'), "too long")],
)  # fmt: skip
def test_what_is_rejected_is_not_asked_again(hosted: Any, naps: list[float], reply: Reply, message: str) -> None:
    with ModelServer([reply]) as server:
        failed = failure(server, hosted)
        assert (failed.kind, server.count, naps) == ("rejected", 1, [])
        assert message in failed.message
        assert failed.hint


@pytest.mark.parametrize(
    ("reply", "kind", "tokens"),
    [(refusal(), "refusal", (10, 3)), (filtered(), "refusal", (10, 2)), (length(), "truncated", (10, 7)),
     (ok("", 10, 1), "invalid", (10, 1)), (ok(" \n", 10, 1), "invalid", (10, 1))],
)  # fmt: skip
def test_answers_that_cannot_be_used(hosted: Any, reply: Reply, kind: str, tokens: tuple[int, int]) -> None:
    with ModelServer([reply]) as server:
        failed = failure(server, hosted)
        assert (failed.kind, failed.tokens, server.count) == (kind, tokens, 1)


# -- keys stay in ---------------------------------------------------------------------------------


def everything(error: BaseException) -> str:
    """All that can be seen of an error: text, hint, and the traceback with what it was raised from."""
    assert error.__cause__ is None
    assert error.__context__ is None
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


@pytest.mark.parametrize("code", [400, 401, 404, 422, 429, 500])
def test_an_echoed_key(
    hosted: Any, monkeypatch: pytest.MonkeyPatch, naps: list[float], caplog: pytest.LogCaptureFixture, code: int
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("CODEX_MODEL_KEY", KEY)

    def answer(body: dict[str, Any], number: int) -> Reply:
        words = f"Authorization: {server.requests[-1]['headers']['authorization']}; cut short {KEY[:15]}… \x1b[2J"
        return status(code, {"X-Echo": KEY}, json.dumps({"error": {"message": words, "code": KEY, "type": KEY}}))

    with ModelServer(answer) as server:
        asked = model(server, hosted)
        with pytest.raises(ModelError) as failed:
            asked.ask(PROMPT)
        assert f"Bearer {KEY}" in json.dumps(server.requests[0]["headers"])
    seen = everything(failed.value) + repr(asked) + str(asked) + repr(asked._door) + caplog.text
    assert KEY[:12] not in seen
    assert KEY[-12:] not in seen
    assert "\x1b" not in failed.value.message
    if code in (400, 422):
        assert "***" in failed.value.message


def test_redact() -> None:
    text = f"key {KEY} and '{KEY[:10]}', then {KEY[5:14]}: short; nothing else"
    assert keys.redact(text, ["", KEY]) == "key *** and *** then *** short; nothing else"
    assert keys.redact("abc", ["abc"]) == "***"


# -- threads -------------------------------------------------------------------------------------


def test_eight_at_once(hosted: Any) -> None:
    all_there = threading.Barrier(8)

    def answer(body: dict[str, Any], number: int) -> Reply:
        all_there.wait(10)
        return ok(json.dumps({"claims": [body["messages"][-1]["content"]]}))

    with ModelServer(answer) as server, ThreadPoolExecutor(8) as pool:
        asked = model(server, hosted)
        prompts = [Prompt("s", f"question {number}", SCHEMA) for number in range(8)]
        answers = list(pool.map(asked.ask, prompts))
        assert [json.loads(each.text)["claims"][0] for each in answers] == [prompt.user for prompt in prompts]
        assert server.most_at_once == 8
        assert set(server.paid.values()) == {1}


@pytest.fixture
def waiting(hosted: Any) -> Iterator[tuple[Any, ModelServer]]:
    """A model that takes its time."""
    with ModelServer([slow(30, ok(GOOD))]) as server:
        yield model(server, hosted), server


def _when_asked(server: ModelServer, act: Any) -> None:
    def watch() -> None:
        while not server.count:
            time.sleep(0.01)
        act()

    threading.Thread(target=watch, daemon=True).start()


def test_interrupt(waiting: tuple[Any, ModelServer]) -> None:
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach the main thread only")
    asked, server = waiting
    main = threading.main_thread().ident
    assert main is not None
    _when_asked(server, lambda: signal.pthread_kill(main, signal.SIGINT) if os.name == "posix" else None)
    with pytest.raises(KeyboardInterrupt):
        asked.ask(PROMPT)
    assert not server.paid  # nobody waited for an answer
    assert not background._under_way
    time.sleep(0.2)
    assert server.count == 1


def test_stop(waiting: tuple[Any, ModelServer]) -> None:
    asked, server = waiting
    _when_asked(server, language.stop)
    with pytest.raises(ModelError, match="was stopped") as failed:
        asked.ask(PROMPT)
    assert failed.value.kind == "unavailable"


# -- waits ---------------------------------------------------------------------------------------


def test_delay_grows_and_is_bounded() -> None:
    for attempt in range(1, 12):
        delays = [retry.delay(attempt, None) for _ in range(200)]
        ceiling = min(60, 2 ** (attempt - 1))
        assert 0 <= min(delays) < max(delays) <= ceiling
        assert max(delays) > ceiling / 2
    assert retry.delay(1, 3) == 3
    assert retry.delay(9, 1e9) == 60
    assert retry.delay(1, -5) == 0


def test_repeated(naps: list[float]) -> None:
    tries = []

    async def ask() -> str:
        tries.append(1)
        if len(tries) < 4:
            raise OSError("no")
        return "yes"

    fault = retry.Fault("unavailable", "no", passing=True, after=2)
    assert asyncio.run(retry.repeated(ask, lambda error: fault, 5)) == "yes"
    assert naps == [2, 2, 2]
    tries.clear()
    with pytest.raises(ModelError, match=r"no \(asked 3 times\)") as failed:
        asyncio.run(retry.repeated(ask, lambda error: fault, 3))
    assert failed.value.__context__ is None
