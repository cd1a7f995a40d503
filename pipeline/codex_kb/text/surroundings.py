"""What stands around a quote: the sentences before and after it, for a person to read it in its place."""

from __future__ import annotations

from collections.abc import Sequence

from codex_kb.text.sentences import Sentence

_MOST = 600  # characters a side: a list without stops may be one endless sentence


def around(sentences: Sequence[Sentence], start: int, end: int, count: int = 2) -> tuple[int, int]:
    """(from, to): body[from:to] holds body[start:end] and so many sentences before and after it.

    `sentences` are those of the body, in order. What would be longer than 600 characters a side is left out.
    """
    before = [each.start for each in sentences if each.end <= start][-count:]
    after = [each.end for each in sentences if each.start >= end][:count]
    first = next((at for at in before if start - at <= _MOST), start)
    last = next((at for at in reversed(after) if at - end <= _MOST), end)
    return first, last
