"""The things that the program passes from stage to stage: frozen, without I/O.

Offsets count Unicode code points of a source's body, as `Source.body` holds it.
Paths are POSIX paths relative to the root of the knowledge base.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Confidence = Literal["proven", "likely", "experimental", "speculative"]
Relation = Literal["new", "duplicate", "enriches", "challenges"]
Verdict = Literal["approved", "rejected", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a file, for a person to mend; `line` counts from 1, `rule` is the one that found it."""

    path: str
    line: int | None
    code: str
    message: str
    hint: str = ""
    severity: Literal["error", "note"] = "error"
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A verbatim quote: `body[start:end] == quote` in the body whose SHA-256 is given."""

    source: str
    source_sha256: str
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Source:
    """A source archive; `fields` are the frontmatter's under our own names."""

    path: str
    fields: Mapping[str, Any]
    body: str
    body_sha256: str
    title: str
    author: str
    url: str
    date: str
    domain: str
    status: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """An approved claim: one arguable sentence and what stands behind it."""

    path: str
    fields: Mapping[str, Any]
    body: str
    title: str
    domain: str
    description: str
    confidence: str
    status: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A claim found near something, with its score (higher is nearer)."""

    path: str
    title: str
    score: float


@dataclass(frozen=True, slots=True)
class Draft:
    """What a proposer says of one source, before it is grounded and compared.

    `spans` are (start, end) in the body; `unlocated` are quotes that do not stand there. `notes` tell
    the reviewer what nothing supports: a value that had to be guessed, a title that needs its context.
    An empty `domain`, `confidence` or `relation` means that the proposer has no grounds for one.
    `target` is the path of the claim that it relates to, `why` the proposer's reason. `features` are what learning
    goes by, by name: the untaught "score", where a generation was asked its "taught" one, and plain ones.
    """

    title: str
    spans: tuple[tuple[int, int], ...]
    description: str = ""
    domain: str = ""
    confidence: str = ""
    notes: tuple[str, ...] = ()
    unlocated: tuple[str, ...] = ()
    relation: str = ""
    target: str = ""
    why: str = ""
    features: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drafted:
    """What a proposer makes of one source: drafts, best first, and lines that the reviewer should read of the run.

    `left` are all other candidates, best first, of which some proposers know none. `trial` names the generation that
    filled the list by turns with the untaught order; empty where one of the two filled it alone.
    """

    drafts: tuple[Draft, ...]
    report: tuple[str, ...] = ()
    left: tuple[Draft, ...] = ()
    trial: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What working on one source would take: questions to a model, tokens, and US dollars where the price is known."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One point of a debate; `place` is the path of the file that the quote stands in, empty where it stands nowhere.

    Irving, Christiano & Amodei 2018 (arXiv:1805.00899).
    """

    side: Literal["for", "against"]
    point: str
    quote: str
    place: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A claim that waits for a person's decision.

    `features` are those of its draft, `trial` the generation that filled the packet by turns with the untaught order,
    `place` where it was shown, from 1. `blind` ones are shown without hints, `explored` ones were not chosen but mixed
    in, with `chance`, the probability of being shown. `repeat_of` is the id of the decision that is asked for again.
    `missed` says that nobody proposed it and a person added it, `alone` that the source was read before them.
    Where new instructions are tried, `instructions` says whether it came of the "old" or the "new" ones of the trial
    `tried`.
    """

    id: str
    source: str
    source_sha256: str
    title: str
    description: str
    domain: str
    confidence: str
    relation: str
    evidence: tuple[Evidence, ...]
    nearest: tuple[Hit, ...]
    proposer: str
    generation: int
    notes: tuple[str, ...] = ()
    unlocated: tuple[str, ...] = ()
    target: str = ""
    why: str = ""
    debate: tuple[Turn, ...] = ()
    features: Mapping[str, float] = field(default_factory=dict)
    trial: str = ""
    place: int = 0
    blind: bool = False
    explored: bool = False
    chance: float = 1.0
    repeat_of: str = ""
    missed: bool = False
    alone: bool = False
    instructions: str = ""
    tried: str = ""


@dataclass(frozen=True, slots=True)
class Approved:
    """A proposal as the reviewer approved it."""

    proposal: Proposal
    title: str
    description: str
    domain: str
    confidence: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Packet:
    """What was proposed from one source and waits; `held` are titles held back, with the reason.

    `source_sha256` is that of the body that the quotes were located in last; `model` is the language
    model behind the proposer, empty where there is none. `report` says, a line each, what
    the reviewer should know of the run: parts that failed, tokens, cost. `later` are the proposals of a source that is
    read without them first. `proposed` is when the oldest of them was proposed (UTC, ISO 8601), where that is known.
    """

    name: str
    source: str
    source_sha256: str
    proposer: str
    generation: int
    proposals: tuple[Proposal, ...]
    held: tuple[tuple[str, str], ...] = ()
    report: tuple[str, ...] = ()
    model: str = ""
    later: tuple[Proposal, ...] = ()
    proposed: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a language model is asked: instructions, data, and the JSON Schema that its answer must fit."""

    system: str
    user: str
    schema: Mapping[str, Any]
    max_tokens: int = 4000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a language model said, and what it took: tokens, and US dollars where the price is known."""

    text: str
    input_tokens: int
    output_tokens: int
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about one proposal: enough to train on without any other file.

    `seconds` is how long it took, where a door measured it; `missed` says that a person added the claim.
    """

    id: str
    time: str
    reviewer: str
    verdict: Verdict
    reason: str
    title: str
    proposal: Mapping[str, Any]
    claim: str | None
    source: str
    source_sha256: str
    proposer: str
    generation: int
    shown: Mapping[str, Any] = field(default_factory=dict)
    features: Mapping[str, float] = field(default_factory=dict)
    seconds: float | None = None
    missed: bool = False
