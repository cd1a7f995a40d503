"""The language that a text is written in, by its small words."""

from __future__ import annotations

import re
from functools import lru_cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENGLISH, GERMAN, SPANISH = "English", "German", "Spanish"
#: Words that a text of some length cannot do without; those that another of the languages has too are left out.
_SMALL = {
    ENGLISH: _words(
        "the of and to is that for it with as are this on be by from not have which or at we they you can will would "
        "than when their has but its because how if there more"
    ),
    GERMAN: _words(
        "der das und ist nicht ein eine einen einem einer eines den dem sich mit auf für von im zu wird werden sind "
        "auch als bei nach wie dass wenn aber oder nur noch kann hat haben wurde er sie wer zum zur vom über durch "
        "es ihre unter vor bis aus doch kein keine ihn ihm diese dieser"
    ),
    SPANISH: _words(
        "el los las que en una es por con para del se al lo como más pero sus está fue han ha esta este ya muy sobre "
        "cuando porque también entre desde ni hay sino"
    ),
    "French": _words("le les des et est une du dans pour pas sur au avec ce il qui ne sont par ont aux cette elle"),
    "Dutch": _words("het een van dat niet zijn ook voor maar bij uit wordt naar deze worden heeft hebben wij ze"),
    "Italian": _words("il di che per non della sono gli nel dei alla delle anche più ma questo come dal è una"),
    "Portuguese": _words("não uma os um para com como mais dos das pelo são foi ao ou também pela que isso você"),
}
_LANGUAGES_OF = {
    word: tuple(name for name, small in _SMALL.items() if word in small)
    for word in frozenset[str]().union(*_SMALL.values())
}
_TOKEN = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[A-Za-z]")
_SAMPLE = 20_000  # characters: enough of any text
_FEW = 60  # words: a shorter text may have no small word at all
_ENGLISH_SHARE = 0.1  # of the words of an English text are small ones of ours, at the least; about 0.3 on average


@lru_cache(maxsize=4096)
def language(text: str) -> str:
    """Its name ("German"), English where a short text does not say, "" for a long one in none that is known."""
    words = _TOKEN.findall(text[:_SAMPLE].lower())
    counts = dict.fromkeys(_SMALL, 0)
    for word in words:
        for name in _LANGUAGES_OF.get(word, ()):
            counts[name] += 1
    best = max(counts, key=lambda name: counts[name])
    if counts[best] > max(1, counts[ENGLISH]):
        return best
    long = len(words) >= _FEW and counts[ENGLISH] < _ENGLISH_SHARE * len(words)
    return "" if long or (words and not _LATIN.search(text)) else ENGLISH
