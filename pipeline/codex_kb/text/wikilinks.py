"""`[[…]]` links: what a claim names, and by what names it may be named; case and punctuation do not count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from codex_kb.text import marks

_LINK = re.compile(r"\[\[([^\[\]\n]{1,1000})\]\]")
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
    number, at = first_line, 0
    for line in marks.lines(body):
        if line.inside != "code" and "[[" in line.text and not line.text.lstrip().startswith(">"):
            number, at = number + body.count("\n", at, line.start), line.start
            for link in _LINK.findall(_CODE.sub("", line.text)):
                yield number, link


def depends_on(fields: Mapping[str, Any]) -> set[str]:
    """Keys of the names of the claims that a claim depends on, as `names_of` makes them."""
    return targets({"depends_on": fields.get("depends_on")}, "")


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
