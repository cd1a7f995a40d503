"""The size of a server's answer: what is read of it has an end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

#: Bytes of an answer with all that stands around it; none that we ask for comes near.
MOST = 8_000_000


class TooLong(Exception):
    """An answer that is longer than that, or packed, though it was asked for as it is."""


def limited(stream: Any) -> Any:
    """The stream of a response that ends with TooLong after `MOST` bytes."""
    from httpx2 import AsyncByteStream  # noqa: PLC0415

    class Limited(AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = MOST
            async for part in stream:
                left -= len(part)
                if left < 0:
                    raise TooLong
                yield part

        async def aclose(self) -> None:
            await stream.aclose()

    return Limited()


def is_why(error: BaseException | None) -> bool:
    """Is an error, or what it was made from, that an answer was too long?"""
    while error is not None:
        if isinstance(error, TooLong):
            return True
        error = error.__cause__ or error.__context__
    return False
