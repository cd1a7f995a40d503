"""Claims taken from the source's own sentences: no language model, so nothing can be made up.

1. Candidates: each sentence, cleaned to a title, with the span that says it. A sentence that opens with
   "this", or with "the tail" where the one before speaks of a tail, is joined to the one before, which says
   what is meant; the span then covers both.
2. Salience: continuous LexRank (Erkan & Radev 2004, doi:10.1613/jair.1523) over sentence embeddings,

       p(u) = (1 - d)/N + d * sum_v  sim(u, v) / sum_w sim(w, v)  * p(v)

   with sim = max(0, cosine), standardised over the source, plus a few signs of a claim (`signs`).
3. Choice: maximal marginal relevance (Carbonell & Goldstein 1998, doi:10.1145/290941.291025) takes next the
   candidate with the largest  salience - REDUNDANCY * max cosine to what was taken (`choice`), where the salience is
   corrected by what a generation learned (`preference`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from codex_kb.ports import Encoder, Proposer
from codex_kb.propose import signs
from codex_kb.propose.briefing import Briefing
from codex_kb.propose.features import features
from codex_kb.propose.preference import Preference
from codex_kb.records import Draft, Drafted, Plan, Source
from codex_kb.text import cues, proposition
from codex_kb.text.langid import ENGLISH, language
from codex_kb.text.sentences import Sentence, split

Floats = npt.NDArray[np.float64]

DAMPING = 0.85  # d of LexRank, the value of the paper and of PageRank
ITERATIONS = 50  # 0.85 ** 50 < 3e-4: what is left of the start
MAX_GRAPH = 2_000  # candidates: 16 MB of similarities at most, however large the source
MAX_CLEANED = 20_000  # sentences that become candidates, evenly chosen where there are more
MAX_QUOTE = 700  # characters: more is a passage, which nobody checks against one claim
MAX_DESCRIPTION = 240  # characters
MIN_WORDS = 5
MIN_DESCRIPTION = 7  # words: less is an aside

_APPARATUS = re.compile(
    r"\W*(?:references|bibliography|further reading|links|sources|footnotes|notes|raw data|"
    r"related)\W*$",
    re.IGNORECASE,
)
_ANNOUNCES = re.compile(r"(?:how|why|what|when|where|who|which|warum|wie|was|wer|wo|cómo|por qué|qué)\b|[^?]*\?", re.I)
_LABELLED = re.compile(r"[^:]{1,90}: ")
_LINKED = re.compile(r"\W*\[\[")
#: Who asks in a transcript, and claims nothing.
_ASKS = re.compile(r"(?:q\d*|question|host|moderator|interviewer|audience|frage|pregunta)$", re.IGNORECASE)
_SPEAKER = re.compile(
    r"(?:\W{0,4}\d{1,2}:\d\d(?::\d\d)?\W{1,4})?(?P<name>[A-Z][\w.'\u2019-]*+(?: [A-Z][\w.'\u2019-]*+){0,3}):\s++"
)
_SPOKEN_TURNS = 3  # what opens as many lines is no label but a speaker


FORM = "extractive"
ASKS = False


def takes(model: str) -> bool:
    """It has one model."""
    return model == FORM


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A title with the sentences (numbers `first` to `last`) that say it."""

    title: str
    first: int
    last: int


class ExtractiveProposer:
    """Proposes the sentences that say most of what the source says."""

    name = "extractive"
    model = ""

    def __init__(self, encoder: Encoder, preference: Preference | None = None) -> None:
        self._encoder = encoder
        self._preference = preference or Preference()

    def plan(self, source: Source, limit: int) -> Plan:
        """Nothing: no question is asked."""
        return Plan()

    def close(self) -> None:
        """Nothing is under way."""

    def propose(self, source: Source, limit: int) -> Drafted:
        """At most `limit` drafts, best first; each title's words stand in its span, in their order."""
        report = _of_language(source.body)
        sentences = _turns(split(source.body))
        candidates = _thinned(_candidates(sentences))
        if limit <= 0 or not candidates:
            return Drafted((), report)
        vectors = np.asarray(self._encoder.encode([c.title for c in candidates]), dtype=np.float32)
        settings = _settings(candidates, sentences, cues.present(source.body))
        names = [tuple(signs.signs(c.title, setting)) for c, setting in zip(candidates, settings, strict=True)]
        weights = np.array([sum(signs.WEIGHTS[sign] for sign in each) for each in names])
        salience = np.where(weights < signs.LEAST, -np.inf, _standard(lexrank(vectors)) + weights)
        told = [_features(c, some, sentences, len(source.body)) for c, some in zip(candidates, names, strict=True)]
        taught = self._preference.order(salience, told, vectors, source.domain)
        places = [(c.first, c.last) for c in candidates]
        chosen = self._preference.choose(vectors, salience, taught, limit, places, source.path)
        others = sorted({*np.flatnonzero(np.isfinite(salience)).tolist()} - {*chosen}, key=lambda row: -taught[row])

        def draft(row: int) -> Draft:
            features = self._preference.tell(salience[row], taught[row]) | told[row]
            return replace(_draft(candidates[row], sentences, source), features=features)

        return Drafted(
            tuple(map(draft, chosen)), report, tuple(map(draft, others)), self._preference.trial_name
        )


def build(briefing: Briefing) -> Proposer:
    """The proposer behind `--model extractive`; it needs nothing but an encoder."""
    return ExtractiveProposer(briefing.encoder, briefing.preference)


def _of_language(body: str) -> tuple[str, ...]:
    """What a reviewer should know of a source that is not in English."""
    if not body.strip() or (found := language(body)) == ENGLISH:
        return ()
    named = f"in {found}" if found else "in a language that is not known here"
    return (f"the source seems to be {named}: whether its titles are full sentences is not judged",)


# -- candidates ----------------------------------------------------------------------------------


def _turns(sentences: Sequence[Sentence]) -> list[Sentence]:
    """The sentences of a transcript without who says them, and without who asks; of any other text all as they are."""
    names = [found["name"] if (found := _SPEAKER.match(s.text)) else "" for s in sentences]
    often = {name for name, count in Counter(names).items() if name and count >= _SPOKEN_TURNS}
    kept, asking = [], False
    for number, (sentence, name) in enumerate(zip(sentences, names, strict=True)):
        if name in often or (often and _ASKS.match(name)):
            asking = _ASKS.match(name) is not None
        elif number and sentence.paragraph != sentences[number - 1].paragraph:
            asking = False
        at = found.end() if name in often and (found := _SPEAKER.match(sentence.text)) else 0
        if not asking and at < len(sentence.text):
            kept.append(replace(sentence, start=sentence.start + at, text=sentence.text[at:]))
    return kept


def _candidates(sentences: Sequence[Sentence]) -> list[_Candidate]:
    """Every sentence that could be a claim, in order of position, each title once."""
    found: dict[str, _Candidate] = {}
    for number in range(0, len(sentences), 1 + len(sentences) // MAX_CLEANED):
        if _is_noise(sentences[number]):
            continue
        candidate = _candidate(number, sentences)
        if _can_be_claimed(candidate.title):
            found.setdefault(candidate.title.casefold(), candidate)
    return list(found.values())


def _candidate(number: int, sentences: Sequence[Sentence]) -> _Candidate:
    """A sentence under its clean title, with the label or the sentence before it where it needs one."""
    sentence = sentences[number]
    title = proposition.clean(sentence.text)
    label = proposition.label(sentence.text)[0]
    if proposition.is_sentence(label) and _can_be_claimed(proposition.clean(label)):
        title = proposition.clean(label)
    elif label and _adds(label, title):
        title = f"{proposition.clean(label)}: {title}"
    elif _points_back(title, number, sentences) and (joined := _joined(title, number, sentences)):
        return _Candidate(joined, number - 1, number)
    return _Candidate(title, number, number)


def _points_back(title: str, number: int, sentences: Sequence[Sentence]) -> bool:
    """Whether a title needs the sentence before: it opens with "this", or with "the tail", of which that one speaks."""
    if proposition.unresolved(title):
        return True
    noun = signs.bare_subject(title)
    return bool(noun and number) and re.search(rf"\b{re.escape(noun)}\b", sentences[number - 1].text) is not None


def _adds(label: str, title: str) -> bool:
    """Whether a lead-in names the subject in words that the title lacks, and fits in front of it."""
    fits = len(label) + len(title) + 2 <= proposition.MAX_LENGTH
    known = set(title.casefold().split())
    return fits and not proposition.is_meta(label) and not set(label.casefold().split()) <= known


def _is_noise(sentence: Sentence) -> bool:
    return (
        len(sentence.text) > MAX_QUOTE
        or (sentence.kind == "heading" and not _claims(sentence.text))
        or _APPARATUS.match(sentence.section) is not None
        or _LINKED.match(sentence.text) is not None  # a note on a claim that exists already
        or sentence.text.startswith(("$$", "\\begin"))
        or cues.is_boilerplate(sentence.text)
        or cues.is_task(sentence.text)
    )


def _claims(heading: str) -> bool:
    """Whether a heading says something of its own: a full sentence that neither asks nor announces."""
    title = proposition.clean(heading)
    return proposition.is_sentence(title) and not proposition.is_question(title) and not _ANNOUNCES.match(title)


def _can_be_claimed(title: str) -> bool:
    if len(title.split()) < MIN_WORDS and title.isascii():
        return False
    disqualifying = ("question", "imperative", "empty", "long")
    return not any(fault.startswith(disqualifying) for fault in proposition.faults(title))


def _joined(title: str, number: int, sentences: Sequence[Sentence]) -> str:
    """The sentence before and this one, as one; "" where that is not safe or too long."""
    before, this = sentences[number - 1] if number else None, sentences[number]
    if before is None or before.paragraph != this.paragraph or _is_noise(before):
        return ""
    if len(title.split()) < MIN_WORDS:
        return ""
    opening = proposition.clean(before.text)
    first = title[:1] if proposition.opens_with_name(title) else title[:1].lower()
    whole = f"{opening}; {first}{title[1:]}"
    unsafe = proposition.faults(opening) or signs.bare_subject(opening) or len(whole) > proposition.MAX_LENGTH
    return "" if unsafe else whole


def _thinned(candidates: list[_Candidate]) -> list[_Candidate]:
    """At most MAX_GRAPH candidates: from each of as many equal runs the one with the fewest faults."""
    count = len(candidates)
    if count <= MAX_GRAPH:
        return candidates
    edges = [count * part // MAX_GRAPH for part in range(MAX_GRAPH + 1)]
    return [
        min(candidates[left:right], key=lambda c: len(proposition.faults(c.title))) for left, right in pairwise(edges)
    ]


# -- salience and choice -------------------------------------------------------------------------


def lexrank(vectors: npt.NDArray[np.float32]) -> Floats:
    """Centrality of each row in the graph of similarities; shape (n,), sums to 1."""
    count = len(vectors)
    similar = np.maximum(vectors @ vectors.T, 0)
    similar /= np.maximum(similar.sum(axis=0, keepdims=True), 1e-9)
    rank = np.full(count, 1 / count)
    for _ in range(ITERATIONS):
        rank = (1 - DAMPING) / count + DAMPING * (similar @ rank)
    return np.asarray(rank / rank.sum(), dtype=np.float64)


def _standard(values: Floats) -> Floats:
    """Mean 0, standard deviation 1, so that one set of weights fits every source."""
    return np.asarray((values - values.mean()) / (values.std() + 1e-9), dtype=np.float64)


def _settings(
    candidates: Sequence[_Candidate], sentences: Sequence[Sentence], present: frozenset[str]
) -> list[signs.Setting]:  # fmt: skip
    """Where each candidate stands, as its signs are read from."""
    return [
        signs.Setting(sentences[c.last], tuple(_beside(c, sentences)), c.first < c.last, present) for c in candidates
    ]


def _features(
    candidate: _Candidate, names: tuple[str, ...], sentences: Sequence[Sentence], length: int
) -> dict[str, float]:  # fmt: skip
    """What can be learned from of a candidate with signs of these names; `length` is that of the source's body."""
    first, last = sentences[candidate.first], sentences[candidate.last]
    quote = first.text if candidate.first == candidate.last else f"{first.text} {last.text}"
    return features(candidate.title, quote, first.start / max(1, length), names)


# -- drafts --------------------------------------------------------------------------------------


def _draft(candidate: _Candidate, sentences: Sequence[Sentence], source: Source) -> Draft:
    first, last = sentences[candidate.first], sentences[candidate.last]
    quote = source.body[first.start : last.end]
    confidence, cue, where = _confidence(quote, candidate, sentences)
    return Draft(
        title=candidate.title,
        spans=((first.start, last.end),),
        description=_description(candidate, sentences),
        domain=source.domain,
        confidence=confidence,
        notes=tuple(_notes(candidate, first, cue, where)),
    )


def _confidence(quote: str, candidate: _Candidate, sentences: Sequence[Sentence]) -> tuple[str, str, str]:
    """What the quote's own words say about how sure it is, else those beside it; the words, and where they stand."""
    level, cue = cues.confidence(quote)
    if cue:
        return level, cue, "in the quote"
    for beside in _beside(candidate, sentences):
        level, cue = cues.confidence(beside.text)
        if level in ("experimental", "likely"):
            return "experimental", cue, "beside the quote"
    return "", "", ""


def _beside(candidate: _Candidate, sentences: Sequence[Sentence]) -> Iterator[Sentence]:
    """The sentences of the same paragraph after and before the quote."""
    for number in (candidate.last + 1, candidate.first - 1):
        if 0 <= number < len(sentences) and sentences[number].paragraph == sentences[candidate.last].paragraph:
            yield sentences[number]


def _description(candidate: _Candidate, sentences: Sequence[Sentence]) -> str:
    """A sentence beside the quote that says more than the title; "" where none does."""
    for beside in _beside(candidate, sentences):
        text = proposition.clean(beside.text)
        follows = beside.start > sentences[candidate.last].start
        if not _is_noise(beside) and _adds_to(text, candidate.title, follows):
            return text
    return ""


def _adds_to(text: str, title: str, follows: bool) -> bool:
    """Whether a sentence beside a title is worth a line of its own; only one that follows may point back to it."""
    return (
        len(text) <= MAX_DESCRIPTION
        and len(text.split()) >= MIN_DESCRIPTION
        and text.casefold() != title.casefold()
        and proposition.is_clause(text)
        and (follows or not proposition.unresolved(text))
        and not signs.is_first_person(text)
        and not cues.is_about_itself(text)
        and _can_be_claimed(text)
    )


def _notes(candidate: _Candidate, sentence: Sentence, cue: str, where: str) -> list[str]:
    notes = []
    if candidate.first < candidate.last:
        notes.append("The title joins two sentences, because the second refers to the first.")
    elif proposition.unresolved(candidate.title):
        notes.append("The title opens with a word that points back and needs its context.")
    if _LABELLED.match(candidate.title) and proposition.label(sentence.text)[0]:
        notes.append("The title opens with the label of its passage, which names the subject.")
    if not proposition.is_sentence(candidate.title):
        notes.append("The title may not be a full sentence and may need rewording.")
    if candidate.title.endswith("…"):
        notes.append("The title was cut; the quote has the whole sentence.")
    if signs.is_archivists(sentence):
        notes.append("The quote is the archivist's words, not the author's.")
    if cue:
        notes.append(f'The confidence was read from "{cue}" {where}.')
    return notes
