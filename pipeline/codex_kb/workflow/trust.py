"""`codex trust`: what a clone's settings want to reach or run, and what the user said to it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from codex_kb.disk import trust as kept
from codex_kb.disk.transaction import write_failed
from codex_kb.kb import KnowledgeBase


class Trust(NamedTuple):
    """What the settings at a root want, and what of it is granted."""

    root: Path
    wants: tuple[str, ...]
    granted: frozenset[str]

    @property
    def whole(self) -> bool:
        """Is everything granted that is wanted?"""
        return self.granted.issuperset(self.wants)


def look(kb: KnowledgeBase) -> Trust:
    """What is wanted and granted now."""
    return Trust(kb.layout.root, kb.wants(), kept.granted(kb.layout.root))


def grant(shown: Trust) -> Trust:
    """Grant what was shown, and nothing else. Raises WriteFailed."""
    try:
        kept.grant(shown.root, shown.wants)
    except OSError as error:
        raise write_failed(error, shown.root) from error
    return shown._replace(granted=frozenset(shown.wants))


def forget(kb: KnowledgeBase) -> bool:
    """Grant nothing any more; was anything granted? Raises WriteFailed."""
    try:
        return kept.forget(kb.layout.root)
    except OSError as error:
        raise write_failed(error, kb.layout.root) from error
