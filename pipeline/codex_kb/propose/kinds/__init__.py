"""One module a kind of proposer, found by its name in this folder.

A kind has `FORM`, how its models are named, for a person; `takes(model)`, whether it serves a model of that name;
`ASKS`, whether it asks a service or a model that takes time; and `build(briefing)`, which makes its proposer.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from codex_kb.errors import UsageError
from codex_kb.ports import Proposer
from codex_kb.propose.briefing import Briefing


def forms() -> str:
    """How models are named, for a person."""
    return ", ".join(kind.FORM for kind in _kinds())


def require(model: str) -> None:
    """Stop where no kind serves a model of this name. Raises UsageError."""
    _of(model)


def asks(model: str) -> bool:
    """Does a model of this name take time to answer, so that several sources are worked on at once?"""
    return bool(_of(model).ASKS)


def load(briefing: Briefing) -> Proposer:
    """The proposer for the briefing's model.

    Raises:
        UsageError: there is no such model, its extra is not installed, or its key is missing.
    """
    proposer: Proposer = _of(briefing.model).build(briefing)
    return proposer


def _kinds() -> list[Any]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f"{__name__}.{name}") for name in names]


def _of(model: str) -> Any:
    for kind in _kinds():
        if kind.takes(model):
            return kind
    raise UsageError(f"unknown model {model}", hint=f"known: {forms()}; docs/models.md tells more")
