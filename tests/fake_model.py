"""A language model's part, played by a few rules: it proposes the sentences that it reads, and relates by number."""

from __future__ import annotations

import json
import re
from typing import Any

_BLOCK = re.compile(
    r"<<<(?P<name>[^\n]*?) (?P<marker>[0-9a-f]{16})>>>\n(?P<text>.*?)\n<<<end (?P=marker)>>>", re.DOTALL
)


def blocks(user: str) -> dict[str, str]:
    """The data of a question by name."""
    return {found["name"]: found["text"] for found in _BLOCK.finditer(user)}


def answer(user: str) -> str:
    """What the model says to a question's text, as JSON."""
    data = blocks(user)
    part = next((text for name, text in data.items() if name.startswith("part ")), None)
    if part is not None:
        return json.dumps({"claims": [_claim(sentence) for sentence in sentences(part)[:3]]})
    if "proposed claims" in data:
        count = len(re.findall(r"^\d+\. ", data["proposed claims"], re.MULTILINE))
        chosen: list[dict[str, Any]] = [{"numbers": [number]} for number in range(count, 0, -1)]
        return json.dumps({"claims": chosen})
    if "points so far" in user or "You argue" in user:
        quote = re.findall(r"quote: (.*)", data["proposed claim"])
        return json.dumps({"point": "it is so", "quote": quote[0] if quote else "nowhere at all"})
    return json.dumps({"relation": "enriches", "claim": 1, "reason": "it adds to what is known"})


def sentences(text: str) -> list[str]:
    """Sentences of some length."""
    prose = re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    return [each.strip() for each in re.split(r"(?<=[.!?])\s+", prose) if len(each.split()) > 4]


def _claim(sentence: str) -> dict[str, Any]:
    return {"title": sentence.rstrip("."), "description": f"It says so in {len(sentence)} characters",
            "confidence": "likely", "quotes": [sentence], "domain": ""}  # fmt: skip
