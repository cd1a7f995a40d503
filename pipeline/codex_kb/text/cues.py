"""What a passage's own words give away: how sure it is, and whether it claims anything at all."""

from __future__ import annotations

import re

_HEDGES = (
    re.compile(
        r"\b(?:might|perhaps|possibly|probably|(?<!more )(?<!less )(?<!most )likely|unlikely|suggests?|appears? to|"
        r"seems?|(?:projected|predicted|expected|forecast) to|speculative|potentially|hypothesi[sz]\w*|"
        r"could (?:be|become|also|well|even|help|lead|make|mean|reduce|explain)|(?:my|our) guess|"
        r"I (?:think|believe|suspect|doubt|guess)|in (?:my|our) view)\b",
        re.IGNORECASE,
    ),
    re.compile(r"\bmay\b|^May (?=[a-z])"),  # "20 May" is a day
    re.compile(
        r"\b(?:vermutlich|wahrscheinlich|möglicherweise|vielleicht|könnten?|dürften?|womöglich|angeblich|eventuell|"
        r"mutmaßlich|scheint|scheinen|anscheinend|(?-i:wohl)|halte ich für|quizás?|tal vez|probablemente|"
        r"posiblemente|podrían?|parecen?|aparentemente|supuestamente|a lo mejor)\b",
        re.IGNORECASE,
    ),
)
#: More than one investigation, or a proof.
_STRONG = re.compile(
    r"\b(?:meta-?analys[ei]s|systematic reviews?|cochrane|"
    r"(?:\d{1,3}|two|three|four|five|six|seven|eight|nine|ten|several|many|most|dozens of) (?:\w+ ){0,2}"
    r"(?:studies|trials|experiments)|(?<!not )(?<!never )(?<!been )(?<!failed to )replicated?|replicated many times|"
    r"(?:proved|proves) that|theorem|lemma|metaanalysen?|mehrere studien|metaanálisis|varios estudios)\b",
    re.IGNORECASE,
)
_MEASURED = (
    re.compile(
        r"\b(?:(?:found|finds|measured|measures|showed|shows?|reported|reports|observed|estimated?s?) "
        r"(?:earlier |later |experimentally )?(?:that|a|an|the|no|about|at|to)\b|measured|stud(?:y|ies)|surveyed|"
        r"surveys?|trials?|experiments?|mega-stud(?:y|ies)|data (?:show|indicate)s?|statistically|according to|"
        r"respondents|sample (?:of|size)|(?:field|load|a/b) tests?|per ?cent(?:age points?)?|correlat\w+|factor of \d|"
        r"ergab(?:en)?|studien?|umfragen?|gemessen|berechnet|messungen|laut|prozent|untersuch\w+|estudios?|encuestas?|"
        r"por ciento|según|midieron|hallaron)\b|\d[\d.,]{0,20}\s?%|\bn\s?=\s?\d|\bet al\b",
        re.IGNORECASE,
    ),
    re.compile(r"\b[A-Z][\w'\u2019-]+,? \(?(?:19|20)\d\d[a-z]?\)|(?<=\w)\s?\[\d{1,3}(?:, ?\d{1,3}){0,5}\](?!\()"),
)
_TASK = re.compile(
    r"[\W\d]*+(?:(?:ACTIONS?|AP|AI|TODO|DECISIONS?|DECIDED|AGREED|FIXME|OWNER|DEADLINE|TASKS?|AUFGABEN?|BESCHLUSS|"
    r"TAREAS?|ACCIÓN|ACUERDO)(?: [\w@.&/-]{1,30}){0,3} ?:|"
    r"(?i:actions?(?: items?| points?)?|to-?do|decided|decisions?|agreed|"
    r"next steps?|aufgaben?|beschluss|beschlossen|nächste schritte|zu tun|tareas?|acuerdos?|pendientes?|"
    r"próximos pasos) ?:)"
)
_BOILERPLATE = re.compile(
    r"\b(?:subscribe|sign(?:ed)? up|thanks (?:for reading|to everyone)|all rights reserved|cookie|privacy policy|"
    r"sponsor(?:ed|s)?|webpage capture|click here|unsubscribe|report bug|share this|snapshots?|"
    r"follow (?:me|us)|reach out to|read more|retweets?|link in bio|hit reply|forward this|buy me a|use code|"
    r"leave (?:us )?a review|wherever you get|comments? welcome|(?:investment|financial|medical) advice|"
    r"i thank|photo credits?|conflicts? of interest|abonnier\w+|newsletter an|suscríb\w+)\b|©|"
    r"^\W*(?:originally )?published\b|^\[[^\]]*\]\W*$|^\W*(?:the|this) (?:\w+ )?(?:image|"
    r"graph|chart|figure|diagram|table|screenshot|photo|picture)\b|^\W*(?:source|note|figure|exhibit|table|"
    r"chart|photo|credit|disclaimer|keywords|funding|received|corresponding author)s?(?: \d+)?[*_]*[:.]|"
    r"^\W*(?:(?:see|siehe)(?: also| auch)?|vgl\.?|véase|ver también)\b",
    re.IGNORECASE,
)
_ABOUT_ITSELF = re.compile(
    r"\b(?:this (?:essay|post|article|paper|source|thread|newsletter|section|document|tutorial|survey|issue|week|"
    r"month)|extract\w*|claims? (?:about|candidate)|enrich\w*|knowledge base|KB|belief \d+|cross-reference|flagged?|"
    r"archived?|(?:described|mentioned|noted|discussed) (?:above|before|earlier)|see (?:below|above)|published in|"
    r"above-mentioned|(?:next|last|previous|earlier|following) (?:issue|post|tweet|episode|section|meeting)|"
    r"the (?:main|key) (?:results|findings|points?) (?:is|are)|we (?:review|survey|summari[sz]e|describe|discuss|"
    r"present)|implications (?:for|are)|the authors?|everyone (?:is (?:posting|saying|talking)|says|keeps)|"
    r"dieser (?:artikel|text|beitrag|abschnitt)|este (?:artículo|texto|ensayo))\b|"
    r"\bin #\d|\b(?:with|without|and|or|that|item|see) \((?:\d|[a-e]|[ivx]{1,3})\)",
    re.IGNORECASE,
)
_MINUTES = re.compile(
    r"\w+(?: \([^()]{1,30}\))? (?:(?:asked|wondered|volunteered|promised|disagreed|seconded)\b|"
    r"will (?:ask|write|send|follow up|report back|look into)\b|(?:is|are) on (?:leave|holiday|vacation)\b)|"
    r"(?i:\W*(?:please |bitte )?bring(?:t|en sie)? (?:your|a|an|the|some|gloves|eure|bitte|ihre)\b)"
)
_PRESENT = re.compile(
    r"^[^\w\n]*+(?:present|attend(?:ees|ing)|in attendance|participants|apologies|anwesend|entschuldigt|teilnehmer|"
    r"asistentes|presentes)[^\w\n]{0,5}:(?P<names>.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_NAME = re.compile(r"[^\W\d_a-z][\w-]+")
_DAY = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|\d{1,2}(?:st|nd|rd|th)? (?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|"
    r"apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t|tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)|"
    r"(?:mon|diens|donners|frei|sams|sonn)tags?|mittwochs?|\d{1,2}\. ?(?:januar|februar|märz|april|mai|juni|juli|"
    r"august|september|oktober|november|dezember)|lunes|martes|miércoles|jueves|viernes|sábados?|domingos?|"
    r"\d{1,2} de [a-z]{4,10})\b(?! (?:de )?\d{4})"
)
_CLOCK = r"\b(?:\d{1,2}:\d\d|\d{1,2}(?:\.\d\d)? ?(?:am|pm|a\.m\.|p\.m\.|o'clock|uhr)|noon|a las \d{1,2})"
#: For those who were there: an appointment (one of a year that is named is history), the course of a meeting.
_HOUSEKEEPING = re.compile(
    rf"\b{_DAY}[^.;\n]{{0,30}}?{_CLOCK}|{_CLOCK}[^.;\n]{{0,20}}? {_DAY}|"
    r"\b(?:for the record|wants? (?:it|this|that) (?:recorded|minuted|noted|in writing)|(?:is|was|be) minuted|"
    r"(?:as )?per (?:rule|item|paragraph|bylaw) \d+|next meeting|(?:meeting|motion) (?:closed|opened|adjourned|"
    r"carried)|(?:members|volunteers|everyone|everybody) (?:are|is) (?:asked|reminded) to|members (?:should|must)|"
    r"(?:someone|somebody) (?:has|needs) to (?:order|buy|bring|book|call|check|fix|clean|ask|tell)|"
    r"(?:moves|moved|postponed) to (?:mon|tues|wednes|thurs|fri|satur|sun)day|nächste (?:sitzung|versammlung)|"
    r"zu protokoll|ins protokoll|laut satzung|próxima (?:reunión|junta)|conste en acta)\b|"
    r"^\W*(?:the )?\w+ \d+[a-z]? (?:is|are|ist|está) (?:now |still |again |noch |wieder )?(?:free|vacant|available|"
    r"taken|booked|empty|frei|vergeben|libre)\b",
    re.IGNORECASE,
)
_DATED = re.compile(
    r"\b(?:last (?:year|week|month|night|spring|summer|autumn|winter|january|february|march|april|may|june|july|august|"
    r"september|october|november|december)|yesterday|tomorrow|this (?:morning|afternoon|evening)|next (?:week|month|"
    r"year)|(?:by|on|until|since|to|next|this) (?:mon|tues|wednes|thurs|fri|satur|sun)day|at \d{1,2}:\d\d|gestern|"
    r"morgen früh|letzte[nrs]? (?:woche|monat|jahr)|ayer|la semana pasada)\b",
    re.IGNORECASE,
)


def confidence(text: str) -> tuple[str, str]:
    """How far the text's own words carry it, and the words that say so; ("", "") where none does.

    A hedge is "speculative", a figure, a study or a citation "experimental", several studies or a proof "likely".
    """
    levels = (("speculative", _HEDGES), ("likely", (_STRONG,)), ("experimental", _MEASURED))
    for level, patterns in levels:
        for pattern in patterns:
            if found := pattern.search(text):
                return level, found[0].strip()
    return "", ""


def is_task(text: str) -> bool:
    """Whether a line of minutes says what is to be done, or who asked: "ACTION Ada: …", "Ada asked whether …"."""
    return _TASK.match(text) is not None or _MINUTES.match(text) is not None


def is_boilerplate(text: str) -> bool:
    """Whether it is of the page: an advertisement, a caption, a pointer to something else."""
    return _BOILERPLATE.search(text) is not None


def is_dated(text: str) -> bool:
    """Whether it tells of a day that only its own date can tell: "last week", "at 14:10"."""
    return _DATED.search(text) is not None


def present(text: str) -> frozenset[str]:
    """The names of those who were at a meeting, by its list of them; empty where there is none."""
    lists = (found["names"] for found in _PRESENT.finditer(text))
    return frozenset(name for names in lists for name in _NAME.findall(names))


def is_housekeeping(text: str) -> bool:
    """Whether it is for those who were there: an appointment, a rule of the meeting, a plot that is free."""
    return _HOUSEKEEPING.search(text) is not None


def is_about_itself(text: str) -> bool:
    """Whether it speaks of the text that it stands in."""
    return _ABOUT_ITSELF.search(text) is not None
