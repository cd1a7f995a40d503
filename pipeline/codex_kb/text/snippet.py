"""The part of a text that shows why it was found."""

from __future__ import annotations

import re
from collections.abc import Mapping

from codex_kb.text import marks
from codex_kb.text.words import found_terms, terms

_FRONTMATTER = re.compile(r"\ufeff?---[ \t]*\r?\n.*?^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_QUOTED = re.compile(r"^[ \t]*(?:>[ \t]?)+", re.MULTILINE)
#: Below a quote: where it is from.
_CITATION = re.compile(r"^[ \t]*\u2014 \[.*$", re.MULTILINE)
_HEADING = re.compile(r"^# ", re.MULTILINE)
_LINE = 240
#: So many words tell a sentence from others, and are not often parted by marks of Markdown.
_WORDS = 4


def body_of(text: str) -> str:
    """A Markdown file's text without its frontmatter."""
    found = _FRONTMATTER.match(text)
    return text[found.end() :] if found else text


def line_of(text: str, sentence: str) -> int:
    """The line of a Markdown file, from 1, in which a sentence of `best` begins; that of its heading where in none."""
    body = len(text) - len(body_of(text))
    words = sentence.removeprefix("…").split()[:_WORDS]
    found = re.compile(r"\s+".join(map(re.escape, words))).search(text, body) if words else None
    found = found or _HEADING.search(text, body)
    return text.count("\n", 0, found.start() if found else body) + 1


def best(text: str, worth: Mapping[str, float]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The sentence whose words are worth most, at most 240 characters, and where those words stand in it.

    `worth` says what each term that was asked for counts. Where no sentence has any: nothing.
    """
    chosen, most = "", 0.0
    for sentence in marks.plain_sentences(_CITATION.sub("", _QUOTED.sub("", marks.without_context(text)))):
        has = set(terms(sentence))
        value = sum(weight for term, weight in worth.items() if term in has)
        if value > most:
            chosen, most = sentence, value
    places = [(start, end) for term, start, end in found_terms(chosen) if term in worth]
    return _cut(chosen, places)


def _cut(sentence: str, places: list[tuple[int, int]]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The sentence, or the part of it around the first word that matches."""
    if len(sentence) <= _LINE:
        return sentence, tuple(places)
    first = places[0][0] if places else 0
    start = 0 if first < _LINE // 2 else sentence.rfind(" ", 0, first - _LINE // 4) + 1
    end = min(len(sentence), start + _LINE)
    lead, tail = "…" * (start > 0), "…" * (end < len(sentence))
    moved = tuple((a - start + len(lead), b - start + len(lead)) for a, b in places if a >= start and b <= end)
    return lead + sentence[start:end] + tail, moved
