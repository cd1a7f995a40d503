"""Markdown to sentences that know where they stand: `body[s.start:s.end] == s.text`, always.

Two passes, both linear: lines become blocks (what Markdown means), blocks become sentences (what the
language means). What no reader would call prose (code, tables, links, metadata) yields nothing.
Boundaries follow the rules of Golden Rules-style segmenters (a terminator, its closing marks, then
something that can open a sentence), with abbreviations looked up rather than learned
(Kiss & Strunk 2006, doi:10.1162/coli.2006.32.4.485, learn them; one source is too little text for that).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from codex_kb.text import marks
from codex_kb.text.marks import FINAL_STOPS, STOPS


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, verbatim: `text == body[start:end]`, in code points of the body.

    `section` is the text of the nearest heading above (or ""), `kind` is "prose", "item" (of a list),
    "quote" (in a blockquote) or "heading", and `paragraph` the index of the block that it stands in.
    """

    start: int
    end: int
    text: str
    section: str
    kind: str
    paragraph: int


@dataclass(slots=True)
class _Block:
    """Consecutive lines of one kind: (start, end) of what they say, without Markdown's prefixes."""

    kind: str
    section: str
    lines: list[tuple[int, int]] = field(default_factory=list)


def split(body: str) -> list[Sentence]:
    """All sentences of a Markdown body, in order, not overlapping; headings count as one each."""
    found: list[Sentence] = []
    for number, block in enumerate(_Blocks(body).read()):
        for start, end in _spans(body, block):
            found.append(Sentence(start, end, body[start:end], block.section, block.kind, number))
    return found


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LONG = 2_000  # characters: a longer line is prose, and no pattern below needs to look at all of it


# -- lines to blocks -----------------------------------------------------------------------------

_ATX = re.compile(r"(#{1,6})(?:[ \t]++(?=(.*))|$)", re.DOTALL)
_MARKER = re.compile(r"(?:[-*+•‣◦]|\(?(?:\d{1,3}|[A-Za-z]|[ivx]{1,4})[.)])[ \t]++(?:\[[ xX]\][ \t]++)?")
_COUNTED_ON = re.compile(r"(?!1[.)])\d")
_DEFINITION = re.compile(r"\[[^\]\n]{1,200}\]:(?:\s|$)")
_TABLE_RULE = re.compile(r"[ \t|:+-]*+$")
_LINKS_ONLY = re.compile(
    r"(?:!?\[\[[^\]]{1,500}\]\]|!?\[[^\]]{0,500}\]\([^)\s]{0,2000}\)|<?https?://[^\s>]++>?|(?:see|via|url|"
    r"link|links|source|and)\b:?|\W)*+$",
    re.IGNORECASE,
)
_LABEL = r"[*_]{0,2}[A-Z][\w'\u2019/&-]*+(?:[ \t]++[\w'\u2019/&-]++){0,3}[ \t]*+(?::[*_]{0,2}|[*_]{0,2}:)"
_KEY_VALUE = re.compile(_LABEL + r"(?:[ \t]++(?P<value>.{0,120}))?$", re.DOTALL)
_KNOWN_KEY = re.compile(
    r"[*_]{0,2}(?:primary connections?|kb connections?|(?:source )?urls?|website|twitter|telegram|discord|"
    r"github|authors?|by(?:line)?|date|published|created|updated|closed|completed|ended|status|project|"
    r"proposal|version|tags|doi|isbn|arxiv|launch (?:date|address)|token(?: mint)?|sources?(?: (?:pdf|file|"
    r"type))?|retweets|likes|replies|engagement|format|credit|photo|image|midjourney, prompt|saved from|"
    r"proposal (?:account|number)|dao account|proposer|autocrat version)[*_]{0,2}[ \t]*+:",
    re.IGNORECASE,
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]{0,6}\.?"
_STAMP = re.compile(
    rf"(?:[\d\s/:.,+|·•\u2013—-]|\b{_MONTH}(?=\W|\d|$)|\b(?:utc|gmt|est|pst|edt|pdt|am|pm|st|nd|rd|th|z|t)\b|"
    r"\b(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b|\bmin(?:utes?)? read\b)++$",
    re.IGNORECASE,
)
_BYLINE = re.compile(r"(?i:by)[ \t]++(?:[A-Z][\w.'\u2019-]*+[ \t,&]*+(?:(?:and|de|van|von|da|der)[ \t]++)?){1,6}$")
_END = tuple(STOPS + FINAL_STOPS)
_QUOTED_END = (*_END, *(stop + mark for stop in _END for mark in "\"'”\u2019)*_»"))


class _Blocks:
    """The block pass: one look at each line, with the little state that Markdown needs."""

    def __init__(self, body: str) -> None:
        self.body = body
        self.blocks: list[_Block] = []
        self.section = ""
        self.open: _Block | None = None
        self.in_list = False
        self.in_table = False
        self.after_blank = True

    def read(self) -> list[_Block]:
        """Every block that holds prose or a heading."""
        for line in marks.lines(self.body):
            if line.inside:
                self.open = None
            else:
                self._line(line.start, line.start + len(line.text))
        return [block for block in self.blocks if not _is_metadata(self.body, block)]

    def _line(self, start: int, end: int) -> None:
        quoted = False
        at = start
        while at < end and self.body[at] in " \t>":
            quoted = quoted or self.body[at] == ">"
            at += 1
        text = self.body[at:end].rstrip()
        end = at + len(text)
        if not text:
            self.open, self.in_table, self.after_blank = None, False, True
            return
        indented = not quoted and self.body[start:at].expandtabs(4).startswith("    ")
        marker = _MARKER.match(text)
        if marker and self.open is not None and self.open.kind == "prose" and _COUNTED_ON.match(text):
            marker = None  # "since Postgres / 11. A default": a list begins with 1 where it ends a paragraph
        if indented and self.after_blank and not self.in_list and not self.open:
            return  # indented code: stays `after_blank`, as every line of it is code
        self.after_blank = False
        if self._no_prose(text):
            return
        if not quoted and not self._continues(indented, marker is not None):
            self.in_list = False
        self._text(at, end, text, quoted, marker)

    def _continues(self, indented: bool, is_item: bool) -> bool:
        return self.open is not None or indented or is_item

    def _no_prose(self, text: str) -> bool:
        """Rules, tables, images, definitions, raw HTML and lines of mere links end a paragraph."""
        if self._underline(text):
            return True
        bars = text.startswith("|") or (self.in_table and "|" in text)
        rule = "|" in text and "-" in text and _TABLE_RULE.match(text) is not None
        if rule and self.open is not None:
            self.open.lines.pop()  # the line above was the table's head
            if not self.open.lines:
                self.blocks.pop()
        self.in_table = bars or rule
        squeezed = "".join(text.split())
        ruled = len(squeezed) > 2 and squeezed[0] in "-*_=" and len(set(squeezed)) == 1
        empty = self.in_table or ruled or (text.startswith(("![", "<")) and _tag_or_image(text))
        if not (empty or _DEFINITION.match(text) or _is_key(text) or _is_links(text)):
            return False
        self.open = None
        return True

    def _underline(self, text: str) -> bool:
        """A setext heading's second line, unless the line above it is a sentence of its own."""
        if self.open is None or self.open.kind != "prose" or len(self.open.lines) != 1:
            return False
        if len(text) < 3 or text[0] not in "=-" or len(set(text)) > 1:
            return False
        above = self.body[slice(*self.open.lines[0])]
        if not above.endswith(_QUOTED_END):
            self.section = above.strip("*_ ")
            self.open.kind, self.open.section = "heading", self.section
        self.open = None
        return True

    def _text(self, at: int, end: int, text: str, quoted: bool, marker: re.Match[str] | None) -> None:
        heading = _ATX.match(text)
        if heading:
            inner = (heading[2] or "").rstrip("#").rstrip()
            at += heading.end()
            self.section = inner.strip("*_ ")
            self.in_list, self.open = False, None
            if inner:
                self.blocks.append(_Block("heading", self.section, [(at, at + len(inner))]))
            return
        if marker:
            at += marker.end()
            self.in_list = True
            if at < end:
                self._start("quote" if quoted else "item", at, end)
        elif self.open is not None and self.open.kind == "item" and not quoted and self._leaves(at, text):
            self.in_list = False
            self._start("prose", at, end)
        elif self.open is not None and (self.open.kind == "quote") >= quoted:
            self.open.lines.append((at, end))
        else:
            self._start("quote" if quoted else "item" if self.in_list else "prose", at, end)

    def _leaves(self, at: int, text: str) -> bool:
        """Whether a line below an item, not indented, begins a sentence of its own and is not the item's wrapped rest.

        The item has ended, or its line had room for this one's first word, so that it was broken on purpose.
        """
        opening = _NEXT.sub("", text[:60], count=1)
        if not opening[:1].isupper() or (at and self.body[at - 1] not in "\r\n"):
            return False
        start, end = self.open.lines[-1] if self.open else (0, 0)
        word = _WORD.match(opening)
        begins = word is not None and word[0].lower() in _OPENERS
        room = end - start + len(opening.split(maxsplit=1)[0]) < len(text)
        return begins or room or self.body[start:end].endswith((*_QUOTED_END, ":", ";"))

    def _start(self, kind: str, at: int, end: int) -> None:
        self.open = _Block(kind, self.section, [(at, end)])
        self.blocks.append(self.open)


def _tag_or_image(text: str) -> bool:
    return text.endswith((")", ">")) and text.count("](") <= 1 and len(text) < _LONG


def _is_links(line: str) -> bool:
    return len(line) < _LONG and _LINKS_ONLY.match(line) is not None


def _is_key(line: str) -> bool:
    marker = _MARKER.match(line)
    key = _KNOWN_KEY.match(line, marker.end() if marker else 0)
    return key is not None and not line.endswith(_QUOTED_END)


def _is_metadata(body: str, block: _Block) -> bool:
    """Keys with values, bylines, timestamps: about the source, not of it."""
    if block.kind == "heading":
        return False
    lines = [body[start : min(end, start + _LONG)] for start, end in block.lines]
    if all(_STAMP.match(line) or _BYLINE.match(line) for line in lines):
        return True
    if len(lines) == 1:
        return False
    pairs = [_KEY_VALUE.match(line) for line in lines]
    return all(pair and _is_value(pair["value"] or "") for pair in pairs)


def _is_value(text: str) -> bool:
    """Short enough for a field's value: names, numbers, dates, an address."""
    return len(text.split()) <= 4 and not text.endswith(_END)


# -- blocks to sentences -------------------------------------------------------------------------

_STOP = re.compile(
    rf"(?<![{STOPS}])[{STOPS}]++(?:[\"'”\u2019»)\]*_~`]|\[\^?[\w, \u2013-]{{1,12}}\])*+(?=\s|$)|"
    rf"(?<![{FINAL_STOPS}])[{FINAL_STOPS}]++[\"'”\u2019»」』\uff09)\]*_]*+"
)
_BEFORE = re.compile(r"[^\s(\[\"“'\u2018*_]*$")
_NEXT = re.compile(r"[\s\"“”'\u2018\u2019«(\[*_~`>#¿¡-]*+")
_DOTTED = re.compile(r"(?:[^\W\d_]\.)*[A-Z]|(?:[^\W\d_]\.)+[^\W\d_]")
_WORD = re.compile(r"[^\W\d]+")
_NUMBERED = _words("figure table chapter section step exhibit part appendix note")
_NEVER = _words(
    "mr mrs ms dr prof st gen sen rep gov hon rev vs v e.g i.e eg ie cf fig figs eq eqs sec ch vol pp p "
    "approx ca est ed eds al resp viz dept univ mt ft lt col capt sgt art arts ref refs tab ver bzw bspw vgl "
    "evtl ggf inkl sog str jh mio mrd hrsg sra dra ud uds"
)
_MAYBE = _words(
    "etc inc corp ltd co llc plc jr sr bros al u.s u.k u.n e.u u.s.a d.c p.m a.m ph.d m.d b.a m.a st ave "
    "jan feb mar apr jun jul aug sep sept oct nov dec est ed usw"
)
_GERMAN_MONTHS = _words("januar februar märz april mai juni juli august september oktober november dezember")
_OPENERS = _words(
    "the a an in on at it its this that these those they we he she i you but and so however for if when "
    "while as by to there our their his her some many most all each both one what why how with since "
    "although though then thus yet still even only not no none"
)


def _spans(body: str, block: _Block) -> Iterator[tuple[int, int]]:
    """(start, end) of each sentence of a block that says anything."""
    if block.kind == "heading":
        yield block.lines[0]
        return
    view = "\n".join(body[start:end] for start, end in block.lines)
    heads = [0]
    for start, end in block.lines[:-1]:
        heads.append(heads[-1] + end - start + 1)
    cuts = sorted({0, len(view), *_stops(view), *_hard_breaks(view, heads)})
    for left, right in pairwise(cuts):
        piece = view[left:right]
        start, end = left + len(piece) - len(piece.lstrip()), left + len(piece.rstrip())
        if any(char.isalnum() for char in piece):
            yield _place(block, heads, start), _place(block, heads, end - 1) + 1


def _place(block: _Block, heads: list[int], at: int) -> int:
    """Where the view's character `at` stands in the body."""
    line = bisect_right(heads, at) - 1
    return block.lines[line][0] + at - heads[line]


def _hard_breaks(view: str, heads: list[int]) -> Iterator[int]:
    """Line ends that end a sentence without a full stop: labels, verses, captions of a page dump.

    A line that was wrapped is nearly as long as its neighbours; one that is short, and followed by a
    line that can open a sentence, was ended on purpose.
    """
    widest = max((right - left for left, right in pairwise([*heads, len(view) + 1])), default=0)
    for left, right in pairwise(heads):
        after = view[right : right + 60]
        if _LEAD_IN.match(after):
            yield right
        elif right - left < max(40, 0.6 * widest) and view[right - 2 : right - 1] not in (",", ";", "-", "—"):
            opening = _NEXT.sub("", after, count=1)[:1]
            if opening.isupper() or opening.isdigit():
                yield right


_LEAD_IN = re.compile(r"[*_]{2}[^*_\n]{1,80}[*_]{2}|[A-Z][A-Z' ]{3,40}:|[-*•]\s|@\w+\s*:")


def _stops(view: str) -> Iterator[int]:
    """Where a terminator ends a sentence."""
    previous = 0
    for found in _STOP.finditer(view):
        if _ends(view, found, previous):
            previous = found.end()
            yield previous


def _ends(view: str, stop: re.Match[str], previous: int) -> bool:
    mark = stop[0]
    if mark[0] in FINAL_STOPS or stop.end() == len(view):
        return True
    opening = _NEXT.match(view, stop.end())
    at = opening.end() if opening else stop.end()
    if view[at : at + 1].islower():
        return False
    if mark[0] != "." or mark.startswith(".."):
        return True
    token = _BEFORE.search(view[max(previous, stop.start() - 24) : stop.start()])
    before = token[0] if token else ""
    lead = view[max(previous, stop.start() - 40) : stop.start() - len(before)]
    return not _abbreviates(before, lead, view[at : at + 20])


def _abbreviates(before: str, lead: str, after: str) -> bool:
    """Whether the full stop between two words belongs to the first; `lead` stands before it."""
    following = _WORD.match(after)
    next_word = following[0].lower() if following else ""
    if before.isdigit():
        return next_word in _GERMAN_MONTHS or _is_number(lead)
    if before.islower() and len(before) == 1 and after[1:2] == ".":
        return True  # "z. B."
    word = before.lower()
    if word in ("no", "nos"):  # "No. 5", but "Is it so? No. It is not."
        return after[:1].isdigit()
    if word in _MAYBE or _DOTTED.fullmatch(before):
        return next_word not in _OPENERS
    return word in _NEVER


def _is_number(lead: str) -> bool:
    """Whether a number with this before it counts items or figures: "3. The third", "Figure 2. Sales"."""
    words = lead.lower().split()
    return not words or (len(words) == 1 and words[0].strip("*_(") in _NUMBERED)
