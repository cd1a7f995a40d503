"""A sentence as a claim's title, and the claim test that any title can be put to.

`clean` takes away what belongs to the page and not to the proposition (Markdown, labels, connectives,
citations) and adds nothing: every word of a title is in the quote, in its order. `faults` says why
"this note argues that <title>" would not be a sentence. Both are heuristics over words, in English; German and
Spanish openings are known, and a text in another language is never called a fragment.
"""

from __future__ import annotations

import re
from itertools import pairwise

from codex_kb.text import connectives
from codex_kb.text.langid import ENGLISH, GERMAN, SPANISH, language
from codex_kb.text.verbs import AUXILIARY, BASES, CONTRACTED, FINITE, NOUNS, PAST, THIRD, finite, third_person

MAX_LENGTH = 300  # characters of a title; 255 bytes is what a file name holds, a slug is shorter
_MAX_READ = 4_000  # characters of a text that are looked at: no title is longer


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# -- cleaning ------------------------------------------------------------------------------------

_PREFIX = re.compile(r"[\r\n][ \t>]*+")
_SPACE = re.compile(r"\s++")
#: The marks that open a heading, an item, a quote, a post of a thread ("3/", "(3/12)"), a turn of a transcript.
_HEAD = re.compile(
    r"(?:>\s*+|#{1,6}\s++|(?:[-*+•‣◦\u2013\u2014]|\(?\d{1,3}[.)]|\d{1,2}(?:\.\d{1,2}){1,3}\.?(?=\s+[A-Z])|"
    r"\((?:[a-z]|[ivx]{1,4})\)|[a-z]\)|\(?\d{1,3}/(?:\d{1,3}|[nN])?\)?)\s++|\[[ xX]\]\s++|"
    r"[\[(]?\d{1,2}:\d\d(?::\d\d)?[\])]?\s++)++"
)
#: A formula, by the rule that a dollar sign before a digit or beside a space is money.
_MATH = re.compile(r"\$\$[^$]{1,2000}\$\$|\$(?![\s$])[^$\n]{1,400}(?<=[^\s\\])\$(?![\d$])|\\\([^\n]{1,400}?\\\)")
_FORMULA = "\ufffc"  # stands for a formula while the rest is cleaned
_PICTURE = r"\U0001f000-\U0001faff\u2600-\u27bf\ufe0f\u200d"
_REPLACED = (
    (re.compile(rf"^[{_PICTURE}\s]++|(?<![{_PICTURE}\s])[{_PICTURE}\s]++$"), ""),
    (re.compile(r"\[(?:laugh\w*|applause|music|inaudible|crosstalk|pause|lacht|risas)\]", re.I), ""),
    (re.compile(r",\s(?:u[hm]+|erm?|äh+m?)(?=,)|(?:^|(?<=\s))(?:u[hm]+|erm|äh+m?),\s", re.I), ""),
    (re.compile(r"<!--.*?-->|<https?:[^>\s]*+>|</?[A-Za-z][^<>]{0,200}>"), " "),
    (re.compile(r"!\[\[[^\[\]]*+\]\]|!\[[^\[\]]*+\]\([^()]*+\)"), " "),
    (re.compile(r"\[\[(?:[^\[\]|]*+\||(?:[^\[\]|/]*+/)++)?+([^\[\]|]*+)\]\]"), r"\1"),
    (re.compile(r"\[\^[^\[\]]{1,40}\]|\[\d{1,3}(?:\s?[,\u2013-]\s?\d{1,3}){0,9}\](?![(\w])"), ""),
    (re.compile(r"\[…\]|\[\.{3}\]"), "…"),
    (re.compile(r"\[([^\[\]]++)\](?:\((?:[^()\s]|\([^()\s]*+\))*+(?:\s[^()]*+)?\)|\[[^\[\]]*+\])"), r"\1"),
    (re.compile(r"\(\s*+(?:https?://[^\s()]++|status/\d[^()]*+)\s*+\)|https?://[^\s)\]>]++"), " "),
    (re.compile(r"\(\s*+(?:see |cf\.? )?(?:Figure|Fig\.|Table|Exhibit|Chart) ?\d*+\s*+\)", re.I), " "),
    (re.compile(r"`++"), ""),
    (re.compile(r"~~|==(?=\w)|(?<=\w)=="), ""),
    (re.compile(r"\\([\\`*_{}\[\]()#+.!$|<>~-])"), r"\1"),
    (re.compile(r"(?<!\w)\*++(?=\S)|(?<=\S)\*++(?!\w)"), ""),
    (re.compile(r"(?<!\w)_++(?=[^\s{])|(?<=\S)_++(?![\w{])"), ""),
    (re.compile(r"\s++(?=[,;:.!?)](?:\s|$))"), ""),
    (re.compile(r"\(\s*+\)|\[\s*+\]"), ""),
)
#: What any of these, or a formula, needs: most sentences have none of it.
_MARKED = re.compile(rf"[<\[(`~=\\*_${_PICTURE}{_FORMULA}]|https?:|\s[,;:.!?)]|\b(?:u[hm]|er|äh)", re.I)
_BOLD_LABEL = re.compile(
    r"(?:\*\*|__)(?P<label>[^*_]{1,80}?)(?P<colon>[:.]?)(?:\*\*|__)(?P<aside>\s*+\((?:status/|@|https?:|"
    r"\d)[^()]{0,120}\))?\s*+(?P<tie>:|[\u2014\u2013]|-(?=\s))?\s*+(?=\S)"
)
_PLAIN_LABEL = re.compile(r"(?P<label>[A-Z][^:.!?;()\"]{1,50}):\s++(?=\S)")
_META = re.compile(
    r"(?:why (?:this|it) matters|what (?:surprised me|i expected.*)|key (?:insight|claim|point|finding|"
    r"takeaway)|extraction hint|why archived|(?:new |strong )?claim(?: candidate)?|context|conclusion|note|"
    r"summary|tl;?dr|important|(?:hot |unpopular )?(?:take|opinion)|lesson(?: learn(?:ed|t))?|results?|findings?|"
    r"background|fun fact|fact|observation|insight|verdict|bottom line|upshot|what (?:did|didn't|went (?:well|badly|"
    r"wrong))|fazit|ergebnisse?|merke|schluss|conclusi[oó]n(?:es)?|resultados?|lecci[oó]n|en resumen)s?$",
    re.IGNORECASE,
)
_LIMITING = re.compile(
    r"(?:if|when|unless|until|by|in|at|for|from|to|since|after|before|during|under|not|no|without|except|"
    r"myth|false|wrong|untrue|critics|skeptics|opponents)\b",
    re.IGNORECASE,
)
_LONE_MARK = re.compile(r"(?<!\d)[\"\u201c\u201d«»]")
_INNER_STOP = re.compile(r"[.,;]([\"\u201d\u2019»)]{1,3})$")
_DOUBLE = '"\u201c\u201d«»'
_STOPS = ".!。।॥;:,…"


def clean(text: str) -> str:
    """The proposition that a sentence states: one line without Markdown, label, connective or full stop.

    At most `MAX_LENGTH` characters; `clean(clean(x)) == clean(x)`.
    """
    text = text[:_MAX_READ]
    while True:
        shorter = _once(text)
        if shorter == text:
            return text
        text = shorter


def _once(text: str) -> str:
    """One round of cleaning; never longer than what came in, so that the rounds come to an end."""
    text = _unmarked(label(text)[1])
    text = _SPACE.sub(" ", text).strip()
    text = _unquoted(text)
    text = connectives.untied(_without_opening(text))
    bare = text.rstrip(_STOPS + " ")
    return _short(_capital(bare + "…" if bare and text.endswith("…") else bare))


def _unmarked(text: str) -> str:
    """Without Markdown, but for formulas, which mean something else by the same marks."""
    if not _MARKED.search(text):
        return text
    formulas = _MATH.findall(text)
    bare = _MATH.sub(_FORMULA, text.replace(_FORMULA, " "))
    for pattern, replacement in _REPLACED:
        bare = pattern.sub(replacement, bare)
    first, *rest = bare.split(_FORMULA)
    return first + "".join(formula + piece for formula, piece in zip(formulas, rest, strict=False))


def label(text: str) -> tuple[str, str]:
    """A sentence's lead-in and what follows it (`**Label:** sentence`); or "" and the text.

    A label before a mere phrase is none ("Trust fund: exhausted by 2040" says something only as a whole),
    nor is one that limits what follows ("By 2034: ...", "Myth: ...").
    """
    text = _bare(text)
    found = _BOLD_LABEL.match(text)
    if found and (found["colon"] or found["tie"] or found["aside"]) and not _LIMITING.match(found["label"]):
        rest = text[found.end() :]
        return (found["label"].strip(), rest) if is_sentence(rest) or is_meta(found["label"]) else ("", text)
    plain = _PLAIN_LABEL.match(text)
    return (plain["label"], text[plain.end() :]) if plain and is_meta(plain["label"]) else ("", text)


def is_meta(lead_in: str) -> bool:
    """Whether a lead-in speaks of the note ("Why this matters") and not of its subject."""
    return _META.match(lead_in) is not None


def _bare(text: str) -> str:
    """On one line, without the marks that open a heading, an item or a quote."""
    text = _PREFIX.sub(" ", text[:_MAX_READ]).strip()
    return text[found.end() :] if (found := _HEAD.match(text)) else text


def _unquoted(text: str) -> str:
    """Without marks that enclose the whole, or that the sentence's cut has left without a partner."""
    bare = text.rstrip(_STOPS + " ")
    marks = sum(bare.count(mark) for mark in _DOUBLE)
    if bare[:1] in _DOUBLE and bare[-1:] in _DOUBLE and marks == 2:
        return bare[1:-1].strip()
    if marks == 1:
        return _LONE_MARK.sub("", bare).strip()
    if bare.startswith("(") and (bare.count(")") == 0 or (bare.endswith(")") and bare.count(")") == 1)):
        return bare[1:].removesuffix(")").strip()
    return _INNER_STOP.sub(r"\1", text)


def _without_opening(text: str) -> str:
    return next(filter(is_clause, connectives.without_opening(text)), text)


def _capital(text: str) -> str:
    """The first letter as a capital, unless the word has its own way ("iPhone", "nM")."""
    own_way = text[1:2].isupper() or len(text[:1].upper()) != 1
    return text if own_way else text[0].upper() + text[1:]


def _short(text: str) -> str:
    """At most MAX_LENGTH characters: without asides first, then up to a clause's end, then cut."""
    if len(text) <= MAX_LENGTH:
        return text
    bare = _SPACE.sub(" ", re.sub(r"\s?\([^()]*+\)", "", text)).strip()
    if bare and len(bare) <= MAX_LENGTH:
        return bare
    cut = bare[: MAX_LENGTH - 1]
    for mark in ("; ", " \u2014 ", " \u2013 "):
        at = cut.rfind(mark)
        if at > MAX_LENGTH // 3:
            return cut[:at].rstrip(_STOPS + " ")
    return (cut[: cut.rfind(" ")] if " " in cut else cut).rstrip(_STOPS + " ") + "…"


# -- the claim test ------------------------------------------------------------------------------

_TOKEN = re.compile(r"[^\W_]+(?:['\u2019&.-][^\W_]+)*+")
_LATIN = re.compile(r"[A-Za-z]")
_SUBORDINATE = _words("that which who whose where when while if because whether how why what wherever although since")
_RELATIVE = _words("that which who")
_PLURAL = _words("they we you i people and both also all children women men data")
_AFTER_VERB = _words(
    "the a an its their his her our your this these those to from how that not more less most no all every "
    "each any both into against through than out up down only"
)
_AFTER_PARTICIPLE = _words("by with via under")
_NO_SUBJECT = _words(
    "the a an of in on at to by for with from into its their his her our your this that these those no such as"
)
_PRONOUN = {
    ENGLISH: _words("it this they these those he she him her them its their such that it's that's they're he's she's"),
    GERMAN: _words(
        "er sie dies diese dieser dieses diesen diesem dort dafür dabei dazu daran darin damit davon darauf daraus "
        "hinzu solche beide allerdings außerdem trotzdem jedoch dennoch deshalb daher deswegen folglich zudem hingegen "
        "dagegen stattdessen somit ihm ihn ihnen ihr ihre sein seine letzteres ersteres folgendes"
    ),
    SPANISH: _words(
        "esto eso este esta estos estas ese esa esos esas él ella ello ellos ellas aquello ambos ambas dicho dicha "
        "allí ahí así"
    ),
}
_QUESTION = _words("why what how who whom whose when where which")
_INVERTED = _words("is are was were do does did can could will would should has have may might")
_IMPERATIVE = _words(
    "consider imagine note see read click subscribe share remember let let's look take think please ask try "
    "recall check download follow join sign visit contact suppose don't stop approve keep make use focus "
    "avoid ensure add set put get buy try give go bring move write tell look call start turn open close clean run "
    "thank skip wait listen siehe vergleiche véase"
)
_GENERIC = _words(
    "thing things way ways point something everything anything case work good great important interesting "
    "very really much many more most less better new people true false here there other also just result "
    "idea"
)
_MARKDOWN = re.compile(r"\*\*|__|`|\[\[|\]\]|\]\(|!\[|^#{1,6}\s|^[-*+>]\s|https?://|<[a-z/][^<>]*>")
_POINTING = re.compile(
    r"(?:both|all|some|many|most|one|each|none|any|either|neither|two|three)(?: of)? (?:this|these|those|"
    r"them)\b|(?:[\w'\u2019-]+ ){1,4}of (?:them|it)\b|none of the above|same (?:here|with|for)\b|the same (?:is|holds|"
    r"goes|group|applies)\b|(?:in|for|on|of) the (?:first|second|third|former|latter)(?: one)?,? (?:the|a|an|it|they|"
    r"there|we|people)\b|the (?:first|second|third|fourth|last) (?:one|two|three|term|point|item|reason)\b|"
    r"(?:by|in|on|at|after|before|since|until|from|during|without|despite)(?: [\w'\u2019-]+){1,2},? (?:they|he|she|"
    r"it(?! (?:is|was|takes|seems|may|remains) (?:\w+ ){1,3}(?:to|that|for)\b))\b|(?:worldwide|today|here|there),? "
    r"(?:that's|that\u2019s|that is|it's|it\u2019s)\b|the (?:reason|argument|answer|trick|rest|catch|opposite|reverse|"
    r"rule|effect) (?:is|was|isn't|wasn't|has|had|can|will|would|may)\b|(?:here|there|so) too\b|"
    r"(?:others|both|some|most|few|many) (?:still |also )?(?:are|were|have|had|do|did|can|will|went|came|made)\b|"
    r"(?:[a-z]+,|on the (?:other|contrary),|because|if|when|while|although|though|since) (?:it|this|"
    r"they|these|he|she|its|their|his|her)\b|(?:from|between|in|by|since|until|after|before|during) (?:the |early |"
    r"late |end |middle |of |years? )*+\d{4}s?(?: (?:to|and|until|or) \d{4}s?)?,? (?:they|he|she|it|some|others|most|"
    r"both)\b|"
    r"the (?:former|latter|above)\b|another\b(?: \w+){1,3} of (?:this|these)\b|"
    r"(?:bei|in|mit|von|auf|aus|zu|nach|vor|für) diese[nmrs]?\b|das (?:ist|sind|war|klingt|gilt|heißt|liegt|bedeutet|"
    r"macht|geht|zeigt|ändert|kann|wird|hat)\b|es (?!gibt|fehlt|ist|wird|braucht|lohnt|geht|bleibt|dauert|kommt|war|"
    r"handelt)\w|die (?:ersten|letzten|meisten|anderen|beiden) (?-i:[a-zäöü])|(?:[a-zäöüß]+ ){2}(?:sich )?(?:es|dies|"
    r"diese[rsnm]?|er|das(?=,| (?-i:[a-zäöü])))\b(?<!gibt es)(?<!fehlt es)(?<!ist es)(?<!wird es)(?<!geht es)",
    re.IGNORECASE,
)
#: A name, and what it did with something that stands elsewhere: "Xi et al. put it at", not "Norway made it easy to".
_NAME_AND_IT = re.compile(
    r"(?:[A-Z][\w'\u2019-]+ ){1,2}(?:et al\.?,? |and (?:others|colleagues|[A-Z][\w'\u2019-]+) )?(?:\(?\d{4}[a-z]?\)? )?"
    r"(?:puts?|did|got|saw|found|set|calls?|called|measured|estimated?|tested|repeated|confirmed|showed|doubted|disputed|"
    r"reported|explained|used|gave|tried|built|bought|sold) (?:it|them)\b(?! \w+ (?:to|that)\b)"
)
_EXPLETIVE = re.compile(
    r"it(?:'s|\u2019s| is| was| will be| remains| becomes| may be| takes| would be| seems|"
    r" appears)\b(?:\s[\w'\u2019,-]+){0,8}?\s(?:that|to|for|how|whether|who|what)\b",
    re.IGNORECASE,
)


def is_clause(text: str) -> bool:
    """Whether some word can be a finite verb with something before it; true for other scripts."""
    words = _TOKEN.findall(text[:_MAX_READ].lower().replace("\u2019", "'"))
    if words and words[0] in AUXILIARY and "'" in words[0]:
        return True
    verb = any(finite(word) and before not in _NO_SUBJECT for before, word in pairwise(words))
    return verb or (bool(words) and _is_foreign(text))


def _is_foreign(text: str) -> bool:
    """Whether the words for verbs are of no use for this text."""
    return not _LATIN.search(text) or language(text) != ENGLISH


def is_sentence(text: str) -> bool:
    """Whether the text has a main clause: at some word, more finite verbs than openers of other clauses.

    Stricter than `is_clause` and wrong more often about good sentences: for ranking, not for refusing.
    """
    words = _TOKEN.findall(text[:_MAX_READ].lower().replace("\u2019", "'"))
    if _is_foreign(text):
        return bool(words)
    adverb = bool(words) and words[0].endswith("ly")
    if not words[adverb:] or third_person(words[adverb]):
        return False  # "Shows how ...", "Naturally collapses to ...": the subject is missing
    balance = 1 if "'" in words[0] and words[0] in AUXILIARY else 0
    for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False):
        balance += bool(before and _is_main(before, word, after)) - (word in _SUBORDINATE)
        if balance > 0:
            return True
    return False


def _is_main(before: str, word: str, after: str) -> bool:
    """Whether `word`, between its neighbours, is a finite verb rather than a noun or a participle."""
    if before in _RELATIVE:
        return word in FINITE
    if before in _NO_SUBJECT or before in AUXILIARY:
        return False
    if word in AUXILIARY or word.endswith(CONTRACTED) or word in PAST:
        return word not in ("be", "been")
    takes_object = after in _AFTER_VERB
    if word in BASES:
        return (before.endswith(("s", "ly")) or before in _PLURAL) and (takes_object or word not in NOUNS)
    if word in THIRD:
        return takes_object or third_person(word)
    return word in FINITE and after not in _AFTER_PARTICIPLE


def unresolved(title: str) -> bool:
    """Whether the title opens with a pronoun whose referent stands outside it, or with a name and such a pronoun."""
    words = _TOKEN.findall(title[:200].lower().replace("\u2019", "'"))
    pronouns = _PRONOUN.get(language(title), frozenset())
    opens = bool(words) and words[0] in pronouns and not _EXPLETIVE.match(title)
    return opens or _POINTING.match(title) is not None or opens_with_name(title)


def opens_with_name(title: str) -> bool:
    """Whether it is a name that stands before the pronoun which points outside the title ("Xi et al. put it at")."""
    return _NAME_AND_IT.match(title) is not None


def is_question(title: str) -> bool:
    """Whether the title asks: a question mark at its end, or an inverted opening ("why does …")."""
    words = _TOKEN.findall(title[:200].lower())
    if title.rstrip("\"'\u201d\u2019)* ").endswith(("?", "\uff1f", "؟")):
        return True
    return len(words) > 1 and words[0] in _QUESTION and words[1] in _INVERTED and words[0] != "what"


def faults(title: str) -> list[str]:
    """Why "this note argues that <title>" is no sentence to argue about; empty for a title that passes."""
    title = _SPACE.sub(" ", title[:_MAX_READ]).strip()
    words = [word.lower() for word in _TOKEN.findall(title)]
    if not words:
        return ["empty: the title says nothing"]
    found = []
    if _MARKDOWN.search(title):
        found.append("markdown: the title has markup left in it")
    if is_question(title):
        found.append("question: the title asks and does not claim")
    elif unresolved(title):
        found.append(f"pronoun: \u201c{' '.join(words[:2])} …\u201d points to something outside the title")
    elif words[0].replace("\u2019", "'") in _IMPERATIVE and not is_clause(" ".join(words[:4])):
        found.append("imperative: the title tells the reader to do something")
    elif not is_clause(title):
        found.append("fragment: the title has no verb and is no full sentence")
    if len(title) > MAX_LENGTH:
        found.append(f"long: the title has more than {MAX_LENGTH} characters")
    if _LATIN.search(title) and (len(words) < 4 or not any(_specific(word) for word in words)):
        found.append("vague: the title is too short or names nothing specific")
    return found


def _specific(word: str) -> bool:
    return len(word) > 3 and word not in _GENERIC and word not in AUXILIARY and word not in _PRONOUN[ENGLISH]
