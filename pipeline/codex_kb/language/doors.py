"""The way to each service: address, key, and pydantic-ai's model of it. Nothing is sent here."""

from __future__ import annotations

import importlib.util
import logging
import os
import warnings
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from codex_kb.errors import UsageError
from codex_kb.language import keys, too_long

INSTALL = "pip install 'codex-kb[llm]'"
#: A service's key goes to its own address and to no other, whatever the environment says of addresses.
ADDRESSES = {
    "anthropic": "https://api.anthropic.com",
    "google": "https://generativelanguage.googleapis.com",
    "openai": "https://api.openai.com/v1",
}
_KEYS = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "google": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "openai": ("OPENAI_API_KEY",),
}
_OLLAMA = "http://localhost:11434/v1"
_SERVER_KEYS, _OLLAMA_KEYS = ("CODEX_MODEL_KEY",), ("OLLAMA_API_KEY",)
_OLLAMA_CLOUD = "ollama.com"
_NO_KEY = "none"
#: Seconds for an answer: a machine of one's own may be slow.
_SERVICE, _OWN = 120.0, 600.0
_CONTEXT = 8192
#: What a server of one's own is told beside the question.
_HEADERS = ("accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent")
_LOGGERS = ("anthropic", "google_genai", "httpcore", "httpcore2", "httpx", "httpx2", "openai")


@dataclass(frozen=True)
class Door:
    """How one model is reached; `listed` is the service in the list of prices, empty where there is none."""

    name: str
    place: str
    variables: tuple[str, ...]
    model: Any = field(repr=False)
    key: str = field(repr=False)
    context_tokens: int
    timeout: float
    listed: str = ""
    free: bool = False


def open_door(kind: str, name: str, keyless: bool = False) -> Door:
    """The way to a model of that kind; `name` may end in `@URL` for `openai`. A `keyless` one may lack its key.

    Raises:
        UsageError: the name or the address cannot be one, the extra is not installed, or the key is missing.
    """
    name, at, url = _split(name) if kind == "openai" else (name, "", "")
    if not name or not name.isprintable() or " " in name:
        raise UsageError(f"{kind}: is followed by a model's name", hint=f"{kind}:NAME")
    if importlib.util.find_spec("pydantic_ai") is None:
        raise UsageError(f"{kind} models need more packages", hint=INSTALL)
    try:
        if kind == "ollama":
            door = _ollama(name, _ollama_url())
        else:
            door = _server(name, url) if at else _service(kind, name, keyless)
    except ImportError:
        # From None: whoever reads the hint has no use for which module it was.
        raise UsageError(f"{kind} models need more packages", hint=INSTALL) from None
    _quiet()
    return door


def address(kind: str, name: str) -> str:
    """Where questions to a model of that kind go; nothing is looked up.

    Raises:
        UsageError: what is named is no address.
    """
    if kind == "ollama":
        return _address(_ollama_url(), "OLLAMA_BASE_URL")
    _, at, url = _split(name) if kind == "openai" else (name, "", "")
    return _address(url, "the address after @") if at else ADDRESSES[kind]


def variables(kind: str, name: str) -> tuple[str, ...]:
    """The environment's variables that may hold the key for such a model."""
    if kind == "ollama":
        return _OLLAMA_KEYS
    return _SERVER_KEYS if kind == "openai" and _split(name)[1] else _KEYS[kind]


def _ollama_url() -> str:
    return os.environ.get("OLLAMA_BASE_URL", "").strip() or _OLLAMA


def _service(kind: str, name: str, keyless: bool) -> Door:
    names = _KEYS[kind]
    key = keys.key(names) or (_NO_KEY if keyless else "")
    if not key:
        raise UsageError(f"{' or '.join(names)} is not set", hint=f"export {names[0]}=…")
    url = ADDRESSES[kind]
    client = _no_detours()
    model: Any
    if kind == "anthropic":
        from pydantic_ai.models.anthropic import AnthropicModel  # noqa: PLC0415
        from pydantic_ai.providers.anthropic import AnthropicProvider  # noqa: PLC0415

        model = AnthropicModel(name, provider=AnthropicProvider(api_key=key, base_url=url, http_client=client))
    elif kind == "google":
        from pydantic_ai.models.google import GoogleModel  # noqa: PLC0415
        from pydantic_ai.providers.google import GoogleProvider  # noqa: PLC0415

        model = GoogleModel(name, provider=GoogleProvider(api_key=key, base_url=url, http_client=client))
    else:
        from pydantic_ai.models.openai import OpenAIChatModel  # noqa: PLC0415
        from pydantic_ai.providers.openai import OpenAIProvider  # noqa: PLC0415

        model = OpenAIChatModel(name, provider=OpenAIProvider(api_key=key, base_url=url, http_client=client))
    context = model.profile.get("context_window") or _CONTEXT
    return Door(f"{kind}:{name}", _host(url), names, model, key, context, _SERVICE, kind)


def _server(name: str, url: str) -> Door:
    from pydantic_ai.models.openai import OpenAIChatModel  # noqa: PLC0415
    from pydantic_ai.profiles.openai import OpenAIModelProfile  # noqa: PLC0415
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider  # noqa: PLC0415

    url = _address(url, "the address after @")
    key = keys.key(_SERVER_KEYS)
    # The older name of the setting is the one that every such server knows.
    profile = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False, supports_json_object_output=True)
    provider = OpenAICompatibleProvider(
        "server", base_url=url, api_key=key or _NO_KEY, http_client=_client(key or _NO_KEY), profile=profile
    )
    model = OpenAIChatModel(name, provider=provider)
    # A server may know its model by the path of a file; the name goes into packets and commits.
    shown = name.rstrip("/").rpartition("/")[2] if name.startswith(("/", "~", ".")) else name
    return Door(f"openai:{shown}", _host(url), _SERVER_KEYS, model, key, _CONTEXT, _OWN)


def _ollama(name: str, url: str) -> Door:
    from pydantic_ai.models.ollama import OllamaModel  # noqa: PLC0415
    from pydantic_ai.profiles.openai import OpenAIModelProfile  # noqa: PLC0415
    from pydantic_ai.providers.ollama import OllamaProvider  # noqa: PLC0415

    url = _address(url, "OLLAMA_BASE_URL")
    key = keys.key(_OLLAMA_KEYS)
    provider = OllamaProvider(base_url=url, api_key=key or _NO_KEY, http_client=_client(key or _NO_KEY))
    paid = name.endswith("-cloud") or f".{_host(url)}".endswith(f".{_OLLAMA_CLOUD}")
    # Ollama's own service takes a schema and does not keep to it.
    profile = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False, supports_json_schema_output=not paid)
    model = OllamaModel(name, provider=provider, profile=profile)
    return Door(f"ollama:{name}", _host(url), _OLLAMA_KEYS, model, key, _CONTEXT, _OWN, free=not paid)


def _split(name: str) -> tuple[str, str, str]:
    """Name and address; a name may hold an @ of its own."""
    for scheme in ("@https://", "@http://"):
        before, found, after = name.partition(scheme)
        if found:
            return before, "@", scheme[1:] + after
    return name, "", ""


def _address(url: str, what: str) -> str:
    """An address that holds no secret; it is not repeated in the error, as it may hold one."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise UsageError(f"{what} is no address of a server", hint="http://HOST:PORT/v1")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(f"{what} holds more than an address", hint="keep keys in the environment")
    return url.rstrip("/") + ("" if parts.path.strip("/") else "/v1")


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _client(key: str) -> Any:
    """A client that sends a server no more than it needs.

    OpenAI's own adds headers that the environment holds for OpenAI: account, project, whatever the user set.
    """

    async def strip(request: Any) -> None:
        """Leave the request the headers that every server needs, and this door's key."""
        for name in [name for name in request.headers if name.lower() not in _HEADERS]:
            del request.headers[name]
        request.headers["Authorization"] = f"Bearer {key}"
        # A server may drop a connection that waits for the next question, and answers take longer than a new one.
        request.headers["Connection"] = "close"
        # What is packed may be any size unpacked.
        request.headers["Accept-Encoding"] = "identity"

    async def limit(response: Any) -> None:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise too_long.TooLong
        response.stream = too_long.limited(response.stream)

    client = _no_detours()
    client.event_hooks["request"].append(strip)
    client.event_hooks["response"].append(limit)
    return client


def _no_detours() -> Any:
    """A client that goes to the address it was given: a redirect would take text and key elsewhere."""
    from pydantic_ai.models import create_async_httpx2_client  # noqa: PLC0415

    client = create_async_httpx2_client()
    client.follow_redirects = False
    return client


def _quiet() -> None:
    """The packages' warnings are of nothing that the user can mend, and their logs hold headers, so may hold keys."""
    warnings.filterwarnings("ignore", message="Sampling parameters", category=UserWarning)
    warnings.filterwarnings("ignore", message="The model .* is deprecated", category=DeprecationWarning)
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
