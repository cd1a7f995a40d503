"""Two sides argue about a proposal by turns; a point holds if its quote stands where it says.

After Irving, Christiano & Amodei 2018 (arXiv:1805.00899). The judge is a person; this only counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from codex_kb.records import Turn
from codex_kb.text.ground import locate
from codex_kb.text.marks import one_line, visible

Side = Literal["for", "against"]

#: Turns of a debate, both sides together.
ROUNDS = 4
#: Letters and digits that a quote has at least: a point does not hold because "the" stands in the source.
_FEWEST = 8
_MOST = 2000  # characters of a point or a quote that are shown
#: Markdown that could open a tag, a comment, a link, an image or code.
_HARMLESS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "[": "\\[", "]": "\\]", "`": "\\`", "\\": "\\\\"})


def next_side(turns: Sequence[Turn], rounds: int = ROUNDS) -> Side | None:
    """Whose turn it is, None at the end; "for" begins."""
    if len(turns) >= rounds:
        return None
    return "against" if len(turns) % 2 else "for"


def judge_point(side: Side, point: str, quote: str, places: Sequence[tuple[str, str]]) -> Turn:
    """The point with its quote word for word, and the first of the places, (path, text), that it stands in."""
    if sum(map(str.isalnum, visible(quote))) >= _FEWEST:
        for path, text in places:
            span = locate(quote, text)
            if span is not None:
                return Turn(side, point, text[slice(*span)], path)
    return Turn(side, point, quote, "")


def standing(turns: Sequence[Turn]) -> tuple[int, int]:
    """How many points hold: for, against."""
    holds = [turn.side for turn in turns if turn.place]
    return holds.count("for"), holds.count("against")


def render(turns: Sequence[Turn]) -> str:
    """The debate as folded Markdown, ending in a newline; empty without turns. No line begins with others' words."""
    if not turns:
        return ""
    held, against = standing(turns)
    blocks = [f"<details>\n<summary>Debate: points that hold: {held} for, {against} against</summary>"]
    for turn in turns:
        where = _harmless(turn.place) if turn.place else "not located: the point is lost"
        blocks.append(f"**{turn.side.capitalize()}:** {_harmless(turn.point)}")
        blocks.append(f"“{_harmless(turn.quote)}” ({where})" if turn.quote else f"No quote ({where})")
    return "\n\n".join([*blocks, "</details>"]) + "\n"


def _harmless(text: str) -> str:
    line = one_line(text[: 2 * _MOST])
    return (line if len(line) <= _MOST else line[:_MOST] + "…").translate(_HARMLESS)
