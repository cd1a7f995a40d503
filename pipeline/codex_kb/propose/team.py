"""Who proposes from which source: the agent of its domain, with its model, or the model of the settings."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable, Sequence

from codex_kb import language
from codex_kb.config import Agent
from codex_kb.errors import UsageError
from codex_kb.index.opened import ClaimIndex
from codex_kb.kb import KnowledgeBase
from codex_kb.language.paid import Answers, Ledger, Spent
from codex_kb.layout import LOCAL
from codex_kb.ports import Proposer
from codex_kb.propose import kinds, prompts
from codex_kb.propose.amplify import Amplifier
from codex_kb.propose.background import Background
from codex_kb.records import Decision, Plan, Source

#: Where answers that were paid for are kept.
ANSWERS = f"{LOCAL}/answers"


class Team:
    """The proposers of one run; each is made when its first source comes."""

    def __init__(self, kb: KnowledgeBase, model: str, jobs: int, budget: float, again: bool) -> None:
        """`model` goes before the settings'; `jobs` questions run at a time; `budget` is US dollars, 0 for none.

        Raises:
            UsageError: a model is of no kind that there is.
        """
        self._kb = kb
        self._model = model
        self._jobs = jobs
        self._again = again
        self._ledger = Ledger(budget)
        self._answers: dict[str, Answers] = {}
        self._proposers: dict[str, Proposer] = {}
        self._background: Background | None = None
        self._lock = threading.Lock()
        #: Nobody will be asked: what needs a key may lack it.
        self.keyless = False
        for name in self._named():
            if not (language.knows(name) or kinds.knows(name)):
                known = ", ".join([*kinds.known(), language.forms()])
                raise UsageError(f"unknown model {name}", hint=f"known: {known}; docs/models.md tells more")

    def brief(self, claims: ClaimIndex, decisions: Sequence[Decision]) -> None:
        """Tell what is known and what was decided, before the first source."""
        self._background = Background(self._kb, claims, decisions)
        self._proposers.clear()

    @property
    def spent(self) -> Spent:
        """What the run spent so far."""
        return self._ledger.spent

    def of(self, source: Source) -> Proposer:
        """The proposer for a source.

        Raises:
            UsageError: there is no such model, its extra is not installed, or its key is missing.
        """
        name, agent = self._agent(source)
        with self._lock:
            if name not in self._proposers:
                self._proposers[name] = self._made(name, agent)
            return self._proposers[name]

    def model(self, source: Source) -> str:
        """The name of the model that proposes from a source, and argues about it."""
        return self._model_of(self._agent(source)[1])

    def _model_of(self, agent: Agent) -> str:
        return self._model or agent.model or self._kb.settings.propose.model

    @property
    def at_once(self) -> int:
        """How many sources to work on at a time: several only where models answer."""
        return self._jobs if self.asks else 1

    @property
    def asks(self) -> bool:
        """Is there a language model among them?"""
        return any(map(language.knows, self._named()))

    def _named(self) -> list[str]:
        settings = self._kb.settings
        agents = [agent.model for agent in settings.agents.values() if agent.model]
        return [self._model] if self._model else [settings.propose.model, *agents]

    def _agent(self, source: Source) -> tuple[str, Agent]:
        domain = source.domain.strip().casefold()
        for name, agent in self._kb.settings.agents.items():
            if domain in {each.strip().casefold() for each in agent.domains}:
                return name, agent
        return "", Agent()

    def _made(self, name: str, agent: Agent) -> Proposer:
        model = self._model_of(agent)
        if not language.knows(model):
            return kinds.load(model, self._kb.encoder)
        assert self._background is not None
        return Amplifier(self.answers(model), self._background, self._jobs, name, agent.instructions)

    def answers(self, model: str) -> Answers:
        """What asks a model, within the run's budget."""
        if model not in self._answers:
            self._answers[model] = Answers(
                language.load(self._local(model), self.keyless), self._kb.layout.path(ANSWERS), self._ledger,
                self._kb.settings.propose.price, f"{prompts.VERSION} {model}", self._again,
            )  # fmt: skip
        return self._answers[model]

    def _local(self, model: str) -> str:
        """A model's file is named relative to the root."""
        kind, _, path = model.partition(":")
        return f"{kind}:{self._kb.layout.root / path}" if kind == "local" else model

    def close(self) -> None:
        """Ask nothing further, and wait for the answers that are under way: they are paid for.

        Interrupted, it waits no longer.
        """
        try:
            for proposer in self._proposers.values():
                if isinstance(proposer, Amplifier):
                    proposer.close()
        except KeyboardInterrupt:
            language.stop()
            raise


def total(plans: Iterable[Plan]) -> Plan:
    """What several sources would take together."""
    found = Plan()
    for plan in plans:
        cost = None if found.cost is None or plan.cost is None else found.cost + plan.cost
        found = dataclasses.replace(
            found, calls=found.calls + plan.calls, input_tokens=found.input_tokens + plan.input_tokens,
            output_tokens=found.output_tokens + plan.output_tokens, cost=cost,
        )  # fmt: skip
    return found
