"""What a failed request means for the person who waits for it."""

from __future__ import annotations

from typing import Any

from codex_kb.language import keys, too_long
from codex_kb.language.doors import Door
from codex_kb.language.retry import Fault
from codex_kb.text.marks import one_line

_BUSY = (408, 409, 429)
_LONGEST = 200  # characters of what a service says


def read(error: Exception, door: Door) -> Fault:  # noqa: PLR0911 (one answer a kind of failure)
    """Why there was no answer. No key is in it, whatever the service said."""
    from pydantic_ai import exceptions  # noqa: PLC0415

    if too_long.is_why(error):
        return Fault("invalid", f"{door.place} answers with more than an answer may be", "check the address")
    if isinstance(error, exceptions.ModelHTTPError):
        return _status(error, door)
    if isinstance(error, exceptions.ModelTimeoutError | exceptions.ModelRequestTimeout):
        return Fault("unavailable", f"{door.place} does not answer in time", passing=True)
    if isinstance(error, exceptions.ModelConnectionError):
        return Fault("unavailable", f"no connection to {door.place}", "check that it is reachable", True)
    if isinstance(error, exceptions.ContentFilterError):
        return Fault("refusal", "the service does not let the model answer")
    if isinstance(error, exceptions.UserError):
        return Fault("rejected", f"{door.name} cannot be asked this way", "choose another model")
    # An answer that cannot be read: a gateway's page, or a server that does not speak the protocol.
    return Fault("unavailable", f"{door.place} answers with something else ({type(error).__name__})",
                 "check the address", True)  # fmt: skip


def said(error: Any, door: Door) -> str:
    """What the service says is wrong, on a short line without keys; empty where it says nothing that can be read."""
    body = error.body
    if isinstance(body, dict) and isinstance(body.get("error"), dict | str):
        body = body["error"]
    text = body.get("message") if isinstance(body, dict) else body
    if not isinstance(text, str) or "<html" in text.lower():
        return ""
    text = keys.redact(one_line(text), [door.key])
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _status(error: Any, door: Door) -> Fault:
    from pydantic_ai import exceptions  # noqa: PLC0415

    code: int = error.status_code
    variables = " or ".join(door.variables)
    words = said(error, door)
    if isinstance(error, exceptions.ModelQuotaExceededError):
        return Fault("rejected", f"{door.place} wants to be paid first", "check the account's credit")
    if code in (401, 403) or isinstance(error, exceptions.ModelAuthenticationError):
        # What the service says of a key may hold the key.
        return Fault("rejected", f"{door.place} does not accept the key ({code})", f"check {variables}")
    if isinstance(error, exceptions.ModelContextWindowExceededError) or code == 413:
        return Fault("rejected", f"the question is too long for {door.name}", "choose a model that reads more at once")
    words = f": {words}" if words else ""
    if code in _BUSY or code >= 500:
        return Fault("unavailable", f"{door.place} is not available ({code}{words})", "try again later", True,
                     error.retry_after)  # fmt: skip
    if code == 404:
        return Fault("rejected", f"{door.place} does not know {door.name} (404{words})", "check the model's name")
    return Fault("rejected", f"{door.place} rejects the question ({code}{words})", "check the model's name")
