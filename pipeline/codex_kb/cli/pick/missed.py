"""A claim that nobody proposed: its sentences are picked from the source by their numbers, and it is put in words."""

from __future__ import annotations

import re

from codex_kb.cli.pick.keys import Keys
from codex_kb.cli.pick.screen import Line, Screen, plain, wrapped
from codex_kb.text.marks import one_line
from codex_kb.text.passages import prose
from codex_kb.text.sentences import Sentence, split

_NUMBERS = re.compile(r"(\d{1,6})(?:\s*[-,\s]\s*(\d{1,6}))?$")
_HOW = "number (12 or 12-13), n further, b back, Enter leaves:"


def ask(keys: Keys, screen: Screen, body: str, near: int) -> tuple[str, str] | None:
    """(title, quote) of a claim that a person adds; None where they leave. `near` is where in the body to begin.

    Raises:
        Ended: no more keys come.
    """
    sentences = split(body)
    if not sentences:
        screen.say("this source has no sentences")
        return None
    found = _picked(keys, screen, sentences, near)
    if found is None:
        return None
    first, last = found
    quote = body[sentences[first].start : sentences[last].end]
    screen.say(quote, "> ")
    title = keys.line("the claim in one sentence (Ctrl-U clears the line): ", plain(one_line(prose(quote))))
    return (title, quote) if title else None


def _picked(keys: Keys, screen: Screen, sentences: list[Sentence], near: int) -> tuple[int, int] | None:
    """The first and last sentence that are meant, by their place in the list."""
    at = max(0, next((n for n, each in enumerate(sentences) if each.end > near), 0) - 2)
    while True:
        after = _window(screen, sentences, at)
        typed = keys.line(f"{_HOW} ")
        if not typed or typed == "q":
            return None
        if typed in ("n", "b"):
            at = max(0, at - (after - at)) if typed == "b" else (after if after < len(sentences) else at)
            continue
        numbers = _NUMBERS.match(typed)
        first = int(numbers[1]) - 1 if numbers else -1
        last = int(numbers[2] or numbers[1]) - 1 if numbers else -1
        if 0 <= first <= last < len(sentences):
            return first, last
        screen.say(f"not understood: {typed}; the sentences are 1 to {len(sentences)}: 12, or 12-13 for several")


def _window(screen: Screen, sentences: list[Sentence], at: int) -> int:
    """Show as many numbered sentences as fit from one on; the next one after them."""
    room, width = screen.height - 4, screen.width
    after = at
    for each in sentences[at:]:
        lines = wrapped(each.text, width, f"{after + 1:4}  ")
        if len(lines) > room and after > at:
            break
        screen.show(map(Line, lines))
        room -= len(lines)
        after += 1
    return after
