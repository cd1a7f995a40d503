"""What people recorded against a claim, as its file says it."""

from __future__ import annotations

import re

from codex_kb.records import Claim
from codex_kb.text import marks
from codex_kb.text.fields import text

_HEADING = re.compile(r"(#+)[ \t]+(.*)$")
_CHALLENGES = re.compile(r"challenges?|additional evidence \(challenge\)", re.IGNORECASE)


def challenges(claim: Claim) -> tuple[str, ...]:
    """Who or what `challenged_by` names, then the text of each section of challenges."""
    named = claim.fields.get("challenged_by") or []
    entries = [text(each) for each in (named if isinstance(named, list) else [named])]
    return tuple(filter(None, [*entries, *_sections(claim.body[: marks.closing(claim.body)])]))


def _sections(body: str) -> list[str]:
    found: list[list[str]] = []
    depth = 0
    for line in marks.lines(body):
        heading = None if line.inside else _HEADING.match(line.text)
        if heading and (not depth or len(heading[1]) <= depth):
            depth = len(heading[1]) if _CHALLENGES.fullmatch(heading[2].rstrip(" \t#")) else 0
            found += [[]] * bool(depth)
        elif depth:
            found[-1].append(line.text.strip())
    return ["\n".join(lines).strip() for lines in found]
