"""What can be said of a proposal in numbers, for those who learn from decisions: plain, cheap, each by its name.

A value says something of the sentence and its place, nothing of the source as a whole: sources are not compared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection

from codex_kb.text import cues

#: Words of a title of usual length.
_USUAL_WORDS = 20
_LOOKED_AT = {
    "digit": re.compile(r"\d"),
    "percent": re.compile(r"\d\s?(?:%|per ?cent|percent)", re.IGNORECASE),
    "money": re.compile(r"[$€£¥]\s?\d|\d\s?(?:dollars?|euros?|USD|EUR)\b", re.IGNORECASE),
    "year": re.compile(r"\b(?:1[5-9]|20)\d\d\b"),
    "acronym": re.compile(r"\b[A-Z]{2,}s?\b"),
    "negation": re.compile(r"\b(?:not|no|never|none|nobody|nothing|neither|without|cannot)\b|n['\u2019]t\b", re.I),
    "comparison": re.compile(r"\b(?:more|less|fewer|better|worse|than|most|least|rather|instead)\b", re.IGNORECASE),
    "ought": re.compile(r"\b(?:should|must|ought|needs? to|have to|has to)\b", re.IGNORECASE),
    "future": re.compile(r"\b(?:will|would|going to|shall)\b", re.IGNORECASE),
    "condition": re.compile(r"\b(?:if|when|unless|until|where)\b", re.IGNORECASE),
    "quotation": re.compile(r"[\"\u201c\u201d«»]"),
    "parenthesis": re.compile(r"\("),
    "colon": re.compile(r":\s"),
    "semicolon": re.compile(r";\s"),
    "enumeration": re.compile(r",[^,]+,[^,]*\b(?:and|or)\b"),
}
_NAME = re.compile(r"(?<=\s)[A-Z][a-z]")


def features(title: str, quote: str, position: float, signs: Collection[str] = ()) -> dict[str, float]:
    """Every feature by its name, without those that are 0.

    `position` is the quote's in the body, 0 to 1; `signs` are further names that hold of it.
    """
    words = title.split()
    count = math.log(max(1, len(words)))
    level, _ = cues.confidence(quote)
    found = {name: float(pattern.search(title) is not None) for name, pattern in _LOOKED_AT.items()}
    found |= {
        "digits": sum(char.isdigit() for char in title) / max(1, len(title)),
        "words": count,
        "unusual length": abs(count - math.log(_USUAL_WORDS)),
        "names": len(_NAME.findall(title)) / max(1, len(words)),
        "commas": math.log1p(title.count(",")),
        "beyond the title": math.log(max(1, len(quote)) / max(1, len(title))),
        "position": position,
        "opening": float(position < 0.1),
        "closing": float(position > 0.9),
        "speculative": float(level == "speculative"),
        "experimental": float(level == "experimental"),
        "likely": float(level == "likely"),
        **dict.fromkeys(signs, 1.0),
    }
    return {name: round(value, 4) for name, value in found.items() if value}
