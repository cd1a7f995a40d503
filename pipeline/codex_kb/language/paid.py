"""Answers of a language model: each is paid for once, on disk at once, counted, and kept within a budget."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from codex_kb.disk.transaction import write_file
from codex_kb.errors import ModelError, UsageError
from codex_kb.ports import LanguageModel
from codex_kb.records import Answer, Prompt
from codex_kb.text import json_of_others

#: Seconds after which it is said that an answer takes its time.
_PATIENCE = 4.0
#: Failures that were paid for and would be the same again.
_KEPT = ("refusal", "truncated", "invalid")


@dataclass
class Spent:
    """What questions took: those that were asked, those answered from disk, tokens, US dollars, failures."""

    asked: int = 0
    known: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    priced: bool = True

    def add(self, other: Spent) -> None:
        """Count another's too."""
        self.asked += other.asked
        self.known += other.known
        self.failed += other.failed
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.cost += other.cost
        self.priced &= other.priced

    def __str__(self) -> str:
        known = f" ({self.known} of them already paid for)" if self.known else ""
        cost = f"${self.cost:.4f}" if self.priced else "of unknown price"
        number = self.asked + self.known
        return (f"{number} question{'s' * (number != 1)}{known}, {self.input_tokens} tokens asked, "
                f"{self.output_tokens} answered, {cost}")  # fmt: skip


class Ledger:
    """What a run spent on all its models, never more than its budget. May be used from several threads."""

    def __init__(self, budget: float = 0.0) -> None:
        """`budget` is US dollars, 0 for none."""
        self.budget = budget
        self.spent = Spent()
        self._reserved = 0.0
        self._lock = threading.Lock()

    def reserve(self, worst: float) -> None:
        """Set aside what a question may cost at most.

        Raises:
            ModelError: the budget does not reach for it.
        """
        with self._lock:
            if self.budget and self.spent.cost + self._reserved + worst > self.budget:
                raise ModelError("budget", f"the budget of ${self.budget:.2f} is spent",
                                 hint="run again with a larger --budget: what is paid for is kept")  # fmt: skip
            self._reserved += worst

    def count(self, spent: Spent, more: Spent, reserved: float = 0.0) -> None:
        """Count what a question took, here and in `spent`, in place of what was set aside for it."""
        with self._lock:
            self._reserved -= reserved
            spent.add(more)
            self.spent.add(more)


class Model(Protocol):
    """What is known of a language model: its name, how many tokens and how many questions it takes at a time."""

    @property
    def name(self) -> str: ...
    @property
    def context_tokens(self) -> int: ...
    @property
    def at_once(self) -> int: ...


class Asker(Protocol):
    """Asks a language model within the run's budget: `Answers` where they are kept, or elsewhere what reaches them."""

    @property
    def model(self) -> Model: ...
    def price(self, input_tokens: int, output_tokens: int) -> float | None: ...
    def ask(self, prompt: Prompt, tokens: int, spent: Spent) -> str: ...
    def known(self, prompt: Prompt) -> bool: ...


class Answers:
    """Asks a model, or the disk where the same was asked before. May be used from several threads."""

    def __init__(
        self, model: LanguageModel, folder: Path, ledger: Ledger, price: tuple[float, ...], identity: str, again: bool,
        say: Callable[[str], None] = lambda message: None,
    ) -> None:  # fmt: skip
        """`identity` tells models of the same name apart; with `again`, failures on disk are asked anew.

        `say` is told once that an answer takes its time, from a thread of its own.

        `price` is US dollars for a million tokens asked and answered, in place of a known one.

        Raises:
            UsageError: there is a budget, and the model's price is not known.
        """
        self.model = model
        self._folder = folder
        self._ledger = ledger
        self._price = price
        self._identity = identity
        self._again = again
        self._say = say
        self._said = threading.Event()
        self._lock = threading.Lock()
        self._running: dict[str, Future[Answer]] = {}
        if ledger.budget and self.price(1, 1) is None:
            raise UsageError(f"the price of {model.name} is not known, so no budget can be kept",
                             hint="[propose] price = [dollars for a million tokens asked, answered]")  # fmt: skip

    def price(self, input_tokens: int, output_tokens: int) -> float | None:
        """US dollars for so many tokens, None where the price is not known."""
        if self._price:
            return (input_tokens * self._price[0] + output_tokens * self._price[1]) / 1e6
        return self.model.price(input_tokens, output_tokens)

    def ask(self, prompt: Prompt, tokens: int, spent: Spent) -> str:
        """The answer's text; what it took is counted in `spent` too. `tokens` is what the question has at most.

        Raises:
            ModelError: there is no answer that can be used, or the budget does not reach for one.
        """
        key = self._key(prompt)
        with self._lock:
            running = self._running.get(key)
            mine = running is None
            if running is None:
                running = self._running[key] = Future()
        if mine:
            try:
                running.set_result(self._answer(key, prompt, tokens, spent))
            except BaseException as error:
                running.set_exception(error)
            finally:
                with self._lock:
                    del self._running[key]
        return running.result().text

    def _answer(self, key: str, prompt: Prompt, tokens: int, spent: Spent) -> Answer:
        kept = self._read(key)
        if kept is not None:
            self._ledger.count(spent, Spent(known=1, failed=int("failure" in kept)))
            if "failure" in kept:
                raise ModelError(kept["failure"], kept["text"])
            return Answer(kept["text"], kept["input_tokens"], kept["output_tokens"], kept["cost"])
        worst = self.price(tokens, prompt.max_tokens) or 0.0
        self._ledger.reserve(worst)
        taken = Spent(asked=1)
        try:
            answer = self._waited(prompt)
            used = self._used(answer.input_tokens, answer.output_tokens, answer.cost)
            taken = Spent(1, 0, 0, answer.input_tokens, answer.output_tokens, used or 0.0, used is not None)
        except ModelError as error:
            used = self._used(*error.tokens, None)
            taken = Spent(1, 0, 1, *error.tokens, used or 0.0, used is not None or error.tokens == (0, 0))
            if error.kind in _KEPT:
                self._keep(key, {"failure": error.kind, "text": error.message})
            raise
        finally:
            self._ledger.count(spent, taken, worst)
        self._keep(key, {"text": answer.text, "input_tokens": answer.input_tokens,
                         "output_tokens": answer.output_tokens, "cost": used})  # fmt: skip
        return answer

    def _waited(self, prompt: Prompt) -> Answer:
        """The model's answer; where it takes long, that is said."""
        timer = threading.Timer(_PATIENCE, self._say_waiting)
        timer.daemon = True
        timer.start()
        try:
            return self.model.ask(prompt)
        finally:
            timer.cancel()

    def _say_waiting(self) -> None:
        with self._lock:
            first = not self._said.is_set()
            self._said.set()
        if first:
            self._say(f"waiting for {self.model.name}")

    def _used(self, input_tokens: int, output_tokens: int, cost: float | None) -> float | None:
        return self.price(input_tokens, output_tokens) if cost is None or self._price else cost

    # -- on disk -----------------------------------------------------------------------------------

    def known(self, prompt: Prompt) -> bool:
        """Is the answer on disk?"""
        return self._read(self._key(prompt)) is not None

    def _key(self, prompt: Prompt) -> str:
        parts = [self._identity, prompt.system, prompt.user, prompt.schema, prompt.max_tokens]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key[2:]}.json"

    def _read(self, key: str) -> dict[str, Any] | None:
        try:
            value = json_of_others.read(self._path(key).read_bytes())
            whole = isinstance(value["text"], str) and ("failure" in value or isinstance(value["input_tokens"], int))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return value if whole and not (self._again and "failure" in value) else None

    def _keep(self, key: str, value: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the answer is used all the same
            write_file(self._path(key), json.dumps(value).encode() + b"\n")
