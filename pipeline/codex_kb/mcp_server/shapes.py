"""The structured content of answers: each tool's output schema is made of these."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict  # typing's own is not read by pydantic before Python 3.12


class Counts(TypedDict):
    """Whether the committed index agrees with the claims."""

    fresh: bool
    claims: int


class StatusAnswer(TypedDict):
    """Counts of everything."""

    sources: dict[str, int]
    proposals: int
    claims: int
    problems: int
    index: Counts
    generation: int


class QuoteShape(TypedDict):
    """Words of a source at their place; `stands` says whether they still stand there."""

    source: str
    start: int
    end: int
    quote: str
    stands: bool


class ClaimShape(TypedDict):
    """A claim that people approved; `standing` is in force, challenged or retired."""

    score: float
    path: str
    title: str
    domain: str
    confidence: str
    description: str
    standing: str
    snippet: NotRequired[str]


class ClaimsAnswer(TypedDict):
    """Claims, best first; `next_offset` is where the next ones begin, null where there are none."""

    notice: str
    claims: list[ClaimShape]
    next_offset: int | None


class EvidenceShape(ClaimShape):
    """A claim near a sentence with its quotes and what people recorded against it."""

    quotes: list[QuoteShape]
    challenges: list[str]


class EvidenceAnswer(TypedDict):
    """The claims nearest to a sentence. Nearness is no verdict."""

    notice: str
    claims: list[EvidenceShape]
    next_offset: int | None


class DecisionShape(TypedDict):
    """What a person decided."""

    verdict: str
    by: str
    time: str
    proposer: str
    source: str


class NearShape(TypedDict):
    """A claim that is near."""

    path: str
    title: str
    score: float


class ClaimAnswer(TypedDict):
    """One claim with everything behind it."""

    notice: str
    path: str
    title: str
    domain: str
    confidence: str
    description: str
    standing: str
    attribution: str
    text: str
    next_start: int | None
    quotes: list[QuoteShape]
    quotes_left_out: int
    challenges: list[str]
    decisions: list[DecisionShape]
    nearest: list[NearShape]


class ProposalShape(TypedDict):
    """What waits for a person's decision."""

    id: str
    source: str
    title: str
    description: str
    domain: str
    confidence: str
    relation: str
    proposer: str
    quotes: list[str]
    nearest: list[str]


class ProposalsAnswer(TypedDict):
    """What waits; `next_offset` is where the next ones begin, null where there are none."""

    notice: str
    proposals: list[ProposalShape]
    next_offset: int | None


class PassageAnswer(TypedDict):
    """A part of a source; `start` and `end` count characters of its text, lines those of its file."""

    notice: str
    path: str
    title: str
    author: str
    date: str
    url: str
    status: str
    text: str
    start: int
    end: int
    first_line: int
    last_line: int
    characters: int
    next_start: int | None


class ProposedAnswer(TypedDict):
    """What became of a proposal: proposed, waits already, or held back since people decided about it before."""

    notice: str
    status: str
    reason: str
    id: str | None
    packet: str | None
    relation: str | None
    nearest: list[NearShape]
