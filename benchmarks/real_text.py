"""Passages of real English text: this repository's, the corpus's, and the prose that stands on any machine with Python.

    python -m benchmarks.real_text [FOLDER ...]

says how many different passages are found, and where. Read are Markdown, reStructuredText, plain text and HTML, and the
docstrings of Python modules. A passage is a sentence, or some in a row where they are short; one that does not
read like prose is left out.
"""

from __future__ import annotations

import ast
import hashlib
import html
import re
import sys
import sysconfig
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.knowledge_base import CORPUS, ROOT

_KINDS = {".md", ".rst", ".txt", ".html", ".py"}
_MOST_BYTES = 2_000_000
#: Words of a passage, and of a sentence that may be one.
_LEAST, _MOST = 12, 60
_SENTENCE = (6, 50)
#: A text in which fewer of the words are of these is no English prose.
_COMMON = frozenset({"the", "of", "and", "to", "a", "in", "is", "that", "it", "for", "as", "with", "be", "are", "on",
                     "by", "this", "or", "not", "which", "from", "an", "can", "if"})  # fmt: skip
_PART_COMMON, _PART_LETTERS = 0.2, 0.9
_TAGS = re.compile(r"<(script|style|pre|code)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_BLOCK_END = re.compile(r"</(p|li|h\d|div|td|dd|dt)>", re.IGNORECASE)
_MARKS = re.compile(r":\w+:`|[`*_|#>]+|^\s*[-+]\s", re.MULTILINE)
_ENDS = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"(])")


class Passage(NamedTuple):
    """Some sentences in a row, and the file that they are of."""

    text: str
    file: str

def places() -> list[Path]:
    """The folders that are looked through, the text that codex is made for first."""
    installed = [sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")]
    return [ROOT / "inbox", ROOT / "codex", CORPUS, *map(Path, installed), Path("/usr/share/doc")]


def passages(folders: Iterable[Path]) -> Iterator[Passage]:
    """Every passage below the folders once, in the order of the folders and of their files."""
    seen: set[bytes] = set()
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.suffix in _KINDS):
            for text in _of_file(path):
                # Licences differ by a name: what begins alike counts as the same.
                begin = hashlib.blake2b(text[:60].casefold().encode(), digest_size=8).digest()
                if begin not in seen:
                    seen.add(begin)
                    yield Passage(text, str(path))


def _of_file(path: Path) -> Iterator[str]:
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return
    if path.suffix == ".py":
        text = "\n\n".join(_docstrings(text))
    elif path.suffix == ".html":
        text = html.unescape(_TAGS.sub(" ", _BLOCK_END.sub("\n\n", text)))
    for paragraph in re.split(r"\n\s*\n", text):
        yield from _windows(_MARKS.sub("", paragraph))


def _docstrings(text: str) -> Iterator[str]:
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def _windows(paragraph: str) -> Iterator[str]:
    """Sentences in a row until they are long enough."""
    held: list[str] = []
    for sentence in _ENDS.split(" ".join(paragraph.split())):
        words = len(sentence.split())
        if not _SENTENCE[0] <= words <= _SENTENCE[1]:
            held = []
            continue
        held.append(sentence)
        length = sum(len(each.split()) for each in held)
        if length >= _LEAST:
            text = " ".join(held)
            if length <= _MOST and _is_prose(text):
                yield text
            held = []


def _is_prose(text: str) -> bool:
    words = text.split()
    common = sum(word.casefold() in _COMMON for word in words)
    letters = sum(character.isalpha() or character in " ,.'" for character in text)
    return common >= _PART_COMMON * len(words) and letters >= _PART_LETTERS * len(text)


def main() -> None:
    """Count."""
    folders = [*places(), *map(Path, sys.argv[1:])]
    counts = Counter(next(str(folder) for folder in folders if Path(each.file).is_relative_to(folder))
                     for each in passages(folders))  # fmt: skip
    for folder, count in counts.items():
        print(f"{count:8} {folder}")
    print(f"{counts.total():8} in all")


if __name__ == "__main__":
    main()
