"""Lines for a terminal of any width: wrapped by the columns that they take, and nothing in them steers it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

import click

from codex_kb.text.leaving import shown

_NARROWEST, _WIDEST = 20, 100
#: A word, or one character that is two columns wide with what combines with it: lines may end after each.
_WIDE = "\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6"
_PIECE = re.compile(rf"[{_WIDE}][\u0300-\u036f\u3099\u309a\ufe00-\ufe0f]*|[^\s{_WIDE}]+")

_SPACE = re.compile(r"[ \t\r\n]+")


class Line(NamedTuple):
    """One line as it is printed; `style` is "", "bold" or "dim"."""

    text: str
    style: str = ""


def columns(text: str) -> int:
    """How many columns a text takes."""
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def plain(text: str) -> str:
    """The text on one line; what would steer a terminal is shown."""
    return shown(_SPACE.sub(" ", text)).strip()


def wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """The text in lines of at most `width` columns, the first and the others begun as told."""
    rest = " " * columns(first) if rest is None else rest
    lines, line, end = [], first, 0
    empty = True
    text = plain(text)
    for piece in _PIECE.finditer(text):
        gap = " " if piece.start() > end and not empty else ""
        end = piece.end()
        if not empty and columns(line + gap + piece[0]) > width:
            lines.append(line)
            line, gap, empty = rest, "", True
        line += gap + piece[0]
        empty = False
        while columns(line) > width:  # a word longer than a line
            cut = _fitting(line, width)
            lines.append(line[:cut])
            line = rest + line[cut:]
    return [*lines, line] if not empty else [first.rstrip()]


def _fitting(line: str, width: int) -> int:
    """How many characters fit; what combines stays with what stands before it."""
    taken = 0
    for at, character in enumerate(line):
        taken += _columns(character)
        if taken > width:
            return max(at, 1)
    return len(line)


def _size() -> os.terminal_size:
    """The terminal's size as it is now, whatever the environment said when the program began."""
    with contextlib.suppress(OSError, ValueError):
        if (size := os.get_terminal_size(sys.stdout.fileno())).columns:
            return size
    return shutil.get_terminal_size((80, 24))


class Screen:
    """What is shown to who reviews."""

    def __init__(self) -> None:
        dumb = "NO_COLOR" in os.environ or os.environ.get("TERM", "dumb") == "dumb"
        self._color = None if not dumb else False

    @property
    def width(self) -> int:
        """Columns to use now."""
        return max(_NARROWEST, min(_WIDEST, _size().columns))

    @property
    def height(self) -> int:
        """Lines of the terminal now."""
        return max(10, _size().lines)

    def show(self, lines: Iterable[Line]) -> None:
        """Print lines as they are."""
        for line in lines:
            style = {line.style: True} if line.style else {}
            click.echo(click.style(line.text, **style) if style else line.text, color=self._color)

    def say(self, text: str, first: str = "") -> None:
        """Print a text in as many lines as it needs."""
        self.show(map(Line, wrapped(text, self.width, first)))

    def ask(self, text: str) -> None:
        """Print a question, and stay in its line."""
        lines = wrapped(text, self.width - 2)
        self.show(map(Line, lines[:-1]))
        click.echo(lines[-1] + " ", nl=False, color=self._color)
        sys.stdout.flush()
