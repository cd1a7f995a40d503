"""Links: what a claim names by `[[…]]`, by what names it may be named (case and punctuation aside), and paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from codex_kb.text import marks

_LINK = re.compile(r"\[\[([^\[\]\n]{1,1000})\]\]")
_PATH = re.compile(r"\]\((?:<([^<>\n]{1,1000})>|([^()<>\s]{1,1000}))[)\s]")
#: What has a scheme, or names a place in the same file.
_ELSEWHERE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//|#")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
#: A sentence with more links is a list, and says nothing of each; so what is kept of a text grows as the text does.
_MOST_LINKS = 5
_CODE = re.compile(r"`[^`\n]*`")
_WORD = re.compile(r"\w+")
#: Fields that name other claims, with or without brackets.
RELATIONS = ("depends_on", "challenged_by", "challenges", "related_claims", "related_to", "supports")
_LONGEST = 1000


def name_key(text: str) -> str:
    """Names that mean the same compare equal."""
    if "%" in text:
        from urllib.parse import unquote  # noqa: PLC0415 (a search needs none)

        text = unquote(text)
    return " ".join(_WORD.findall(text.replace("_", " ").casefold()))


def path_key(path: str) -> str:
    """Paths that mean the same compare equal: case and a suffix of Markdown do not count."""
    folded = path.casefold().removeprefix("./").removeprefix("/")
    return folded.removesuffix(".md").removesuffix(".markdown")


def names_of(path: str, title: str) -> set[str]:
    """Everything that a link to this claim may say, as keys."""
    keys = {path_key(path), name_key(PurePosixPath(path).stem), name_key(title)}
    if "/" in title:  # a link that says it looks like a path
        keys.add(path_key(title))
    return keys - {""}


def target(link: str) -> str:
    """The key of what a link's inside names."""
    named = re.split(r"[|#]", link, maxsplit=1)[0].strip()
    return path_key(named) if "/" in named else name_key(named.removesuffix(".md"))


def links_in(body: str, first_line: int = 1) -> Iterator[tuple[int, str]]:
    """(line, link) of every `[[…]]` that the text makes itself: not in code, not in quotes."""
    for number, text in _own_lines(body, first_line, "[["):
        for link in _LINK.findall(text):
            yield number, link


def paths_in(body: str, first_line: int = 1) -> Iterator[tuple[int, str]]:
    """(line, path) of every `[…](…)` that the text makes itself to a file beside it: no address, no place in itself."""
    for number, text in _own_lines(body, first_line, "]("):
        for angled, bare in _PATH.findall(text):
            if not _ELSEWHERE.match(angled or bare):
                yield number, angled or bare


def _own_lines(body: str, first_line: int, mark: str) -> Iterator[tuple[int, str]]:
    """(number, line without code) of the lines with a mark that are neither code nor quoted."""
    number, at = first_line, 0
    for line in marks.lines(body):
        if line.inside != "code" and mark in line.text and not line.text.lstrip().startswith(">"):
            number, at = number + body.count("\n", at, line.start), line.start
            yield number, _CODE.sub("", line.text)


def depends_on(fields: Mapping[str, Any]) -> set[str]:
    """Keys of the names of the claims that a claim depends on, as `names_of` makes them."""
    return targets({"depends_on": fields.get("depends_on")}, "")


def said(body: str) -> dict[str, list[str]]:
    """For each key that a body links to, the sentences that link to it, without what is in brackets."""
    found: dict[str, list[str]] = {}
    for _, line in _own_lines(body, 1, "[["):
        for sentence in _SENTENCE.split(line):
            links = _LINK.findall(sentence)
            if 0 < len(links) <= _MOST_LINKS:
                text = _LINK.sub(" ", sentence)
                for link in links:
                    found.setdefault(target(link), []).append(text)
    return found


def targets(fields: Mapping[str, Any], body: str) -> set[str]:
    """Keys of everything that a claim links to, in its body and in the fields that name claims."""
    found = {target(link) for _, link in links_in(body)}
    for field in RELATIONS:
        value = fields.get(field)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str) and len(item) <= _LONGEST:
                inside = _LINK.findall(item) or [item]
                found |= {target(link) for link in inside}
    return found - {""}
