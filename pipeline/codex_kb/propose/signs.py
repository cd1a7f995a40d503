"""Signs that a sentence is a claim, or that it does not stand alone: what each adds to its salience."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from codex_kb.text import cues, proposition
from codex_kb.text.langid import ENGLISH, language
from codex_kb.text.sentences import Sentence
from codex_kb.text.verbs import AUXILIARY, NOUNS, finite

#: What a sign adds to a candidate's salience, in standard deviations.
WEIGHTS = {
    "no verb": -1.0,
    "no main clause": -1.5,
    "pronoun": -2.0,
    "first person": -1.0,
    "reason": 0.5,
    "about itself": -2.0,
    "heading": -0.5,
    "joined": 0.0,
    "archivist": -0.5,
    "short": -0.5,
    "unfinished": -2.0,
    "dated": -1.0,
    "bare subject": -0.75,
    "unnamed": -1.0,
    "one side": -1.0,
    "parallel": -1.5,
    "housekeeping": -3.0,
    "present": -1.5,
    "anecdote": -1.0,
}
#: Signs that together weigh less than this are no claim; a short source has fewer proposals than were asked for.
LEAST = -2.0

_FIRST_PERSON = re.compile(r"\b(?:(?:I|[Ww]e)(?:['\u2019](?:m|ve|d|ll|re))?|[Mm]y|[Oo]urs?|me|us|[Yy]ours?|[Yy]ou)\b")
_ARCHIVIST = re.compile(
    r"\b(?:agent|curator|archivist|extract\w*)\b.*\b(?:notes?|hints?)\b|\bassessment$", re.IGNORECASE
)
_REASON = re.compile(
    r"\b(?:because|therefore|means?|implies|enables?|drives?|leads? to|results? in|causes?|rather than|"
    r"instead of|by \w+ing|not)\b",
    re.IGNORECASE,
)
_BARE_SUBJECT = re.compile(
    r"The (?P<noun>[a-z][\w-]*) (?P<verb>[a-z][\w'\u2019]*)(?P<object> (?:the|an?|that|its|how|no)\b)?"
)
#: Nouns that need no sentence before them.
_ONLY_ONE = frozenset(
    ("internet", "web", "brain", "body", "sun", "moon", "earth", "sky", "sea", "universe", "climate", "economy", "law")
)
#: What it speaks of stands elsewhere: "of that size", "the same group", "nobody looks at it", "treats the second".
_UNNAMED = re.compile(
    r"\b(?:of|like|in) (?:that|such a|this) (?:size|kind|sort|type|order|way|case|sense)\b|"
    r"\bthe same (?:group|authors?|team|point|year|study|place|paper)\b|\b(?:here|there) too\b|"
    r"\b(?:these|those|such) (?:two|three|four|results?|findings?|cases|numbers|effects)\b|\beither$|"
    r"\bthe (?:first|second|third|former|latter|others)(?=$|[,;.:]| and\b)|"
    r"^(?:nobody|no one|everyone|everybody|someone|somebody|what|who)(?: [a-z'\u2019]+){1,4}? "
    r"(?:(?:it|them)\b(?! \w+ (?:to|that|for)\b)|(?:this|that)(?=$|[,;.]| now\b))",
    re.IGNORECASE,
)
_COMPARED = (
    r"(?:better|worse|more|less|fewer|lower|higher|larger|smaller|greater|faster|slower|cheaper|(?<!no )longer|shorter|"
    r"stronger|weaker|easier|harder|bigger|richer|poorer|safer|colder|warmer|older|younger|rarer)"
)
#: A comparison that ends without what it compares with: "is no better, probably worse".
_ONE_SIDE = re.compile(
    r"\b(?:is|are|was|were|be|been|did|do|does|had|isn't|aren't|fares?|perform(?:s|ed)?|ask(?:s|ed)? for|needs?|"
    r"wants?|costs?|paid) (?:(?:no|not|much|even|far|a|little|bit|somewhat|slightly|any|probably|perhaps|rather|always|"
    rf"often|still|usually|\d+%) )*+{_COMPARED}(?=[,;:.]|$)|"
    r"\b(?:ist|sind|war|waren|wird|werden) (?:\w+ )?(?:besser|schlechter|höher|niedriger|größer|kleiner|billiger|"
    r"teurer|schneller|langsamer|mehr|weniger)(?=[;:.]|$)|\b(?:es|son|era|eran) (?:mucho |aún |todavía )?(?:mejor|peor|"
    r"mayor|menor)(?:es)?(?=[,;:.]|$)",
    re.IGNORECASE,
)
_OTHER_SIDE = re.compile(
    r"\b(?:than|compared|versus|vs|unlike|when|if|where|the (?:more|less|\w+er)|als|wenn|sobald|que|cuando)\b",
    re.IGNORECASE,
)
_ANECDOTE = re.compile(
    r"\b(?:[Mm]y|[Oo]ur) (?:uncle|aunt|mother|father|son|daughter|wife|husband|brother|sister|grand\w+|neighbou?r|"
    r"friend|colleague|boss|landlord)\b|\b(?:I|[Ww]e) (?:once|grew up|remember|met|heard|visited|tried|bought)\b|"
    r"\b(?:friend|neighbou?r|colleague|man|woman|member) (?:of mine|I (?:know|met)|once|told me)\b|"
    r"\b(?:[Mm]ein|[Uu]nser)(?:e[mnr]?)? (?:Onkel|Tante|Mutter|Vater|Sohn|Tochter|Frau|Mann|Nachbar|Freund|Kolleg)|"
    r"\b[Mm]i (?:tío|tía|madre|padre|hij[oa]|mujer|marido|vecin[oa]|amig[oa])\b"
)
_FIRST = re.compile(r"[^\W\d_]+")
_SHORT = 12  # words of a sentence that can be a fragment of a list
_ALIKE = 3  # words that two such sentences end in alike


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a title stands: its sentence, those beside it, whether it joins two, who was at the meeting."""

    sentence: Sentence
    beside: Sequence[Sentence] = ()
    joined: bool = False
    present: frozenset[str] = frozenset()


def is_first_person(text: str) -> bool:
    """Whether somebody speaks of themselves or to the reader."""
    return _FIRST_PERSON.search(text) is not None


def is_archivists(sentence: Sentence) -> bool:
    """Whether the sentence is of a section that an archivist wrote, not the author."""
    return _ARCHIVIST.search(sentence.section) is not None


def signs(title: str, setting: Setting) -> Iterator[str]:
    """The names in WEIGHTS that hold of a title."""
    yield from _of_claims(title, setting.sentence)
    yield from _of_what_needs_more(title)
    if setting.joined:
        yield "joined"
    if any(_are_parallel(setting.sentence, other) for other in setting.beside):
        yield "parallel"
    if cues.is_housekeeping(setting.sentence.text):
        yield "housekeeping"
    if setting.present and (first := _FIRST.match(title)) and first[0] in setting.present:
        yield "present"


def _of_claims(title: str, sentence: Sentence) -> Iterator[str]:
    if not proposition.is_clause(title):
        yield "no verb"
    if not proposition.is_sentence(title):
        yield "no main clause"
    if proposition.unresolved(title):
        yield "pronoun"
    if is_first_person(title):
        yield "first person"
    if _REASON.search(title):
        yield "reason"
    if cues.is_about_itself(sentence.text):
        yield "about itself"
    if sentence.kind == "heading":
        yield "heading"
    if is_archivists(sentence):
        yield "archivist"
    if len(title.split()) < 9:
        yield "short"
    if sentence.text[:1].islower() and sentence.text[-1:].isalnum():
        yield "unfinished"
    if cues.is_dated(title):
        yield "dated"


def _of_what_needs_more(title: str) -> Iterator[str]:
    """Signs that a title does not stand alone, or is one person's story."""
    if bare_subject(title):
        yield "bare subject"
    if _UNNAMED.search(title):
        yield "unnamed"
    if _ONE_SIDE.search(title) and not _OTHER_SIDE.search(title):
        yield "one side"
    if _ANECDOTE.search(title):
        yield "anecdote"


def bare_subject(title: str) -> str:
    """The noun of a title that opens with "The", one noun and its verb, so that which one is meant stands elsewhere."""
    found = _BARE_SUBJECT.match(title)
    if not found or found["noun"] in _ONLY_ONE or language(title) != ENGLISH:
        return ""
    verb = found["verb"].replace("\u2019", "'")
    doubtful = (verb in NOUNS or verb.removesuffix("s") in NOUNS) and not found["object"]  # "The finger test works"
    return found["noun"] if (verb in AUXILIARY or finite(verb)) and not doubtful else ""


def _are_parallel(sentence: Sentence, other: Sentence) -> bool:
    """Whether two short sentences end in the same words: "The crane was rebuilt. The ship was rebuilt."."""
    one, two = (s.text.rstrip(" .;,!").casefold().split() for s in (sentence, other))
    return max(len(one), len(two)) <= _SHORT and one[-_ALIKE:] == two[-_ALIKE:]
