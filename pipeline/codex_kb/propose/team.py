"""Who proposes from which source: the agent of its domain, with its model, or the model of the settings."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable
from functools import cached_property

from codex_kb import language
from codex_kb.config import Agent
from codex_kb.disk.generations import Generations, named
from codex_kb.errors import RefusedFile
from codex_kb.kb import KnowledgeBase
from codex_kb.language.paid import Answers, Asker, Ledger, Spent
from codex_kb.layout import GENERATIONS, LOCAL
from codex_kb.learn import halves
from codex_kb.learn.halves import Told
from codex_kb.ports import Proposer
from codex_kb.propose import kinds, prompts
from codex_kb.propose.background import Background
from codex_kb.propose.briefing import Briefing
from codex_kb.propose.preference import Preference
from codex_kb.records import Plan, Source

#: Where answers that were paid for are kept.
ANSWERS = f"{LOCAL}/answers"


class Team:
    """The models of one run and its budget."""

    def __init__(
        self, kb: KnowledgeBase, model: str, jobs: int, budget: float, again: bool, keyless: bool = False
    ) -> None:  # fmt: skip
        """`model` goes before the settings', where one is named; `jobs` questions run at a time.

        `budget` is US dollars, 0 for none. With `keyless` nobody will be asked, and what needs a key may lack it.

        Raises:
            UsageError: a model is of no kind that there is.
        """
        self.kb = kb
        self.jobs = jobs
        self.named = model
        self._again = again
        self._keyless = keyless
        self._ready = False
        self._ledger = Ledger(budget)
        self._answers: dict[str, Answers] = {}
        for name in self._named():
            kinds.require(name)

    def ready(self) -> None:
        """Before anything is asked: the settings' models are granted, and the user hears where text goes.

        Raises:
            UsageError: the user did not grant a model that the settings name.
        """
        if self._ready:
            return
        models = self.language_models
        for model in models if not self.named else ():
            self.kb.require_model(model)
        if not self._keyless:
            for address in dict.fromkeys(filter(None, map(language.address, models))):
                self.kb.say(f"sources go to {address}")
        self._ready = True

    @cached_property
    def preference(self) -> Preference:
        """What the generation in force, or the one on trial, has learned; nothing where another model embeds now.

        Raises:
            RefusedFile: its files hold none.
        """
        known = Generations(self.kb.layout.root)
        now = known.course
        name = now.in_force if now.relied_on or now.pinned else now.trial or now.in_force
        taught = named(self.kb.layout.root, name) if name else None
        if taught and taught.encoder != self.kb.encoder.name:
            self.kb.say(f"generation {taught.name} was made with another [index] model: it is left out")
            taught = None
        if taught and len(taught.ranker.direction) != self.kb.encoder.dimension:
            raise RefusedFile("no generation of this model: its direction has another length",
                              path=f"{GENERATIONS}/{taught.name}",
                              hint="git checkout it; or codex distill --rollback 0, and delete it")  # fmt: skip
        return Preference(taught, bool(taught) and name == now.trial, bool(known.events), self.kb.settings.agent_of)

    @property
    def spent(self) -> Spent:
        """What the run spent so far."""
        return self._ledger.spent

    def agent(self, source: Source) -> tuple[str, Agent]:
        """The name and settings of the agent for a source; an empty name where no agent has its domain."""
        name = self.kb.settings.agent_of.get(source.domain.strip().casefold(), "")
        return name, self.kb.settings.agents.get(name, Agent())

    def told(self, source: Source) -> Told:
        """The instructions for a source. Only who asks a model is told any, so only there are new ones tried."""
        agent = self.agent(source)[1]
        return halves.told(agent.instructions, agent.trying if kinds.asks(self.model(source)) else "", source.path)

    def model(self, source: Source) -> str:
        """The name of the model that proposes from a source, and argues about it."""
        return self.named or self.agent(source)[1].model or self.kb.settings.propose.model

    @property
    def at_once(self) -> int:
        """How many sources to work on at a time: several only where models answer."""
        return self.jobs if self.asks else 1

    @property
    def asks(self) -> bool:
        """Is there a model among them that takes time to answer?"""
        return any(map(kinds.asks, self._named()))

    @property
    def language_models(self) -> list[str]:
        """The language models among them."""
        return [model for model in self._named() if language.knows(model)]

    def _named(self) -> list[str]:
        settings = self.kb.settings
        agents = [agent.model for agent in settings.agents.values() if agent.model]
        return [self.named] if self.named else [settings.propose.model, *agents]

    def answers(self, model: str) -> Asker:
        """What asks a model, within the run's budget."""
        if model not in self._answers:
            self._answers[model] = Answers(
                language.load(self._local(model), self._keyless), self.kb.layout.path(ANSWERS), self._ledger,
                self.kb.settings.propose.price, f"{prompts.VERSION} {model}", self._again,
                self.kb.say,
            )  # fmt: skip
        return self._answers[model]

    def _local(self, model: str) -> str:
        """A model's file is named relative to the root."""
        kind, _, path = model.partition(":")
        return f"{kind}:{self.kb.layout.root / path}" if kind == "local" else model


class Proposers:
    """The proposers of a team that was told what is known; each is made when its first source comes."""

    def __init__(self, team: Team, background: Background) -> None:
        self._team = team
        self._background = background
        self._made: dict[tuple[str, str], Proposer] = {}
        self._lock = threading.Lock()

    def of(self, source: Source) -> Proposer:
        """The proposer for a source.

        Raises:
            UsageError: there is no such model, its extra is not installed, or its key is missing.
        """
        name = self._team.agent(source)[0]
        told = self._team.told(source)
        made = (name, told.half)
        with self._lock:
            if made not in self._made:
                kb = self._team.kb
                self._made[made] = kinds.load(Briefing(
                    self._team.model(source), kb.encoder, self._background, self._team.preference, self._team.jobs,
                    self._team.answers, name, told.instructions,
                ))  # fmt: skip
            return self._made[made]

    def close(self) -> None:
        """Ask nothing further, and wait for the answers that are under way: they are paid for."""
        for proposer in self._made.values():
            proposer.close()


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
