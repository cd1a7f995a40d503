"""The order that a generation teaches, as proposers use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from codex_kb.learn.examples import SCORE, TAUGHT, plain, specialty
from codex_kb.learn.generation import Generation
from codex_kb.propose.choice import Floats, Vectors, by_turns, most_relevant


@dataclass(frozen=True)
class Preference:
    """`taught` is the generation that is asked; on `trial` it fills a list by turns with the untaught order.

    `begun` says that some generation was closed before, in force or not. `agents` are those of domains, by domain.
    """

    taught: Generation | None = None
    trial: bool = False
    begun: bool = False
    agents: Mapping[str, str] = field(default_factory=dict)

    def order(
        self, untaught: Floats, features: Sequence[Mapping[str, float]], vectors: Vectors, domain: str
    ) -> Floats:  # fmt: skip
        """The taught scores of one source's candidates, shape (n,), in the unit of the untaught and with their mean."""
        if self.taught is None:
            return untaught
        named = self.taught.names
        rows = np.array([plain(each, named) for each in features]).reshape(len(features), len(named))
        zero = np.zeros(len(features))
        ranker = self.taught.specialists.get(specialty(domain, self.agents), self.taught.ranker)
        more = ranker.score(zero, rows, np.asarray(vectors, np.float64))
        return untaught + (more - more.mean() if len(more) else more)

    def choose(
        self, vectors: Vectors, untaught: Floats, taught: Floats, limit: int, places: Sequence[tuple[int, int]],
        source: str,
    ) -> list[int]:  # fmt: skip
        """The rows to propose from a source, best first."""
        if self.trial:
            return by_turns(vectors, untaught, taught, limit, places, source)
        return most_relevant(vectors, taught, limit, places)

    def tell(self, untaught: float, taught: float) -> dict[str, float]:
        """What is recorded of a candidate's scores."""
        told = {SCORE: round(float(untaught), 4)}
        return told if self.taught is None else told | {TAUGHT: round(float(taught), 4)}

    @property
    def trial_name(self) -> str:
        """The generation on trial; empty where there is none."""
        return self.taught.name if self.taught and self.trial else ""
