"""A claim's argument, and the passages of it that are embedded."""

from __future__ import annotations

import re

from codex_kb.text import marks

_PASSAGE_WORDS = 100
_MOST_PASSAGES = 8

_HEADING = re.compile(r"^#{1,6} .*$", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*---+[ \t]*$", re.MULTILINE)
_WIKILINK = re.compile(r"\[\[([^\[\]|\n]++)(?:\|([^\[\]\n]++))?\]\]")
#: It ends before another begins: one that is never closed is not looked through again and again.
_ADDRESS = re.compile(r"\]\((?:[^)\n\]]|\](?!\())*+\)")
_EMPHASIS = re.compile(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}")


def prose(body: str) -> str:
    """A claim's argument: its body without headings, marks, and the links below it."""
    body = body.replace("\r\n", "\n")  # a clone may have other newlines, and the same claim
    text = _RULE.sub("", _HEADING.sub("", marks.without_context(body[: marks.closing(body)])))
    text = _WIKILINK.sub(lambda link: link[2] or link[1].rsplit("/", 1)[-1].removesuffix(".md"), text)
    return _EMPHASIS.sub("", _ADDRESS.sub("]", text)).strip()


def passages(body: str) -> list[str]:
    """The argument in passages of about 100 words that end with sentences; at most 8, longer ones where need be."""
    sentences = list(marks.plain_sentences(prose(body)))
    total = sum(len(sentence.split()) for sentence in sentences)
    most = max(_PASSAGE_WORDS, -(-total // _MOST_PASSAGES))
    found: list[str] = []
    open_: list[str] = []
    words = 0
    for sentence in sentences:
        size = len(sentence.split())
        if open_ and words + size > most and len(found) < _MOST_PASSAGES - 1:
            found.append(" ".join(open_))
            open_, words = [], 0
        open_.append(sentence)
        words += size
    if found and words < most / 4:
        found[-1] += " " + " ".join(open_)
    elif open_:
        found.append(" ".join(open_))
    return found
