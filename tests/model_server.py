"""A server of language models on a real socket, which misbehaves when told to.

It speaks OpenAI's chat completions, and enough of Anthropic's and Google's protocols to answer, by the path asked for.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_FINISH = {  # of OpenAI, Anthropic, Google
    "stop": ("stop", "end_turn", "STOP"),
    "length": ("length", "max_tokens", "MAX_TOKENS"),
    "content_filter": ("content_filter", "refusal", "SAFETY"),
}


@dataclass(frozen=True)
class Reply:
    """What the server does with one request; `raw` goes out as it is, in place of an answer made of `text`."""

    text: str = ""
    tokens: tuple[int, int] = (10, 5)
    finish: str = "stop"
    refusal: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    wait: float = 0.0
    broken: str = ""


def ok(text: str, prompt_tokens: int = 10, completion_tokens: int = 5) -> Reply:
    """An answer."""
    return Reply(text, (prompt_tokens, completion_tokens))


def status(code: int, headers: Mapping[str, str] | None = None, body: str | None = None) -> Reply:
    """An error; the body is JSON as OpenAI's where none is given."""
    raw = json.dumps({"error": {"message": f"error {code}", "type": "error"}}) if body is None else body
    return Reply(status=code, headers=headers or {}, raw=raw.encode())


def slow(seconds: float, reply: Reply) -> Reply:
    """The same, later."""
    return replace(reply, wait=seconds)


def cut(reply: Reply) -> Reply:
    """The same, but the connection ends before the body does."""
    return replace(reply, broken="cut")


def drop() -> Reply:
    """No answer: the connection ends."""
    return Reply(broken="drop")


def refusal(why: str = "I cannot help with that") -> Reply:
    """The model refuses."""
    return Reply(refusal=why, finish="content_filter", tokens=(10, 3))


def filtered() -> Reply:
    """The service's filter holds the answer back."""
    return Reply(finish="content_filter", tokens=(10, 2))


def length(text: str = '{"claims": [{"title": "half a') -> Reply:
    """An answer that is cut off at the most tokens."""
    return Reply(text, (10, 7), "length")


def not_json(body: str = "<html>a gateway's page</html>") -> Reply:
    """A body that is not JSON, with status 200."""
    return Reply(raw=body.encode())


def wrong_schema() -> Reply:
    """JSON that was not asked for."""
    return ok('{"weather": "fine"}')


Answer = Callable[[dict[str, Any], int], Reply]


class ModelServer:
    """Answers as it is told to by a function of the request's body and number from 0, or by a list, the last repeated.

    `requests` are all requests (path, headers, body, prompt, reply); `calls` counts them by prompt, which is the
    text of the last message; `paid` counts, by prompt, those that were answered with status 200 and whole.
    """

    def __init__(self, answer: Answer | Sequence[Reply]) -> None:
        self._answer: Answer
        if callable(answer):
            self._answer = answer
        else:
            replies = list(answer)
            self._answer = lambda body, number: replies[min(number, len(replies) - 1)]
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._now = 0
        self.requests: list[dict[str, Any]] = []
        self.calls: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()
        self.most_at_once = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                server._serve(self)

            def log_message(self, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=lambda: self._http.serve_forever(0.02), daemon=True)

    @property
    def root(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def url(self) -> str:
        """The address that `openai:NAME@URL` takes."""
        return f"{self.root}/v1"

    @property
    def count(self) -> int:
        """How many requests came."""
        return len(self.requests)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        prompt = _prompt(body)
        with self._lock:
            number = len(self.requests)
            request = {"path": handler.path, "headers": {k.lower(): v for k, v in handler.headers.items()},
                       "body": body, "prompt": prompt}  # fmt: skip
            self.requests.append(request)
            self.calls[prompt] += 1
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            request["reply"] = reply = self._answer(body, number)
            self._stopped.wait(reply.wait)
            if reply.status == 200 and reply.raw is None and not reply.broken:
                with self._lock:
                    self.paid[prompt] += 1
            handler.close_connection = True
            if reply.broken != "drop":
                _send(handler, reply)
        except OSError:
            pass  # the client did not wait
        finally:
            with self._lock:
                self._now -= 1


def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    content = json.dumps(_shape(handler.path, reply)).encode() if reply.raw is None else reply.raw
    handler.send_response(reply.status)
    headers = {"Content-Type": "application/json", "Connection": "close", **reply.headers}
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content) + (100 if reply.broken == "cut" else 0)))
    handler.end_headers()
    handler.wfile.write(content)


def _prompt(body: Mapping[str, Any]) -> str:
    """The text of the last message, as any of the protocols puts it."""
    last = (body.get("messages") or body.get("contents") or [{}])[-1]
    content = last.get("content", last.get("parts", ""))
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _shape(path: str, reply: Reply) -> dict[str, Any]:
    openai, anthropic, google = _FINISH[reply.finish]
    asked, answered = reply.tokens
    if path.partition("?")[0].endswith("/messages"):
        return {"id": "m", "type": "message", "role": "assistant", "model": "m", "stop_reason": anthropic,
                "stop_sequence": None, "content": [{"type": "text", "text": reply.text}] if reply.text else [],
                "usage": {"input_tokens": asked, "output_tokens": answered}}  # fmt: skip
    if "generateContent" in path:
        parts = [{"text": reply.text}] if reply.text else []
        return {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": google}],
                "usageMetadata": {"promptTokenCount": asked, "candidatesTokenCount": answered}}  # fmt: skip
    message = {"role": "assistant", "content": None if reply.refusal else reply.text, "refusal": reply.refusal or None}
    usage = {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}
    choice = {"index": 0, "message": message, "finish_reason": openai}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
