"""Language models behind one thin adapter: services over the network, or a file that runs here."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from codex_kb.errors import UsageError
from codex_kb.ports import LanguageModel

_HOSTED = ("anthropic", "google", "ollama", "openai")
_LOCAL = "local"
#: What an interrupt leaves to the questions under way.
_LAST_SECONDS = 1.0


def kinds() -> tuple[str, ...]:
    """What may stand before the colon of a model."""
    return tuple(sorted((*_HOSTED, _LOCAL)))


def knows(model: str) -> bool:
    """Does this name a language model, such as `openai:gpt-5-mini`? Whether it is there is seen by `load`."""
    kind, colon, _ = model.partition(":")
    return bool(colon) and kind in kinds()


def forms() -> str:
    """How such names read, for a person."""
    return ", ".join(f"{each}:PATH.gguf" if each == _LOCAL else f"{each}:NAME" for each in kinds())


def address(model: str) -> str:
    """Where questions to a model go: a service's or a server's address; empty for a file that runs here."""
    kind, _, name = model.partition(":")
    if kind == _LOCAL:
        return ""
    from codex_kb.language import doors  # noqa: PLC0415

    return doors.address(kind, name)


def key_of(model: str) -> str:
    """The environment's variables whose key goes to that address, as a person reads them."""
    from codex_kb.language import doors  # noqa: PLC0415

    kind, _, name = model.partition(":")
    return " or ".join(doors.variables(kind, name))


def load(model: str, keyless: bool = False) -> LanguageModel:
    """The model of that name; nobody is asked yet. A `keyless` one may lack its key, and is only good for prices.

    `anthropic:NAME`, `google:NAME`, `ollama:NAME`, `openai:NAME`, `openai:NAME@URL` for any server that speaks
    OpenAI's protocol, or `local:PATH.gguf`.

    Raises:
        UsageError: there is no such kind, the extra is not installed, a key is missing, or the file is not a model.
    """
    if not knows(model):
        kind = model.partition(":")[0]
        raise UsageError(f"there is no kind of model {kind!r}", hint=f"one of {forms()}")
    kind, _, name = model.partition(":")
    if kind == _LOCAL:
        from codex_kb.language.local import LocalModel  # noqa: PLC0415

        return LocalModel(Path(name).expanduser())
    from codex_kb.language import doors  # noqa: PLC0415
    from codex_kb.language.hosted import HostedModel  # noqa: PLC0415

    return HostedModel(doors.open_door(kind, name, keyless))


@contextlib.contextmanager
def last_answers() -> Iterator[None]:
    """Within it the questions under way have a second to be answered, since they are paid for; then they end."""
    timer = threading.Timer(_LAST_SECONDS, stop)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def stop() -> None:
    """End every question to a service, until a model is loaded again: each raises ModelError in its thread."""
    from codex_kb.language import background  # noqa: PLC0415

    background.stop()
