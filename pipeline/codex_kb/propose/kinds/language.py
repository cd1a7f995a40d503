"""A language model proposes: from each part of a source, then over the whole, beside what is known.

Every quote is located by us; one that does not stand in the source is shown as such, never mended.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import zip_longest
from typing import TypeVar

import numpy as np

from codex_kb import language
from codex_kb.errors import ModelError
from codex_kb.language.paid import Asker, Spent
from codex_kb.propose import prompts, replies
from codex_kb.propose.background import Background
from codex_kb.propose.briefing import Briefing
from codex_kb.propose.features import features
from codex_kb.propose.preference import Preference
from codex_kb.propose.prompts import Known
from codex_kb.propose.replies import Candidate, Judgement
from codex_kb.records import Draft, Drafted, Plan, Prompt, Source
from codex_kb.text import ground, parts
from codex_kb.text.parts import Part

T = TypeVar("T")

FORM = language.forms()
ASKS = True

#: Cosine of a draft with a claim from which the model is asked how the two relate.
_RELATED = 0.45
_NEAREST = 3
#: A part's length in characters: what a model judges at once, and what fits beside the rest of the question.
_PART_CHARS = 16_000
_CHARS_A_TOKEN = 3
_BESIDE_TOKENS = 3_000
_RELATION_TOKENS = 700
_CANDIDATE_TOKENS = 150


def takes(model: str) -> bool:
    """Every model with a kind before its colon, such as `openai:gpt-5-mini`."""
    return language.knows(model)


def build(briefing: Briefing) -> Amplifier:
    """The proposer for a language model. Raises UsageError as `language.load` does."""
    answers = briefing.answers(briefing.model)
    return Amplifier(answers, briefing.background, briefing.preference, briefing.jobs, briefing.agent,
                     briefing.instructions)  # fmt: skip


class Amplifier:
    """Proposes with a language model, which has no tools; what fails costs its own part only."""

    def __init__(
        self, answers: Asker, background: Background, preference: Preference, jobs: int, name: str = "",
        instructions: str = "",
    ) -> None:  # fmt: skip
        """`name` is the agent's, else the model's; `instructions` are the agent's; `jobs` questions run at a time."""
        self._answers = answers
        self._background = background
        self._preference = preference
        self._instructions = instructions
        most = answers.model.at_once or jobs
        self._pool = ThreadPoolExecutor(min(jobs, most), thread_name_prefix="ask")
        self.model = answers.model.name
        self.name = name or answers.model.name

    def close(self) -> None:
        """Ask nothing further; what was asked is still kept when it is answered."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def propose(self, source: Source, limit: int) -> Drafted:
        """At most `limit` drafts, best first, those with quotes that are not located last.

        Raises:
            ServiceError: no part gave anything, and why.
        """
        spent = Spent()
        report: list[str] = []
        candidates = self._from_parts(source, limit, spent, report)
        if len(self._parts(source)) > 1 and len(candidates) > 1:
            candidates = self._over_the_whole(source, candidates, limit, spent, report)
        found = [_draft(candidate, source) for candidate in candidates]
        chosen, left = self._chosen(source, found, limit)
        drafts = self._related(source, chosen, spent, report)
        drafts.sort(key=lambda draft: bool(draft.unlocated))
        return Drafted(tuple(drafts), (*report, f"{self._answers.model.name}: {spent}"), tuple(left),
                       self._preference.trial_name)  # fmt: skip

    def _chosen(self, source: Source, drafts: Sequence[Draft], limit: int) -> tuple[list[Draft], list[Draft]]:
        """Those to propose, best first, and the others: in the model's order, corrected by what was learned."""
        untaught = -np.log(np.arange(1, len(drafts) + 1))
        told = [_features(draft, source) for draft in drafts]
        rows, taught = list(range(len(drafts))), untaught
        if self._preference.taught and drafts:
            vectors = self._background.vectors([draft.title for draft in drafts])
            taught = self._preference.order(untaught, told, vectors, source.domain)
            apart = [(row, row) for row in rows]  # two claims may rest on one passage
            chosen = self._preference.choose(vectors, untaught, taught, limit, apart, source.path)
            rows = [*chosen, *(row for row in rows if row not in chosen)]
        found = [
            dataclasses.replace(drafts[row], features=self._preference.tell(untaught[row], taught[row]) | told[row])
            for row in rows
        ]
        return found[:limit], found[limit:]

    def plan(self, source: Source, limit: int) -> Plan:
        """What working on a source would take; answers that are on disk are free."""
        asked = [prompt for prompt in self._prompts(source, limit) if not self._answers.known(prompt)]
        tokens = sum(map(_tokens, asked))
        # One question over the whole, and one for each draft that a claim is near to, follow; their size is known then.
        later = (1 if len(self._parts(source)) > 1 else 0) + (limit if asked and self._background.claims else 0)
        tokens += later * _RELATION_TOKENS
        answered = sum(prompt.max_tokens for prompt in asked) // 2 + later * _RELATION_TOKENS // 4
        return Plan(len(asked) + later, tokens, answered, self._answers.price(tokens, answered))

    # -- the questions -----------------------------------------------------------------------------

    def _parts(self, source: Source) -> list[Part]:
        beside = _BESIDE_TOKENS + prompts.tokens(self._instructions)
        room = (self._answers.model.context_tokens - beside) // 2 * _CHARS_A_TOKEN
        return [part for part in parts.split(source.body, max(1000, min(_PART_CHARS, room)))
                if source.body[part.start : part.end].strip()]  # fmt: skip

    def _prompts(self, source: Source, limit: int) -> list[Prompt]:
        examples = self._background.examples(source)
        found = self._parts(source)
        return [
            prompts.propose(source, text, part.heading, number, len(found), self._background.known(text), examples,
                            self._instructions, limit)
            for number, part in enumerate(found, 1)
            for text in [source.body[part.start : part.end]]
        ]  # fmt: skip

    def _from_parts(self, source: Source, limit: int, spent: Spent, report: list[str]) -> list[Candidate]:
        asked = self._prompts(source, limit)
        results = self._ask_all([(prompt, lambda text: replies.candidates(text, limit)) for prompt in asked], spent)
        found: list[list[Candidate]] = []
        dropped: Counter[str] = Counter()
        failures = []
        for number, result in enumerate(results, 1):
            if isinstance(result, ModelError):
                failures.append(result)
                report.append(f"part {number} of {len(asked)} gave nothing: {result.message}")
            else:
                found.append(result)
                dropped += result.dropped
        report += [f"{count} of the model's claims could not be used: {why}" for why, count in sorted(dropped.items())]
        if failures and len(failures) == len(asked):
            raise failures[0]
        # The best of each part come first, then the second best.
        return [candidate for rank in zip_longest(*found) for candidate in rank if candidate is not None]

    def _over_the_whole(
        self, source: Source, candidates: list[Candidate], limit: int, spent: Spent, report: list[str]
    ) -> list[Candidate]:
        candidates = candidates[: max(limit, self._answers.model.context_tokens // 2 // _CANDIDATE_TOKENS)]
        asked = prompts.combine(source, candidates, self._background.known(source.body),
                                self._background.examples(source), self._instructions, limit)  # fmt: skip
        (chosen,) = self._ask_all([(asked, lambda text: replies.chosen(text, candidates, limit))], spent)
        if isinstance(chosen, ModelError):
            report.append(f"the parts' claims were not weighed against each other: {chosen.message}")
            return candidates
        return chosen

    def _related(self, source: Source, drafts: list[Draft], spent: Spent, report: list[str]) -> list[Draft]:
        """Each draft with the model's judgement of how it relates to the claims near it."""
        hits = self._background.near([draft.title for draft in drafts], _NEAREST)
        rows = [row for row, near in enumerate(hits) if near and near[0].score >= _RELATED]
        known = {row: self._background.cards(hits[row]) for row in rows}
        asked = [
            (prompts.relate(drafts[row].title, _quotes(drafts[row], source), known[row]),
             partial(replies.relation, n=len(known[row])))
            for row in rows
        ]  # fmt: skip
        results = self._ask_all(asked, spent)
        found = list(drafts)
        for row, result in zip(rows, results, strict=True):
            if isinstance(result, ModelError):
                report.append(f"not compared with what is known ({result.message}): {drafts[row].title}")
            else:
                found[row] = _judged(drafts[row], result, known[row])
        return found

    def _ask_all(self, asked: Sequence[tuple[Prompt, Callable[[str], T]]], spent: Spent) -> list[T | ModelError]:
        """What the answers say, in the order of the questions; a failure stands in the place of its answer.

        `asked` are questions, each with what reads its answer.

        Raises:
            ModelError: the budget is spent. What is paid for is kept, and the source waits for the next run.
        """
        running: list[Future[T]] = [self._pool.submit(self._ask, prompt, read, spent) for prompt, read in asked]
        found: list[T | ModelError] = []
        for future in running:
            try:
                found.append(future.result())
            except ModelError as error:
                if error.kind == "budget":
                    raise
                found.append(error)
        return found

    def _ask(self, prompt: Prompt, read: Callable[[str], T], spent: Spent) -> T:
        text = self._answers.ask(prompt, _tokens(prompt), spent)
        try:
            return read(text)
        except ValueError as error:
            again = dataclasses.replace(prompt, user=f"{prompt.user}\n\n{prompts.MEND.format(reason=error)}")
        text = self._answers.ask(again, _tokens(again), spent)
        try:
            return read(text)
        except ValueError as error:
            raise ModelError("invalid", f"the answer cannot be read: {error}") from error


def _draft(candidate: Candidate, source: Source) -> Draft:
    """A candidate with each of its quotes at its place in the body, or known to have none."""
    spans: list[tuple[int, int]] = []
    unlocated = []
    for quote in candidate.quotes:
        span = ground.locate(quote, source.body, spans[0][0] if spans else 0)
        if span is None:
            unlocated.append(quote)
        elif span not in spans:
            spans.append(span)
    return Draft(candidate.title, tuple(spans), candidate.description, candidate.domain or source.domain,
                 candidate.confidence, unlocated=tuple(unlocated))  # fmt: skip


def _features(draft: Draft, source: Source) -> dict[str, float]:
    """What can be learned from of a draft."""
    quote, start = (source.body[slice(*draft.spans[0])], draft.spans[0][0]) if draft.spans else ("", 0)
    return features(draft.title, quote, start / max(1, len(source.body)))


def _quotes(draft: Draft, source: Source) -> list[str]:
    return [*(source.body[start:end] for start, end in draft.spans), *draft.unlocated]


def _judged(draft: Draft, judgement: Judgement, known: Sequence[Known]) -> Draft:
    target = known[judgement.claim].path if judgement.claim is not None else ""
    relation = judgement.relation if target or judgement.relation == "new" else ""
    return dataclasses.replace(draft, relation=relation, target=target, why=judgement.reason)


def _tokens(prompt: Prompt) -> int:
    return prompts.tokens(prompt.system + prompt.user + str(prompt.schema))
