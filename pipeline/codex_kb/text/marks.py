"""What lines and characters of Markdown mean, said once: code and comments, ends of sentences, what no reader sees,
and what closes a claim.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

# -- lines ---------------------------------------------------------------------------------------

_LINE = re.compile(r"([^\r\n]*+)(?:\r\n|\r|\n)?")
_QUOTE = re.compile(r" {0,3}> ?")
_ITEM = re.compile(r" {0,3}(?:[-+*]|\d{1,9}[.)])(?: {1,4}(?=[^ ])| |$)")
_FENCE = re.compile(r" {0,3}(?P<marks>`{3,}+(?!.*`)|~{3,}+)")
_CLOSES = re.compile(r" {0,3}(?P<marks>`{3,}+|~{3,}+)$")
_COMMENT = re.compile(r" {0,3}<!--")
#: Quotes and list items within each other that are told apart.
_DEEPEST = 32

Inside = Literal["", "code", "comment"]


class Line(NamedTuple):
    """One line, without its end, and the block that it belongs to: fenced code (its fences too), a comment, or none."""

    start: int
    text: str
    inside: Inside


def lines(body: str) -> Iterator[Line]:
    """The lines of a Markdown body in order. Linear."""
    blocks = _Blocks() if "```" in body or "~~~" in body or "<!--" in body else None
    for found in _LINE.finditer(body):
        if found.end() > found.start():
            yield Line(found.start(), found[1], blocks.read(found[1]) if blocks else "")


class _Blocks:
    """Fenced code and comments, in quotes and list items too (CommonMark 0.31: 4.5, 4.6, 5.1, 5.2)."""

    def __init__(self) -> None:
        self._around: list[int] = []  # of each open container the columns of an item's content, 0 for a quote
        self._inside: Inside = ""
        self._fence = ""

    def read(self, line: str) -> Inside:
        """What the next line belongs to."""
        line = line.expandtabs(4).rstrip(" ")
        at, depth = self._continued(line)
        if depth < len(self._around):  # what stood in a container ends with it
            del self._around[depth:]
            self._inside = ""
        fence = _CLOSES.match(line, at) if self._inside == "code" else None
        inside = self._inside or self._opened(line, self._entered(line, at))
        closed = fence and fence["marks"].startswith(self._fence)
        if closed or (inside == "comment" and "-->" in line):
            self._inside = ""
        else:
            self._inside = inside
        return inside

    def _continued(self, line: str) -> tuple[int, int]:
        """Where the line goes on after the containers that it continues, and how many these are."""
        at = 0
        for depth, columns in enumerate(self._around):
            quote = None if columns else _QUOTE.match(line, at)
            if quote:
                at = quote.end()
            elif columns and line.startswith(" " * columns, at):
                at += columns
            elif not columns or at < len(line):
                return at, depth
        return at, len(self._around)

    def _entered(self, line: str, at: int) -> int:
        """Where the line goes on after the containers that it opens."""
        while len(self._around) < _DEEPEST:
            item = None
            opens = _QUOTE.match(line, at) or (item := _ITEM.match(line, at))
            if opens is None:
                break
            self._around.append(item.end() - at + (item.end() == len(line)) if item else 0)
            at = opens.end()
        return at

    def _opened(self, line: str, at: int) -> Inside:
        """What begins at this place of the line."""
        fence = _FENCE.match(line, at)
        if fence:
            self._fence = fence["marks"]
            return "code"
        return "comment" if _COMMENT.match(line, at) else ""


# -- sentences -----------------------------------------------------------------------------------

#: What ends a sentence where white space follows, and what ends one whatever follows.
STOPS, FINAL_STOPS = ".!?…", "。\uff01\uff1f؟।॥"
_SHUT = "”’»」』\uff09"
#: Between two paragraphs or list items.
BLOCK = re.compile(r"\n\s*\n|\n(?=[ \t]*(?:[-*+#]|\d+[.)])[ \t])")
#: Between two sentences, at a glance: after a stop and its closing marks, before what can open a sentence.
#: `sentences.split` is exact: it knows Markdown, abbreviations and places.
BETWEEN = re.compile(
    rf"(?:(?<=[{STOPS}])[\"')\]*_]*+|(?<=[{STOPS}][{_SHUT}]))\s++(?=[^\W_a-z]|[\"'“‘«(\[*_])|"
    rf"(?:(?<=[{FINAL_STOPS}])|(?<=[{FINAL_STOPS}][{_SHUT}]))(?![{FINAL_STOPS}{_SHUT}\"')\]*_])\s*+(?=\S)"
)


def plain_sentences(text: str) -> Iterator[str]:
    """The sentences of text without Markdown's marks, each on one line."""
    for block in BLOCK.split(text):
        yield from (sentence for sentence in BETWEEN.split(" ".join(block.split())) if sentence)


# -- characters ----------------------------------------------------------------------------------

#: What no reader sees: controls that are no white space, format and tag characters, variation selectors, fillers,
#: surrogates (Unicode's Default_Ignorable_Code_Point and the categories Cc and Cs).
HIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_ODD_SPACE = re.compile("[\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")


def visible(text: str) -> str:
    """The text without what no reader sees; `ground.locate` finds in the text what is quoted from this."""
    return _ODD_SPACE.sub(" ", HIDDEN.sub("", text))


def counted(number: int, what: str) -> str:
    """So many of something: `1 file`, `2 files`."""
    return f"{number} {what}{'s' * (number != 1)}"


def one_line(text: str) -> str:
    """White space folded, control and invisible format characters out."""
    return " ".join(visible(text).split())


# -- claims --------------------------------------------------------------------------------------

#: What stands above the source's words around a quote.
CONTEXT = "In its context:"
_CONTEXT = re.compile(rf"^{CONTEXT}[ \t]*+(?:\r?\n[ \t]*+)*+(?:>[^\n]*+(?:\n|\Z))*+", re.MULTILINE)

_CLOSING = re.compile(
    r"[ \t]*(?:\*\*|#+ *)?(?:Relevant Notes|Topics|Related(?: Claims| Notes)?):?(?:\*\*)?:?[ \t]*$", re.IGNORECASE
)
_RULE = re.compile(r"[ \t]*-{3,}[ \t]*$")


def without_context(body: str) -> str:
    """A claim's body without what stands around its quotes: the words of the source, which its other claims share."""
    return _CONTEXT.sub("", body)


def closing(body: str) -> int:
    """Where what closes a claim begins: its first "Relevant Notes:", "Topics:" or "Related Claims:", or the rule above.

    Without any: the body's end.
    """
    rule: int | None = None
    for line in lines(body):
        if line.inside:
            rule = None
        elif _CLOSING.match(line.text):
            return line.start if rule is None else rule
        elif line.text.strip():
            rule = line.start if _RULE.match(line.text) else None
    return len(body)
