"""JSON that others wrote: read here, so that all that is wrong with it is one kind of error."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any, TypeVar

T = TypeVar("T")

#: What the fields of our records hold, by the words that stand in them; other fields are built by who reads them.
_KINDS: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}

#: No whole number of ours needs more than 64 bits, and neither a float nor a database takes any.
_MOST = 2**63


def read(data: bytes | str) -> Any:
    """The value.

    Raises:
        ValueError: it is not JSON, not UTF-8, or nested too deep.
    """
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deep") from None


def record(kind: type[T], value: Any, **built: Any) -> T:
    """A record of ours from an object, beside the fields that are built already; fields that it does not know are left.

    Raises:
        ValueError: it is no such object; says which field.
    """
    if not isinstance(value, dict):
        raise ValueError("not an object")
    known: dict[str, Any] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        allowed = _KINDS.get(str(field.type))
        if allowed and field.name not in built and field.name in value:
            known[field.name] = _checked(field.name, value[field.name], allowed)
    try:
        return kind(**known, **built)
    except TypeError as error:
        raise ValueError(str(error).partition(") ")[2] or str(error)) from error


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts. Raises ValueError."""
    return tuple(_checked("an item", item, (str,)) for item in items(value))


def numbers(value: Any) -> dict[str, float]:
    """Finite numbers by name. Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError("not an object where numbers by name should be")
    found = {name: _checked(name, each, (int, float)) for name, each in value.items()}
    if not all(map(math.isfinite, found.values())):
        raise ValueError("a number that is none")
    return found


def items(value: Any) -> list[Any]:
    """A list. Raises ValueError."""
    if not isinstance(value, list):
        raise ValueError("not a list where one should be")
    return value


def _checked(name: str, value: Any, allowed: tuple[type, ...]) -> Any:
    if not isinstance(value, allowed) or isinstance(value, bool) != (bool in allowed):
        raise ValueError(f"{name} is not what it should be")
    if isinstance(value, int) and abs(value) >= _MOST:
        raise ValueError(f"{name} is too large")
    if isinstance(value, str):
        value.encode()  # half of a surrogate pair is no text
    return value
