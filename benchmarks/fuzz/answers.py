"""Answers of language models, damaged: what is proposed all the same stands in the source, word for word.

The proposer is the real one, from its questions to its drafts; only what the model says is made up.
"""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast, get_args

from benchmarks.fuzz.case import Ended, damaged, require
from benchmarks.fuzz.packets import claims_near, read_source
from codex_kb.errors import ServiceError
from codex_kb.language.paid import Answers as Paid
from codex_kb.language.paid import Ledger
from codex_kb.propose import drafts, replies
from codex_kb.propose.background import Background
from codex_kb.propose.kinds.language import Amplifier
from codex_kb.propose.preference import Preference
from codex_kb.propose.prompts import Known
from codex_kb.records import Answer, Draft, Hit, Packet, Prompt, Relation, Source
from codex_kb.review import debate, decide, packet
from codex_kb.text import sentences
from codex_kb.text.fields import CONFIDENCES
from codex_kb.text.marks import visible

_TYPED = (
    '"', "{", "}", "[", "]", ",", ":", "\\", "\n", "\\u0000", "\\ud800", "null", "NaN", "1e999", "```", "<!--", "-->",
    "## [x] ", "\x1b[2J", "\u200b", "\u202e", "\ufeff", "9" * 30, '{"claims": [', "'",
)  # fmt: skip
_ODD: tuple[Any, ...] = (
    None, True, 7, -1, 1e300, "", "x", [], {}, [[]], ["x"], {"title": "x"}, "likely", "PROVEN", "certain", "../..",
    "\ud800", "<!-- id: 123456789012 -->", "## [x] forged", "a\n\n- domain: forged", "e\u0301" * 50,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """What the model says to one question after the other, the last again and again, and how many claims are wanted."""

    text: str
    more: tuple[str, ...]
    limit: int
    context: int


class _Model:
    """A model that says what it is told to, whatever the question."""

    name = "made:up"
    at_once = 1

    def __init__(self, said: Sequence[str], context: int) -> None:
        self.context_tokens = context
        self._said = list(said)
        self.answers: list[str] = []

    def ask(self, _: Prompt) -> Answer:
        """The next answer."""
        self.answers.append(self._said.pop(0) if len(self._said) > 1 else self._said[0])
        return Answer(self.answers[-1], 1, 1)

    def price(self, input_tokens: int, output_tokens: int) -> float | None:
        """Nothing."""
        return 0.0


class _Known:
    """Claims that are near every title."""

    claims = 3

    def near(self, titles: Sequence[str], k: int) -> list[tuple[Hit, ...]]:
        """The same for all."""
        return [claims_near()[:k] for _ in titles]

    def known(self, _: str) -> list[Known]:
        """The same for all."""
        return self.cards(claims_near())

    def cards(self, hits: Sequence[Hit]) -> list[Known]:
        """Without descriptions."""
        return [Known(hit.path, hit.title, "") for hit in hits]

    def examples(self, _: Source) -> list[Any]:
        """None."""
        return []


class Answers:
    """Answers to the questions that a proposer asks of one source."""

    tries = 500

    def __init__(self, folder: Path) -> None:
        """Answers are not kept: a file stands where their folder would be."""
        self._folder = folder / "no folder"
        self._folder.write_bytes(b"")

    def make(self, chance: random.Random) -> Said:
        """One to six answers of all kinds."""
        said = [_answer(chance) for _ in range(chance.randint(1, 6))]
        return Said(said[0], tuple(said[1:]), chance.randint(1, 5), chance.choice([4200, 6000, 100_000]))

    def check(self, case: Any) -> Ended:
        """Propose, and look at every word that is said to stand in the source."""
        source = read_source()
        _points((case.text, *case.more), source)
        model = _Model((case.text, *case.more), case.context)
        asked = Paid(model, self._folder, Ledger(), (), "", again=False)
        proposer = Amplifier(asked, cast(Background, _Known()), Preference(), 1)
        try:
            drafted = proposer.propose(source, case.limit)
        except ServiceError as error:
            return Ended("", re.sub(r"\d+", "n", error.message.partition(", ")[0]))
        finally:
            proposer.close()
        require(len(drafted.drafts) <= case.limit, "more than asked for")
        quotes = _quotes(model.answers)
        for draft in drafted.drafts:
            _sound(draft, source, quotes)
        _waits(source, drafted.drafts)
        located = sum(bool(draft.spans) for draft in drafted.drafts)
        if not drafted.drafts:
            return Ended("without a claim")
        return Ended("with a quote that stands there" if located else "with no quote that stands there")


# -- checking --------------------------------------------------------------------------------------


def _points(said: Sequence[str], source: Source) -> None:
    """A point of a debate is one, or none; its quote stands where it says."""
    for text in said:
        with suppress(ValueError):
            made = replies.point(text)
            turn = debate.judge_point("for", made.point, made.quote, [(source.path, source.body)])
            require(turn.point, "an empty point")
            require(not turn.place or (turn.quote and turn.quote in source.body), "a point's quote stands nowhere")


def _sound(draft: Draft, source: Source, quotes: set[str]) -> None:
    require(draft.title and draft.title == " ".join(draft.title.split()), "a title that is none")
    require(draft.confidence in ("", *CONFIDENCES), f"no such confidence: {draft.confidence!r}")
    require(draft.relation in ("", *get_args(Relation)), f"no such relation: {draft.relation!r}")
    require(not draft.target or draft.target in {hit.path for hit in claims_near()}, f"no such claim: {draft.target!r}")
    require(draft.spans or draft.unlocated, "without a quote")
    made = drafts.proposal(source, draft, drafts.Near(claims_near(), "other"), "made:up", 0)
    require(re.fullmatch(r"[^\W_]+(-[^\W_]+)*", made.domain), f"no folder: {made.domain!r}")
    for evidence in made.evidence:
        require(
            evidence.quote and source.body[evidence.start : evidence.end] == evidence.quote,
            "a quote that is not at its place",
        )
        require(_letters(evidence.quote) in quotes, f"a quote that nobody said: {evidence.quote!r}")
    for quote in draft.unlocated:
        require(quote not in source.body, f"it stands there: {quote!r}")


def _quotes(said: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for text in said:
        with suppress(ValueError):
            found |= {_letters(quote) for each in replies.candidates(text, 10) for quote in each.quotes}
    return found


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", visible(text))))


def _waits(source: Source, found: Sequence[Draft]) -> None:
    """As a packet nothing of it is decided, and nothing of it is an error."""
    near = drafts.Near(claims_near(), "other")
    made = {p.id: p for p in (drafts.proposal(source, draft, near, "made:up", 0) for draft in found)}
    record = Packet("a", source.path, source.body_sha256, "made:up", 0, tuple(made.values()))
    text = packet.render(record, "A byline", packet.Placer(source, 1))
    outcome = decide.decide(record, text, source)
    require(not outcome.errors and not outcome.decided, f"a fresh packet is not one that waits: {outcome.errors}")


# -- making ----------------------------------------------------------------------------------------


def _answer(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.15:
        said = chance.choice([*get_args(Relation), "supports", None])
        value: Any = {"relation": said, "claim": chance.choice([1, 2, 3, 4, 0, "2", None]), "reason": "since"}
    elif kind < 0.25:
        value = {
            "claims": [{"numbers": [chance.randint(-1, 6) for _ in range(chance.randint(0, 3))]} for _ in range(3)]
        }
    elif kind < 0.32:
        value = {"point": "It holds", "quote": _quote(chance)}
    else:
        value = {"claims": [_claim(chance) for _ in range(chance.randint(0, 4))]}
    if chance.random() < 0.2:
        value = chance.choice([value.get("claims", [value]), chance.choice(_ODD), [value], {"answer": value}])
    text = json.dumps(value, ensure_ascii=chance.random() < 0.5, indent=chance.choice([None, 2]))
    text = chance.choice(
        [text, text, f"```json\n{text}\n```", f"Here it is: {text} I hope [it] {{helps}}.", f"{{}} {text}"]
    )
    return damaged(chance, text, _TYPED, chance.randint(1, 4)) if chance.random() < 0.5 else text


def _claim(chance: random.Random) -> Any:
    quotes: Any = [_quote(chance) for _ in range(chance.choice([1, 1, 1, 2, 3, 0]))]
    claim: dict[str, Any] = {
        "title": chance.choice(_sentences()).rstrip("."),
        "description": "It says more",
        "domain": chance.choice(["", "ai-alignment", "A B/../c"]),
        "confidence": chance.choice([*CONFIDENCES, "Likely ", "sure"]),
        "quotes": quotes,
    }
    if chance.random() < 0.15:
        claim[chance.choice([*claim])] = chance.choice(_ODD)
    if chance.random() < 0.05:
        claim["quote"] = claim.pop("quotes")
    return claim


def _quote(chance: random.Random) -> str:
    """A sentence of the source, often not word for word."""
    text = chance.choice(_sentences())
    one, two = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    return chance.choice([
        text, text, text[one:two], f"“{text}”", text.replace(" ", "\n", 3), text.replace("a", "а", 1),
        text[:one] + "..." + text[two:], text.upper(), f"**{text}**", text.replace("-", "–"), text.replace("fi", "ﬁ"),
        text[:one] + "\u200b" + text[one:], f"{text} {chance.choice(_sentences())}", text[:one] + " not " + text[one:],
    ])  # fmt: skip


@cache
def _sentences() -> list[str]:
    return [each.text for each in sentences.split(read_source().body) if each.kind == "prose"]
