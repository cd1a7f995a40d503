"""Text to the token numbers of a BERT model, as Hugging Face's tokenizers gives them, without loading it.

Clean, split at white space and punctuation, then the longest pieces that the vocabulary has
(WordPiece, Schuster & Nakajima 2012; Devlin et al. 2019, arXiv:1810.04805).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codex_kb.errors import UsageError
from codex_kb.text import json_of_others

_VOCABULARY = "vocab.txt"
#: Where newer models have their vocabulary.
TOKENIZER = "tokenizer.json"
_SETTINGS = "tokenizer_config.json"
_LIMITS = "sentence_bert_config.json"
_CLS, _SEP, _UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_LONGEST = 100
_DEFAULT_LIMIT = 512
_FEW = 200
_ASCII = 128
#: White space of Python's that is a control character here.
_DROPPED = (0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x1F)


class WordPiece:
    """A tokenizer; `limit` is how many tokens its model reads, the marks at both ends included."""

    def __init__(self, vocabulary: _Vocabulary, lower: bool, limit: int) -> None:
        self.limit = limit
        self._vocabulary = vocabulary
        self._table = _Table(lower)
        self._cls, self._sep, self._unknown = (vocabulary.get(mark) for mark in (_CLS, _SEP, _UNKNOWN))

    @classmethod
    def load(cls, folder: Path) -> WordPiece:
        """The tokenizer of a model's folder.

        Raises:
            UsageError: its vocabulary cannot be read, or is not one of BERT's.
        """
        path = folder / _VOCABULARY
        try:
            settings = _json(folder / _SETTINGS)
            limit = _json(folder / _LIMITS).get("max_seq_length") or settings.get("model_max_length", _DEFAULT_LIMIT)
            limit = min(int(limit), int(_json(folder / "config.json").get("max_position_embeddings", _DEFAULT_LIMIT)))
            vocabulary = _Vocabulary(path.read_bytes() if path.exists() else _listed(folder / TOKENIZER))
            missing = [mark for mark in (_CLS, _SEP, _UNKNOWN) if vocabulary.get(mark) < 0]
            if missing:
                raise UsageError(f"has no {', '.join(missing)}", path=str(path), hint="install the model again")
            return cls(vocabulary, bool(settings.get("do_lower_case", True)), int(limit))
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot be read: {error}", path=str(path), hint="install the model again") from error

    def encode(self, text: str) -> list[int]:
        """The numbers of the tokens, between the marks for beginning and end, at most `limit`."""
        found = [self._cls]
        for number in self._pieces(text):
            if len(found) == self.limit - 1:
                break
            found.append(number)
        return [*found, self._sep]

    def _pieces(self, text: str) -> Iterator[int]:
        for part in _split_special(text):
            if part in _SPECIAL:
                number = self._vocabulary.get(part)
                yield number if number >= 0 else self._unknown
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
                if number >= 0:
                    found.append(number)
                    start = end
                    break
            else:
                return [self._unknown]
        return found


def _split_special(text: str) -> list[str]:
    """The text around the marks that stand for themselves, and these."""
    if "[" not in text:
        return [text]
    import re  # noqa: PLC0415

    return re.split("(" + "|".join(map(re.escape, _SPECIAL)) + ")", text)


class _Vocabulary:
    """The number of each piece: its line in the file, from 0."""

    def __init__(self, data: bytes) -> None:
        self._lines = b"\n" + data.removesuffix(b"\n") + b"\n"
        self._numbers: dict[str, int] = {}
        self._asked = 0

    def get(self, piece: str) -> int:
        """The number of a piece, -1 where there is none."""
        if self._asked > _FEW:
            return self._numbers.get(piece, -1)
        # For one question it takes less to look through the bytes than to make a table of them.
        self._asked += 1
        if self._asked > _FEW:
            lines = self._lines.decode().split("\n")[1:-1]
            self._numbers = dict(zip(lines, range(len(lines)), strict=True))
        at = -1 if "\n" in piece else self._lines.find(b"\n" + piece.encode() + b"\n")
        return at if at < 0 else self._lines.count(b"\n", 0, at)


class _Table(dict[int, str]):
    """What each character becomes, found out when it is first met; what stands alone has spaces around."""

    def __init__(self, lower: bool) -> None:
        super().__init__()
        self._lower = lower

    def __missing__(self, code: int) -> str:
        found = self[code] = self._ascii(chr(code), code) if code < _ASCII else self._other(chr(code))
        return found

    def _other(self, char: str) -> str:
        from codex_kb.encoders.characters import become  # noqa: PLC0415 (most questions need none)

        return become(char, self._lower)

    def _ascii(self, char: str, code: int) -> str:
        if char.isspace() and code not in _DROPPED:
            return " "
        if code < ord(" ") or code == _ASCII - 1:
            return ""
        return (char.lower() if self._lower else char) if char.isalnum() else f" {char} "


def _listed(path: Path) -> bytes:
    """The vocabulary of a tokenizer's file, a piece a line in the order of their numbers."""
    model = _json(path).get("model")
    numbers = model.get("vocab") if isinstance(model, dict) and model.get("type") == "WordPiece" else None
    if not isinstance(numbers, dict) or sorted(numbers.values()) != list(range(len(numbers))):
        raise ValueError("it has no vocabulary of word pieces")
    return "\n".join(sorted(numbers, key=numbers.__getitem__)).encode()


def _json(path: Path) -> dict[str, Any]:
    value = json_of_others.read(path.read_bytes()) if path.is_file() else {}
    return value if isinstance(value, dict) else {}
