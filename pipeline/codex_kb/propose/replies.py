"""What a language model answered, as far as it can be used: checked by us, whatever schema it was given.

Nothing raises but ValueError, whose short reason holds no word of the answer. Single bad items are dropped and
counted. A value outside a closed list never gets through: it is empty, or its item is dropped.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, cast, get_args

from codex_kb.records import Relation
from codex_kb.text.fields import CONFIDENCES
from codex_kb.text.marks import one_line

T = TypeVar("T")

_LONGEST = 1_000_000  # characters of an answer
_DEEPEST = 32
_TRIES = 5  # places where the JSON may begin
_LOOKED_AT = 3  # times the limit: items beyond are not looked at
_TITLE, _DESCRIPTION, _QUOTE, _QUOTES, _DOMAIN, _REASON, _POINT = 300, 600, 1000, 3, 80, 400, 600  # characters

_OPENS = re.compile(r'\{\s*+"|\[\s*+\{')
#: A string that is not closed reaches to the end, so that nothing is read twice.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[{}\[\]]', re.DOTALL)
_ECHO = re.compile(r"this note argues that\s+", re.IGNORECASE)
_QUOTED = re.compile(r'(?:"(?P<a>[^"]+)"|\u201c(?P<b>[^\u201c\u201d]+)\u201d|\u201e(?P<c>[^\u201e\u201c]+)\u201c)$')


@dataclass(frozen=True, slots=True)
class Candidate:
    """A claim as a model gave it; `confidence` is one of the known ones or empty, quotes are not located yet."""

    title: str
    quotes: tuple[str, ...]
    description: str = ""
    domain: str = ""
    confidence: str = ""


class Kept(list[Candidate]):
    """The claims that can be used; `dropped` counts the others by reason."""

    def __init__(self) -> None:
        super().__init__()
        self.dropped: Counter[str] = Counter()


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a claim relates to what is known; `claim` counts from 0 in the list that was asked about."""

    relation: Relation
    claim: int | None
    reason: str


class Point(NamedTuple):
    """One point of a debate; its quote is not located yet, and may be empty."""

    point: str
    quote: str


def candidates(text: str, limit: int) -> Kept:
    """At most `limit` claims. Raises ValueError where there were some and none can be used."""
    return _kept(text, limit, _candidate)


def chosen(text: str, proposed: Sequence[Candidate], limit: int) -> Kept:
    """At most `limit` claims made of the proposed ones, with no quotes but theirs. Raises as `candidates` does."""
    return _kept(text, limit, lambda item: _choice(item, proposed))


def relation(text: str, n: int) -> Judgement:
    """How a claim relates to one of `n` that it was compared with. Raises ValueError where it does not say."""
    said = _first(text, lambda value: _object(value, "relation"))
    name = _word(said["relation"])
    if name not in get_args(Relation):
        raise ValueError(f"the relation is not one of {', '.join(get_args(Relation))}")
    claim = _number(said.get("claim"), n)
    if name == "new":
        claim = None
    elif claim is None and n == 1:
        claim = 0
    elif claim is None:
        raise ValueError(f"claim is not a number from 1 to {n}")
    return Judgement(cast(Relation, name), claim, _prose(said.get("reason"), _REASON))


def point(text: str) -> Point:
    """A point and its quote. Raises ValueError where no point is made."""
    said = _first(text, lambda value: _object(value, "point"))
    made = _prose(said["point"], _POINT)
    if not _says_something(made):
        raise ValueError("the point is empty")
    return Point(made, next(_quotes(said.get("quote")), ""))


# -- items ---------------------------------------------------------------------------------------


class _Dropped(Exception):
    """This item cannot be used; the argument says why."""


def _kept(text: str, limit: int, read: Callable[[Any], Candidate]) -> Kept:
    items = _first(text, _items)
    kept = Kept()
    titles: set[str] = set()
    for item in items[: _LOOKED_AT * max(0, limit)]:
        try:
            candidate = read(item)
            if candidate.title.casefold() in titles:
                raise _Dropped("said twice")
            if len(kept) == limit:
                raise _Dropped("more than asked for")
        except _Dropped as reason:
            kept.dropped[str(reason)] += 1
        else:
            titles.add(candidate.title.casefold())
            kept.append(candidate)
    kept.dropped["more than asked for"] += max(0, len(items) - _LOOKED_AT * max(0, limit))
    kept.dropped += Counter()  # leaves out what was dropped 0 times
    if items and limit > 0 and not kept:
        raise ValueError("no claim can be used: " + ", ".join(f"{n} {why}" for why, n in sorted(kept.dropped.items())))
    return kept


def _object(value: Any, name: str) -> dict[str, Any] | None:
    return value if isinstance(value, dict) and name in value else None


def _items(value: Any) -> list[Any] | None:
    if isinstance(value, dict):
        if isinstance(value.get("claims"), list):
            return cast(list[Any], value["claims"])
        return [value] if "title" in value else None
    return value if isinstance(value, list) else None


def _candidate(item: Any) -> Candidate:
    given = _fields(item)
    quotes = tuple(_quotes(item.get("quotes", item.get("quote"))))
    if not given.title:
        raise _Dropped("without a title")
    if not quotes:
        raise _Dropped("without a quote")
    return Candidate(given.title, quotes[:_QUOTES], given.description, given.domain, given.confidence)


def _choice(item: Any, proposed: Sequence[Candidate]) -> Candidate:
    given = _fields(item)
    named = item.get("numbers", item.get("number"))
    found = (_number(each, len(proposed)) for each in (named[:100] if isinstance(named, list) else [named]))
    behind = [proposed[number] for number in dict.fromkeys(found) if number is not None]
    if not behind:
        raise _Dropped("naming no proposed claim")
    first = behind[0]
    # The first quote of each, then the second of each: all of them stand behind what is merged.
    rounds = range(max(len(each.quotes) for each in behind))
    quotes = dict.fromkeys(each.quotes[row] for row in rounds for each in behind if row < len(each.quotes))
    return Candidate(
        given.title or first.title, tuple(quotes)[:_QUOTES], given.description or first.description,
        given.domain or first.domain, given.confidence or first.confidence,
    )  # fmt: skip


def _fields(item: Any) -> Candidate:
    if not isinstance(item, dict):
        raise _Dropped("not an object")
    title = _ECHO.sub("", _prose(item.get("title"), _TITLE).strip("#*_ "), count=1)
    confidence = _word(item.get("confidence"))
    return Candidate(
        title.removesuffix(".") if _says_something(title) else "", (), _prose(item.get("description"), _DESCRIPTION),
        _folder(item.get("domain")), confidence if confidence in CONFIDENCES else "",
    )  # fmt: skip


# -- values --------------------------------------------------------------------------------------


def _line(value: Any, most: int) -> str:
    """A text on one line, cut to `most` characters; empty for all that is no text."""
    return one_line(value[: 4 * most])[:most].rstrip() if isinstance(value, str) else ""


def _prose(value: Any, most: int) -> str:
    """A line that cannot open or close a comment where it is shown."""
    return _line(value, most).replace("<!--", "<! --").replace("-->", "-- >")


def _word(value: Any) -> str:
    return _line(value, 20).casefold()


def _folder(value: Any) -> str:
    """A domain in letters, digits and hyphens."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", _line(value, _DOMAIN)).casefold())
    return "-".join(words)[:_DOMAIN].strip("-")


def _number(value: Any, n: int) -> int | None:
    """A number from 1 to n, from 0."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 10:
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= n
    return value - 1 if whole else None


def _quotes(value: Any) -> Iterator[str]:
    """Quotes that say something, without the quotation marks that a model likes to put around them."""
    for each in value[:10] if isinstance(value, list) else [value]:
        quote = _line(each, _QUOTE)
        if inner := _QUOTED.match(quote):
            quote = (inner["a"] or inner["b"] or inner["c"]).strip()
        if _says_something(quote):
            yield quote


def _says_something(text: str) -> bool:
    return any(map(str.isalnum, text))


# -- JSON ----------------------------------------------------------------------------------------


def _first(text: str, usable: Callable[[Any], T | None]) -> T:
    """The first JSON value in the text that is usable; a fence or prose may stand around it."""
    if len(text) > _LONGEST:
        raise ValueError("the answer is too long")
    found = False
    for span in _spans(text):
        found = True
        try:
            value = usable(json.loads(span, strict=False, parse_int=_int, parse_float=_none, parse_constant=_none))
        except ValueError:
            continue
        if value is not None:
            return value
    raise ValueError("its JSON is not what was asked for" if found else "there is no JSON in it")


def _spans(text: str) -> Iterator[str]:
    """Balanced objects and arrays that are not nested too deep, in their order; looks at few beginnings."""
    at = 0
    for _ in range(_TRIES):
        opens = _OPENS.search(text, at)
        if opens is None:
            return
        depth, at = 0, opens.start() + 1
        for token in _TOKEN.finditer(text, opens.start()):
            depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
            if depth == 0:
                at = token.end()
                yield text[opens.start() : at]
            if depth in (0, _DEEPEST):
                break


def _int(digits: str) -> int | None:
    return int(digits) if len(digits) < 10 else None


def _none(_: str) -> None:
    return None
