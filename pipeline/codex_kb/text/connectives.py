"""Words that tie a sentence to the one before it ("However, …", "… is therefore …"): a title stands without them.

English, German and Spanish. Nothing is added: what is left stands in the sentence, in its order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from codex_kb.text.langid import ENGLISH, GERMAN, SPANISH, language
from codex_kb.text.verbs import AUXILIARY, finite


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OPENING = re.compile(
    r"(?:as (?:i |we )?(?:have |has been )?(?:mentioned|noted|described|discussed|shown|explained|argued|"
    r"written|said)(?: about)? (?:before|above|earlier|below|previously|elsewhere),\s++|(?:and|but|so|yet|"
    r"or|nor|plus|also)\s++(?=[\w\"'(])(?!also\b|far\b|long\b|many\b|much\b|on\b|called\b)|(?:and|but|or|"
    r"so)?,?\s?(?:however|moreover|furthermore|additionally|in addition|therefore|thus|hence|consequently|"
    r"as a result|nevertheless|nonetheless|similarly|likewise|meanwhile|indeed|in fact|in other words|"
    r"that is|that said|of course|for example|for instance|in particular|importantly|crucially|notably|"
    r"interestingly|specifically|finally|lastly|first|second|third|firstly|secondly|thirdly|conversely|"
    r"in contrast|by contrast|on the other hand|overall|in short|in sum|to be clear|again|now|ultimately|"
    r"most importantly|more importantly|still|then|no|yes|well|sure|okay|look|fortunately|unfortunately|"
    r"otherwise|instead|besides|also|accordingly|to be sure|as such|simply put|put differently|"
    r"(?:having|with) (?:said |all )?(?:that|this)(?: said| in mind)?|with that in mind|either way|in any case|"
    r"even so|then again|after all|at the same time|on top of that|by the way|as it happens|that being said|"
    r"honestly|frankly|admittedly|to be fair|i mean|you know|right|yeah|ok|hm+|for this reason|for that reason|"
    r"because of this|because of that|as (?:expected|usual|always)|all in all),\s++|(?:ok|okay) (?=but\b)|"
    r"(?:and|but|so|yet),\s++)",
    re.IGNORECASE,
)
#: Without a comma only before a subject: "Then came the rain" needs its "then".
_LOOSE = re.compile(
    r"(?:then|thus|hence|therefore|consequently|moreover|furthermore|nevertheless|meanwhile)\s++(?=(?:the|an?|their|its|"
    r"his|her|our|some|many|most|all|no|each|every|there)\b)",
    re.IGNORECASE,
)
_POINT = re.compile(
    r"(?:(?:this|that|here)(?:'s|\u2019s| is) (?:the|my) (?:[\w-]+ )?(?:thing|point|catch|crux|rub|twist|trick|upshot)|"
    r"(?:the )?(?:thing|point|truth|fact|trouble|upshot) is)[,:]\s++",
    re.IGNORECASE,
)
#: In German only what stands before the first place can go: after "Allerdings" the verb comes next.
_OPENING_OF = {
    GERMAN: re.compile(
        r"(?:(?:und|aber|denn|oder|sondern)\s++(?=\w)|doch\s++(?=(?:der|die|das|ein|eine|kein|keine|wer|wenn|weil|"
        r"viele|manche|alle)\b)|(?:grundsätzlich gilt|es gilt|zum vergleich|kurz gesagt|kurzum|fest steht|zugegeben|"
        r"anders gesagt|mit anderen worten|wie gesagt|zum beispiel|merke|außerdem|allerdings|übrigens)[,:]\s++)",
        re.IGNORECASE,
    ),
    SPANISH: re.compile(
        r"(?:(?:sin embargo|además|por (?:lo tanto|tanto|ejemplo|otro lado|otra parte|cierto|supuesto|eso|último)|"
        r"no obstante|es decir|dicho (?:esto|lo cual)|en cambio|así pues|de hecho|en resumen|en otras palabras|ahora "
        r"bien|en primer lugar|en segundo lugar|finalmente|o sea|en definitiva|al fin y al cabo|por "
        r"consiguiente|en consecuencia|entonces|aun así|con todo|eso sí),\s++|pero,?\s++|"
        r"y\s++(?=(?:el|la|los|las|un|una|no|en|si|que|por|para|con|sin)\b))",
        re.IGNORECASE,
    ),
}
_FRAME = re.compile(
    r"(?:(?:this|that|which|it|the (?:paper|study|article|report|essay|post|finding|results?|data|evidence)|"
    r"these (?:results|findings|data)|we|i|the authors?)\s++(?:also\s++)?)?+(?:means|implies|shows?|finds?|"
    r"found|showed|demonstrates?|demonstrated|confirms?|confirmed|proves|proved|notes?|observes?|argues?|"
    r"argued|concludes?|concluded|reports?|reveals?|establishes|(?:it )?turns out|it follows|the (?:point|"
    r"upshot|takeaway|key(?: insight)?|bottom line|result|implication|lesson|truth|reason|problem|trouble|catch) is|"
    r"it(?:'s|\u2019s| is) (?:also )?(?:true|clear|known))\s++"
    r"that\s++",
    re.IGNORECASE,
)
#: Inside a sentence, between commas or before its end.
_ASIDE = {
    ENGLISH: re.compile(
        r",\s(?:however|therefore|thus|moreover|furthermore|consequently|nevertheless|nonetheless|though|too|of course|"
        r"in turn|as a result|by contrast|in contrast|meanwhile|in fact|indeed)(?:,(?=\s)|$)"
    ),
    SPANISH: re.compile(
        r",\s(?:sin embargo|por (?:lo )?tanto|por consiguiente|en consecuencia|no obstante|además|en cambio|de hecho|"
        r"pues|por eso)(?:,(?=\s)|$)"
    ),
}
#: Inside a sentence, after a word and before a word.
_BARE = {
    ENGLISH: re.compile(
        r"(?<=\w) (?:therefore|thus(?! far)|consequently|accordingly|moreover|furthermore|nevertheless|nonetheless|"
        r"also)(?= \w)"
    ),
    GERMAN: re.compile(
        r"(?<=\w) (?:also|somit|folglich|demnach|dennoch|trotzdem|jedoch|allerdings|hingegen|außerdem|zudem|nämlich|"
        r"freilich|(?:daher|deshalb|deswegen|zwar)(?!.*\b(?:weil|aber|doch|jedoch|dass|damit)\b))(?= \w)"
    ),
    SPANISH: re.compile(r"(?<=\w) (?:por lo tanto|por consiguiente|en consecuencia|además(?! de\b))(?= \w)"),
}
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*+")
#: A sentence that opens so needs a comma before its subject: "In winter, however, boats are slow".
_PLACE = re.compile(
    r"(?:in|on|at|of|by|for|from|to|with|without|under|over|after|before|during|since|until|given)\b", re.I
)
_BREAK = re.compile(r"[,;:.\u2014\u2013]|\s-\s")
#: Before these a connective belongs to a clause inside the sentence.
_CLAUSE = _words(
    "and but or yet so because since as if when while although though unless until that which who whose where und aber "
    "oder doch denn sondern weil wenn da dass ob obwohl während nur gerade erst eben auch schon y o pero si porque que "
    "cuando aunque"
)


def without_opening(text: str) -> Iterator[str]:
    """The text without each of the openings that it may have; whether a sentence is left is for the caller to see."""
    for pattern in (_OPENING, _LOOSE, _POINT, _FRAME, _OPENING_OF.get(language(text))):
        if pattern and (found := pattern.match(text)):
            yield text[found.end() :]


def untied(text: str) -> str:
    """The text without the first connective inside it; one that ties what the text itself says stays."""
    name = language(text)
    for pattern in (_ASIDE.get(name), _BARE.get(name)):
        found = pattern.search(text) if pattern else None
        if found and not _ties(text[: found.start()], name) and (cut := _cut(text, found, name)):
            return cut
    return text


def _ties(before: str, name: str) -> bool:
    """Whether a connective after these words ties them: a clause stands there, or opens there."""
    *whole, _ = _BREAK.split(before)
    clause = any(finite(word) for part in whole for word in _WORD.findall(part.lower()))
    foreign = name != ENGLISH and bool(whole)
    return clause or foreign or not _CLAUSE.isdisjoint(_WORD.findall(before.lower()))


def _cut(text: str, found: re.Match[str], name: str) -> str:
    """The text without what was found; "" where that word may be of another use ("a graph also known as")."""
    before, after = text[: found.start()], text[found.end() :]
    if found[0].startswith(","):
        return before + ("," if after and _PLACE.match(before) else "") + after
    following = _WORD.search(after)
    verb = following is not None and finite(following[0].lower())
    sure = name != ENGLISH or verb or AUXILIARY.issuperset(_WORD.findall(before.lower())[-1:])
    return before + after if sure else ""
