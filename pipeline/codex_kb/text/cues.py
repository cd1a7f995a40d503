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
    r"\w+(?: \([^()]{1,30}\))? (?:asked|wondered|volunteered|promised|disagreed|will (?:ask|write|send))\b"
)

_DATED = re.compile(
    r"\b(?:last (?:year|week|month|night|spring|summer|autumn|winter|january|february|march|april|may|june|july|august|"
    r"september|october|november|december)|yesterday|tomorrow|this (?:morning|afternoon|evening)|next (?:week|month|"
    r"year)|(?:by|on|until|since) (?:mon|tues|wednes|thurs|fri|satur|sun)day|at \d{1,2}:\d\d|gestern|morgen früh|"
    r"letzte[nrs]? (?:woche|monat|jahr)|ayer|la semana pasada)\b",
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


def is_about_itself(text: str) -> bool:
    """Whether it speaks of the text that it stands in."""
    return _ABOUT_ITSELF.search(text) is not None
