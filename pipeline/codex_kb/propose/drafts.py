"""The second stage: a proposer's drafts become proposals, grounded and set beside what is known."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from codex_kb.ports import Encoder
from codex_kb.records import Decision, Draft, Evidence, Hit, Proposal, Source
from codex_kb.review.packet import proposal_id
from codex_kb.review.standing import standing
from codex_kb.text.fields import CONFIDENCES, NO_DOMAIN, folder_name
from codex_kb.text.marks import one_line

#: Cosine of two claims (all-MiniLM-L6-v2) from which a hint is given; a person decides.
DUPLICATE = 0.85
ENRICHES = 0.65
#: So many of the nearest claims stand beside a proposal.
NEAREST = 3
#: Cosine from which the nearest claim's domain stands in for a missing one.
_SAME_FIELD = 0.5
#: What a proposal notes of a field that nothing supports.
NO_DESCRIPTION = "there is no description: nothing beside the quote adds to the title"
NO_CONFIDENCE = "nothing in the text supports a confidence: it starts at the lowest"
_RELATIONS = ("new", "duplicate", "enriches", "challenges")


@dataclass(frozen=True, slots=True)
class Near:
    """The nearest claims of one draft, best first, the best one's domain, and whether its title alone is as near."""

    hits: tuple[Hit, ...] = ()
    domain: str = ""
    alike: bool = True


def known_key(title: str) -> str:
    """A title reduced to letters and digits, so that spelling and punctuation do not tell two apart."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", title).casefold()))


class History:
    """What people decided and nobody took back, as it is looked up for each source: put in order once for all."""

    def __init__(self, decisions: Iterable[Decision]) -> None:
        self._of: dict[str, list[Decision]] = defaultdict(list)
        self._rejected: dict[str, str] = {}
        for decision in standing(decisions).values():
            if decision.shown.get("repeat_of"):  # it changes the log alone
                continue
            self._of[decision.source].append(decision)
            if decision.verdict == "rejected":
                for title in (decision.title, str(decision.proposal.get("title", ""))):
                    self._rejected[known_key(title)] = decision.reason

    def of(self, source: str) -> Sequence[Decision]:
        """The decisions that stand about one source's proposals."""
        return self._of.get(source, ())

    def split(self, source: Source, drafts: Sequence[Draft]) -> tuple[list[Draft], list[tuple[str, str]]]:
        """Drafts that no person decided before, and (title, reason) of those held back.

        Held back: a title rejected anywhere, or a quote from this source that was decided before.
        """
        titles: dict[str, str] = {}
        quotes: dict[str, str] = {}
        for decision in self.of(source.path):
            reason = decision.reason if decision.verdict == "rejected" else "approved"
            for evidence in decision.proposal.get("evidence", ()):
                quotes[known_key(str(evidence["quote"]))] = reason
            titles.setdefault(known_key(decision.title), reason)
        new: list[Draft] = []
        held: list[tuple[str, str]] = []
        for draft in drafts:
            key = known_key(draft.title)
            quote = " ".join(known_key(source.body[start:end]) for start, end in draft.spans)
            known = self._rejected.get(key) or titles.get(key) or (quotes.get(quote) if quote else None)
            if known is None:
                new.append(draft)
            else:
                held.append((draft.title, known))
        return new, held


def proposal(source: Source, draft: Draft, near: Near, proposer: str, generation: int) -> Proposal:
    """A draft, grounded in the source and compared; what had to be guessed is among its notes."""
    evidence = tuple(
        Evidence(source.path, source.body_sha256, source.body[start:end], start, end) for start, end in draft.spans
    )
    title, description = one_line(draft.title), one_line(draft.description)
    domain, confidence, guessed = _guessed(draft, near.domain)
    hint, target, why, left_out = _related(draft, near)
    undescribed = [] if description else [NO_DESCRIPTION]
    notes = [*draft.notes, *undescribed, *guessed, *left_out]
    return Proposal(
        id=proposal_id(source.path, title, [*(e.quote for e in evidence), *draft.unlocated]),
        source=source.path, source_sha256=source.body_sha256, title=title, description=description, domain=domain,
        confidence=confidence, relation=hint, evidence=evidence, nearest=near.hits, proposer=proposer,
        generation=generation, notes=tuple(one_line(note) for note in notes), unlocated=draft.unlocated,
        target=target, why=why, features=draft.features,
    )  # fmt: skip


def _guessed(draft: Draft, of_nearest: str) -> tuple[str, str, list[str]]:
    """A draft's domain and confidence, guessed where it has none, and a note on each guess."""
    domain, notes = folder_name(draft.domain), []
    if not domain:
        domain = of_nearest or NO_DOMAIN
        where = "taken from the nearest claim" if of_nearest else "none is near either"
        notes.append(f"the source names no domain; {where}")
    if not draft.confidence:
        notes.append(NO_CONFIDENCE)
    return domain, draft.confidence or CONFIDENCES[-1], notes


def _related(draft: Draft, near: Near) -> tuple[str, str, str, list[str]]:
    """How a draft relates to what is known, to which claim and why, as it says itself or else by what is near.

    A note where it says it of a claim that is not near.
    """
    if judged(draft, near.hits):
        return draft.relation, "" if draft.relation == "new" else draft.target, one_line(draft.why), []
    said = bool(draft.relation or draft.target)
    left_out = ["how it relates to what is known was said of no claim near it, and is left out"] if said else []
    return relation(near.hits, near.alike), "", "", left_out


def candidate_id(source: Source, draft: Draft) -> str:
    """16 hex digits of a draft, of which the first 12 are the id that it has as a proposal."""
    quotes = [*(source.body[start:end] for start, end in draft.spans), *draft.unlocated]
    return proposal_id(source.path, one_line(draft.title), quotes, 16)


def judged(draft: Draft, nearest: Sequence[Hit]) -> bool:
    """Does the proposer say how the draft relates to a claim near it, or that it is new?"""
    return draft.relation == "new" or (draft.relation in _RELATIONS and draft.target in {hit.path for hit in nearest})


def ranked(proposals: Iterable[Proposal]) -> list[Proposal]:
    """The proposals in their order, those with a quote that is not located after all others."""
    return sorted(proposals, key=lambda proposal: bool(proposal.unlocated))


def alike(encoder: Encoder, title: str, hits: Sequence[Hit]) -> bool:
    """Is the nearest claim a duplicate by the two titles alone? Embeds only where it is one with its description."""
    if not hits or hits[0].score < DUPLICATE:
        return True
    one, other = encoder.encode([title, hits[0].title])
    return float(one @ other) >= DUPLICATE


def near_domain(hits: Sequence[Hit], domains: Mapping[str, str]) -> str:
    """The nearest claim's domain, where it is near enough to say anything."""
    return domains.get(hits[0].path, "") if hits and hits[0].score >= _SAME_FIELD else ""


def relation(nearest: Sequence[Hit], alike: bool = True) -> str:
    """A hint from the nearest claim's cosine: new, enriches or duplicate.

    `alike` says whether the two titles alone are as near: a claim whose description is the proposal is no duplicate.
    """
    score = nearest[0].score if nearest else 0.0
    if score >= DUPLICATE and alike:
        return "duplicate"
    return "enriches" if score >= ENRICHES else "new"
