"""Text to the terms that are looked up: lower case, accents folded, stems by Porter (1980)."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from Stemmer import Stemmer

_WORD = re.compile(r"[^\W_]+")
#: The first character of the scripts without spaces between words (Chinese, Japanese), or with long ones (Korean).
_FIRST_SINGLE = "\u2e80"
_SINGLE = r"\u2e80-\u2fdf\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_LONGEST = 64


class _Unmarked(dict[int, int | None]):
    """Each character by its number, and None for a mark that combines; found out when it is first met."""

    def __missing__(self, code: int) -> int | None:
        found = self[code] = None if unicodedata.combining(chr(code)) else code
        return found


_UNMARKED = _Unmarked()


@lru_cache(maxsize=1)
def _singles() -> re.Pattern[str]:
    """Words, but each character of those scripts alone."""
    return re.compile(rf"[{_SINGLE}]|[^\W_{_SINGLE}]+")


def _pattern(text: str) -> re.Pattern[str]:
    # The large pattern takes milliseconds to compile, which most questions need not pay.
    return _WORD if text.isascii() or max(text) < _FIRST_SINGLE else _singles()


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer:
    import Stemmer  # noqa: PLC0415

    return Stemmer.Stemmer("porter", 0)


@lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    return str(_stemmer().stemWord(word)) or word  # of "s" nothing would be left


def terms(text: str) -> list[str]:
    """The terms of a text in their order."""
    folded = text.lower()
    if not folded.isascii():
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKD", folded).translate(_UNMARKED))
    return [_stem(word[:_LONGEST]) for word in _pattern(folded).findall(folded)]


def weighted(fields: Iterable[tuple[str, int]]) -> tuple[Counter[str], int]:
    """How often each term stands in the fields, each field counted by its weight; and the number of terms."""
    counts: Counter[str] = Counter()
    length = 0
    for text, weight in fields:
        found = terms(text)
        length += len(found)
        for term, times in Counter(found).items():
            counts[term] += times * weight
    return counts, length


def found_terms(text: str) -> list[tuple[str, int, int]]:
    """(term, start, end) of each word of a text as it stands."""
    return [(term, *word.span()) for word in _pattern(text).finditer(text) for term in terms(word[0])]
