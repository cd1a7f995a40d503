"""Every pattern that reads others' text takes linear time on it, however it was made."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

import codex_kb
from codex_kb.review import reading
from conftest import Base, grows_linearly

_ROOMS = ("text", "review", "propose", "index")
_CHARS = 1_000
_PAIRED = 12
#: Ordinary characters beside those of the pattern itself.
_ALWAYS = ("a", " ", "\n", "1", "A", ".")


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every compiled pattern of the rooms that read others' text."""
    for room in _ROOMS:
        package = importlib.import_module(f"codex_kb.{room}")
        names = [package.__name__, *(m.name for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))]
        for name in names:
            for key, value in vars(importlib.import_module(name)).items():
                if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                    yield f"{name.removeprefix(codex_kb.__name__ + '.')}.{key}", value


def repeated(pattern: re.Pattern[str]) -> list[str]:
    """Short texts to repeat: those of the pattern's own characters, alone and two by two."""
    own = dict.fromkeys(c for c in re.sub(r"\\[a-zA-Z]|\(\?[a-zA-Z<=!:]+", "", pattern.pattern) if not c.isalnum())
    chars = list(dict.fromkeys([*_ALWAYS, *own]))
    pairs = ("".join(pair) for pair in product(chars[:_PAIRED], chars[:_PAIRED]) if pair[0] != pair[1])
    words = re.findall(r"[A-Za-z]{3,}", pattern.pattern)[:3]
    return [*chars, *pairs, *words, "[a](", "[[a|", "a: "]


def only_at_one_place(name: str) -> bool:
    """Is a pattern only ever matched at a place that is known, not looked for?"""
    used = re.compile(rf"\b{name.rpartition('.')[2]}\.(\w+)\(")
    module = importlib.import_module(f"codex_kb.{name.rpartition('.')[0]}")
    ways = set(used.findall(Path(str(module.__file__)).read_text()))
    return bool(ways) and ways <= {"match", "fullmatch"}


def seconds(pattern: re.Pattern[str], text: str, once: bool) -> float:
    """Time of this process for all matches in a text."""
    start = time.process_time()
    if once:
        pattern.match(text), pattern.fullmatch(text)
    else:
        for _found in pattern.finditer(text):
            pass
    return time.process_time() - start


@pytest.mark.parametrize(("name", "pattern"), [pytest.param(n, p, id=n) for n, p in patterns()])
def test_a_pattern_grows_with_its_text(name: str, pattern: re.Pattern[str]) -> None:
    once = only_at_one_place(name)
    for unit in repeated(pattern):
        for start, end in (("", ""), ("", "\n"), ("x", "\x00"), ("- ", "x")):
            text = start + unit * (_CHARS // len(unit)) + end
            tries = (seconds(pattern, text, once) for _ in range(3))
            little = next(tries)
            if little >= 0.0005:
                little = min(little, *tries)
            if little < 0.0005:  # fast enough at any growth
                continue
            longer = start + unit * (4 * _CHARS // len(unit)) + end
            # Quadratic work would take 16 times as long; what is slow by chance is tried again.
            assert any(seconds(pattern, longer, once) < 9 * little for _ in range(3)), (name, unit, start, end)


def test_a_claim_of_nothing_but_open_links_is_searched(kb: Base) -> None:
    kb.claim("links", "Links that are never closed", body="[a](" * 60_000)
    assert kb.run("search", "links", "--json").json[0]["path"] == "codex/economics/links.md"


def test_a_line_that_begins_like_a_notice_takes_linear_time() -> None:
    grows_linearly(lambda size: reading.parse(f"## [ ] A title\n<!-- near: a{' 0.00 says b' * size}\n"), 4_000)
