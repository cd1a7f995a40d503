"""A quote's exact place in a body: nothing counts as evidence that does not stand there.

Three tries: as it is; folded (white space, typography, ligatures, accents composed or not, what no reader
sees); folded and without the marks of Markdown's emphasis. A quote put together from two places has no place.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice

from codex_kb.records import Evidence
from codex_kb.text.marks import HIDDEN, visible

_FOLDED = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    "\u2026": "...",
}
_LIGATURES = ("\ufb00", "\ufb06")
_FULL_WIDTH = ("\uff01", "\uff5e")
_EMPHASIS = re.compile(r"[*_`]++")
#: Characters that a quote has at least (bytes: a word of Chinese says more); one of fewer stands anywhere.
LEAST = 12
#: Places that are looked at in each direction: one that starts or ends inside a character's folding is none.
_TRIES = 20

#: Folded text and, for each of its characters, the offset of the character that it stands for.
_View = tuple[str, "array[int]"]


def locate(quote: str, body: str, near: int = 0) -> tuple[int, int] | None:
    """(start, end) such that body[start:end] is the quote, None where it does not stand there.

    Of several places the one nearest to `near`, but an exact one first. A quote without letters and
    digits has none. Linear in the length of both.
    """
    if not any(map(str.isalnum, visible(quote))):
        return None
    exact = _nearest(quote, body, near)
    if exact is not None:
        return exact, exact + len(quote)
    for (wanted, _), (folded, offsets) in zip(_views(quote), _body_views(body), strict=True):
        span = _folded_place(wanted.strip(" "), folded, offsets, near)
        if span is not None:
            return span
    return None


def placed(evidence: Evidence, body: str) -> tuple[int, int] | None:
    """Where a quote stands in the body as it is, if that is its place; None where it is not.

    Git may have written this clone's files with CRLF: then its place is the one that it has without the returns.
    """
    start, end = evidence.start, evidence.end
    if body[start:end] == evidence.quote:
        return start, end
    returns = [found.start() - number for number, found in enumerate(re.finditer("\r\n", body))]
    if not returns or body.replace("\r\n", "\n")[start:end] != evidence.quote:
        return None
    return start + bisect_left(returns, start), end + bisect_left(returns, end)


def locate_again(evidence: Evidence, body: str) -> tuple[int, int] | None:
    """Where a quote stands in its source as it is now, None where it no longer does."""
    return placed(evidence, body) or locate(evidence.quote, body, evidence.start)


def _folded_place(wanted: str, folded: str, offsets: array[int], near: int) -> tuple[int, int] | None:
    def whole(start: int) -> bool:
        end = start + len(wanted)
        first = start == 0 or offsets[start - 1] != offsets[start]
        return first and (end == len(offsets) or offsets[end - 1] != offsets[end])

    found = _nearest(wanted, folded, bisect_left(offsets, near), whole)
    if found is None:
        return None
    return offsets[found], offsets[found + len(wanted) - 1] + 1


def _nearest(needle: str, text: str, near: int, whole: Callable[[int], bool] = lambda place: True) -> int | None:
    """The occurrence that starts nearest to `near`; the earlier of two at the same distance."""
    near = max(near, 0)
    # str.rfind is quadratic in the worst case (CPython), str.find is not.
    before = text[: near + len(needle)][::-1]
    starts = (len(before) - found - len(needle) for found in _occurrences(needle[::-1], before, 0))
    places = (
        next(filter(whole, islice(starts, _TRIES)), None),
        next(filter(whole, islice(_occurrences(needle, text, near), _TRIES)), None),
    )
    return min((place for place in places if place is not None), key=lambda place: abs(place - near), default=None)


def _occurrences(needle: str, text: str, at: int) -> Iterator[int]:
    while (at := text.find(needle, at)) >= 0:
        yield at
        at += 1


# -- folding -------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    if char.isspace():
        return " "
    if HIDDEN.match(char):
        return ""
    if _LIGATURES[0] <= char <= _LIGATURES[1] or _FULL_WIDTH[0] <= char <= _FULL_WIDTH[1]:
        char = unicodedata.normalize("NFKC", char)
    # One character at a time: over a whole text, normalising sorts a run of marks in quadratic time.
    return "".join(_FOLDED.get(piece, piece) for piece in unicodedata.normalize("NFD", char))


def _views(text: str) -> tuple[_View, _View]:
    """The text folded, and that without the marks of emphasis."""
    folded = _fold(text)
    return folded, _unmarked(*folded)


# A source's quotes are looked for one after the other in the same body.
_body_views = lru_cache(maxsize=2)(_views)


def _fold(text: str) -> _View:
    out: list[str] = []
    offsets = array("I")
    for offset, char in enumerate(text):
        folded = _fold_char(char)
        if folded == " " and out and out[-1] == " ":
            continue
        for piece in folded:
            out.append(piece)
            offsets.append(offset)
    return "".join(out), offsets


def _unmarked(folded: str, offsets: array[int]) -> _View:
    """Without marks that open or close emphasis: `2*3`, `a_b` and `* item` keep theirs."""
    out: list[str] = []
    kept = array("I")
    end = 0
    for marks in _EMPHASIS.finditer(folded):
        start, after = marks.span()
        sides = folded[start - 1 : start] or " ", folded[after : after + 1] or " "
        if not (all(map(str.isalnum, sides)) or all(map(str.isspace, sides))):
            out.append(folded[end:start])
            kept += offsets[end:start]
            end = after
    return "".join([*out, folded[end:]]), kept + offsets[end:]
