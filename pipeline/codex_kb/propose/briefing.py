"""What a kind of proposer is made with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from codex_kb.language.paid import Asker
from codex_kb.ports import Encoder
from codex_kb.propose.background import Background
from codex_kb.propose.preference import Preference


@dataclass(frozen=True, slots=True)
class Briefing:
    """What a kind of proposer is made with.

    `model` is its name as the user or the settings have it; `agent` and `instructions` are those of `[agents.NAME]`,
    empty without one; `background` is what is known and what people decided; `preference` is what was learned; `jobs`
    questions may run at a time; `answers` gives what asks a language model of a name, within the run's budget.
    """

    model: str
    encoder: Encoder
    background: Background
    preference: Preference
    jobs: int
    answers: Callable[[str], Asker]
    agent: str = ""
    instructions: str = ""
