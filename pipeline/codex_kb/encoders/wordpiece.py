"""Text to the token numbers of a BERT model, as Hugging Face's tokenizers gives them, without loading it.

Clean, split at white space and punctuation, then the longest pieces that the vocabulary has
(WordPiece, Schuster & Nakajima 2012; Devlin et al. 2019, arXiv:1810.04805).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codex_kb.errors import UsageError

_VOCABULARY = "vocab.txt"
_SETTINGS = "tokenizer_config.json"
_LIMITS = "sentence_bert_config.json"
_CLS, _SEP, _UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
_SPECIAL = re.compile(r"(\[(?:PAD|UNK|CLS|SEP|MASK)\])")
_LONGEST = 100
_DEFAULT_LIMIT = 512
_SPACES = frozenset("\t\n\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {chr(code) for code in range(0x2000, 0x200B)}
_IDEOGRAPHS = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
               (0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))  # fmt: skip
#: Marks and format characters (first, last) newer than the Unicode of the tokenizers library, which keeps them.
_KEPT = (
    (0x07FD, 0x07FD), (0x0890, 0x0891), (0x0898, 0x089F), (0x08CA, 0x08E2), (0x09FE, 0x09FE), (0x0AFA, 0x0AFF),
    (0x0B55, 0x0B55), (0x0C04, 0x0C04), (0x0C3C, 0x0C3C), (0x0D00, 0x0D00), (0x0D3B, 0x0D3C), (0x0D81, 0x0D81),
    (0x0EBA, 0x0EBA), (0x180F, 0x180F), (0x1885, 0x1886), (0x1ABF, 0x1ACE), (0x1DF6, 0x1DFB), (0xA82C, 0xA82C),
    (0xA8C5, 0xA8C5), (0xA8FF, 0xA8FF), (0xA9BD, 0xA9BD), (0x10D24, 0x10D27), (0x10EAB, 0x10EAC), (0x10F46, 0x10F50),
    (0x10F82, 0x10F85), (0x11070, 0x11070), (0x11073, 0x11074), (0x110C2, 0x110C2), (0x110CD, 0x110CD),
    (0x111C9, 0x111C9), (0x111CF, 0x111CF), (0x1123E, 0x1123E), (0x1133B, 0x1133B), (0x11438, 0x1143F),
    (0x11442, 0x11444), (0x11446, 0x11446), (0x1145E, 0x1145E), (0x1182F, 0x11837), (0x11839, 0x1183A),
    (0x1193B, 0x1193C), (0x1193E, 0x1193E), (0x11943, 0x11943), (0x119D4, 0x119D7), (0x119DA, 0x119DB),
    (0x119E0, 0x119E0), (0x11A01, 0x11A0A), (0x11A33, 0x11A38), (0x11A3B, 0x11A3E), (0x11A47, 0x11A47),
    (0x11A51, 0x11A56), (0x11A59, 0x11A5B), (0x11A8A, 0x11A96), (0x11A98, 0x11A99), (0x11C30, 0x11C36),
    (0x11C38, 0x11C3D), (0x11C3F, 0x11C3F), (0x11C92, 0x11CA7), (0x11CAA, 0x11CB0), (0x11CB2, 0x11CB3),
    (0x11CB5, 0x11CB6), (0x11D31, 0x11D36), (0x11D3A, 0x11D3A), (0x11D3C, 0x11D3D), (0x11D3F, 0x11D45),
    (0x11D47, 0x11D47), (0x11D90, 0x11D91), (0x11D95, 0x11D95), (0x11D97, 0x11D97), (0x11EF3, 0x11EF4),
    (0x13430, 0x13438), (0x16F4F, 0x16F4F), (0x16FE4, 0x16FE4), (0x1CF00, 0x1CF2D), (0x1CF30, 0x1CF46),
    (0x1E000, 0x1E006), (0x1E008, 0x1E018), (0x1E01B, 0x1E021), (0x1E023, 0x1E024), (0x1E026, 0x1E02A),
    (0x1E130, 0x1E136), (0x1E2AE, 0x1E2AE), (0x1E2EC, 0x1E2EF), (0x1E944, 0x1E94A),
)  # fmt: skip
#: Punctuation that it does not know as such, and the little that it takes for some.
_NO_PUNCTUATION = (
    (0x061D, 0x061D), (0x09FD, 0x09FD), (0x0A76, 0x0A76), (0x0C77, 0x0C77), (0x0C84, 0x0C84), (0x1B7D, 0x1B7E),
    (0x2E43, 0x2E4F), (0x2E52, 0x2E5D), (0x10EAD, 0x10EAD), (0x10F55, 0x10F59), (0x10F86, 0x10F89),
    (0x1144B, 0x1144F), (0x1145A, 0x1145B), (0x1145D, 0x1145D), (0x11660, 0x1166C), (0x116B9, 0x116B9),
    (0x1183B, 0x1183B), (0x11944, 0x11946), (0x119E2, 0x119E2), (0x11A3F, 0x11A46), (0x11A9A, 0x11A9C),
    (0x11A9E, 0x11AA2), (0x11C41, 0x11C45), (0x11C70, 0x11C71), (0x11EF7, 0x11EF8), (0x11FFF, 0x11FFF),
    (0x12FF1, 0x12FF2), (0x16E97, 0x16E9A), (0x16FE2, 0x16FE2), (0x1E95E, 0x1E95F),
)  # fmt: skip
_PUNCTUATION = "\u166d\U000111c9"
_DROPPED = "\u1734"


class WordPiece:
    """A tokenizer; `limit` is how many tokens its model reads, the marks at both ends included."""

    def __init__(self, vocabulary: dict[str, int], lower: bool, limit: int) -> None:
        self.limit = limit
        self._vocabulary = vocabulary
        self._table = _Table(lower)
        self._unknown = vocabulary[_UNKNOWN]

    @classmethod
    def load(cls, folder: Path) -> WordPiece:
        """The tokenizer of a model's folder.

        Raises:
            UsageError: its vocabulary cannot be read, or is not one of BERT's.
        """
        path = folder / _VOCABULARY
        try:
            words = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
            settings = _json(folder / _SETTINGS)
            limit = _json(folder / _LIMITS).get("max_seq_length") or settings.get("model_max_length", _DEFAULT_LIMIT)
            vocabulary = {word: number for number, word in enumerate(words)}
            missing = {_CLS, _SEP, _UNKNOWN} - vocabulary.keys()
            if missing:
                raise UsageError(f"has no {', '.join(sorted(missing))}", path=str(path), hint="install the model again")
            return cls(vocabulary, bool(settings.get("do_lower_case", True)), int(limit))
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot be read: {error}", path=str(path), hint="install the model again") from error

    def encode(self, text: str) -> list[int]:
        """The numbers of the tokens, between the marks for beginning and end, at most `limit`."""
        found = [self._vocabulary[_CLS]]
        for number in self._pieces(text):
            if len(found) == self.limit - 1:
                break
            found.append(number)
        return [*found, self._vocabulary[_SEP]]

    def _pieces(self, text: str) -> Iterator[int]:
        for part in _SPECIAL.split(text):
            if _SPECIAL.fullmatch(part):
                yield self._vocabulary.get(part, self._unknown)
                continue
            for word in part.translate(self._table).split(" "):
                if word:
                    yield from self._word(word)

    def _word(self, word: str) -> list[int]:
        """The longest pieces from the left; one unknown where they do not cover the word."""
        if len(word) > _LONGEST:
            return [self._unknown]
        found: list[int] = []
        start = 0
        while start < len(word):
            lead = "##" if start else ""
            for end in range(len(word), start, -1):
                number = self._vocabulary.get(lead + word[start:end])
                if number is not None:
                    found.append(number)
                    start = end
                    break
            else:
                return [self._unknown]
        return found


class _Table(dict[int, str]):
    """What each character becomes, found out when it is first met; what stands alone has spaces around."""

    def __init__(self, lower: bool) -> None:
        super().__init__()
        self._lower = lower

    def __missing__(self, code: int) -> str:
        found = self[code] = self._become(chr(code), code)
        return found

    def _become(self, char: str, code: int) -> str:
        if char in _SPACES:
            return " "
        if code in (0, 0xFFFD) or (unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs") and not _within(code, _KEPT)):
            return ""
        text = char
        if self._lower:
            parts = unicodedata.normalize("NFD", char)
            text = "".join(part.lower() for part in parts if not _is_mark(part))
        text = "".join(f" {part} " if _is_punctuation(part) else part for part in text)
        return f" {text} " if _within(code, _IDEOGRAPHS) else text


def _is_mark(char: str) -> bool:
    return char in _DROPPED or (unicodedata.category(char) == "Mn" and not _within(ord(char), _KEPT))


def _is_punctuation(char: str) -> bool:
    code = ord(char)
    if code < 0x80:
        return not char.isalnum() and 0x20 < code < 0x7F
    if char in _PUNCTUATION:
        return True
    return unicodedata.category(char).startswith("P") and not _within(code, _NO_PUNCTUATION)


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)


def _json(path: Path) -> dict[str, Any]:
    value = json.loads(path.read_bytes()) if path.is_file() else {}
    return value if isinstance(value, dict) else {}
