"""Proposing in the workers of a cluster: what is sent to them, and how they ask language models.

A worker has no key, no budget and keeps no answer: it asks the process that called it, which asks for all of them.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from codex_kb.engine import Shipped, pack, unpacked
from codex_kb.errors import ModelError, RefusedFile
from codex_kb.index import local
from codex_kb.index.opened import ClaimIndex
from codex_kb.kb import KnowledgeBase
from codex_kb.language.paid import Asker, Spent
from codex_kb.propose.background import Background
from codex_kb.propose.step import Worked, draft
from codex_kb.propose.team import Proposers, Team
from codex_kb.records import Prompt
from codex_kb.run.files import reader

#: A model's name, the question, and the tokens that it has at most.
Question = tuple[str, Prompt, int]
#: The answer, or why there is none, and what it took.
Reply = tuple[str, ModelError | None, Spent]


@dataclass(frozen=True)
class Facts:
    """What a proposer looks at of a language model."""

    name: str
    context_tokens: int
    at_once: int


@dataclass(frozen=True, eq=False)
class Told:
    """What every worker is told once: the base, the model of the command line, and where sources are, if not sent."""

    base: Shipped
    model: str
    jobs: int
    models: Mapping[str, Facts]
    files: str


@dataclass(frozen=True)
class Task:
    """A source to propose from; `data` are its bytes, None where the worker reads what has this SHA-256 itself."""

    path: str
    limit: int
    sha256: str
    data: bytes | None


def told(kb: KnowledgeBase, team: Team) -> Told:
    """What workers are told.

    Raises:
        UsageError: a model's extra is not installed, or its key is missing.
    """
    asked = {name: team.answers(name).model for name in team.language_models}
    facts = {name: Facts(model.name, model.context_tokens, model.at_once) for name, model in asked.items()}
    return Told(pack(kb, claims=bool(asked)), team.named, team.jobs, facts, kb.settings.run.files)


def task(path: str, data: bytes, limit: int, files: str) -> Task:
    """A source as it is sent."""
    return Task(path, limit, hashlib.sha256(data).hexdigest(), None if files else data)


def answering(team: Team) -> Callable[[Question], Reply]:
    """What answers the workers' questions, where the answers are kept. May be called from several threads."""

    def answer(question: Question) -> Reply:
        model, prompt, tokens = question
        spent = Spent()
        try:
            return team.answers(model).ask(prompt, tokens, spent), None, spent
        except ModelError as error:
            return "", error, spent

    return answer


# -- in a worker ------------------------------------------------------------------------------------


def proposing(given: Told, home: Callable[[Question], Reply]) -> Callable[[Task], Worked]:
    """What a worker that proposes does."""
    kb = unpacked(given.base)
    claims = ClaimIndex(local.folder(kb.layout.root)) if given.base.claims else None
    decisions = kb.store.decisions()[0]
    team = _Asking(kb, given, home)
    proposers = Proposers(team, Background(kb, claims, decisions))
    read = reader(given.files)

    def work(task: Task) -> Worked:
        data = read(task.path) if task.data is None else task.data
        if hashlib.sha256(data).hexdigest() != task.sha256:
            raise RefusedFile(f"a worker found other bytes at {given.files}", path=task.path,
                              hint="bring both in line, then run it again")  # fmt: skip
        return draft(kb.store, proposers, task.path, data, task.limit)

    return work


class _Asking(Team):
    """A team whose questions go home."""

    def __init__(self, kb: KnowledgeBase, given: Told, home: Callable[[Question], Reply]) -> None:
        super().__init__(kb, given.model, given.jobs, 0.0, again=False)
        self._afar = {name: _Asked(name, facts, home) for name, facts in given.models.items()}

    def answers(self, model: str) -> Asker:
        """What asks a model, by way of the process that called."""
        return self._afar[model]


class _Asked:
    """Asks a language model by way of the process that called. May be used from several threads."""

    def __init__(self, named: str, model: Facts, home: Callable[[Question], Reply]) -> None:
        self.model = model
        self._named = named
        self._home = home
        self._lock = threading.Lock()

    def ask(self, prompt: Prompt, tokens: int, spent: Spent) -> str:
        """The answer's text; what it took is counted in `spent`. Raises ModelError as `Answers.ask` does."""
        text, error, more = self._home((self._named, prompt, tokens))
        with self._lock:
            spent.add(more)
        if error is not None:
            raise error
        return text

    def known(self, prompt: Prompt) -> bool:
        """Workers know of no answer: they are not asked for a plan."""
        return False

    def price(self, input_tokens: int, output_tokens: int) -> float | None:
        """Nor of a price."""
        return None
