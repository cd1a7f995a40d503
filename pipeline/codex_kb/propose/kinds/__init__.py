"""One module a kind of model, found by name: `build(model, encoder)` makes its proposer."""

from __future__ import annotations

import importlib
import pkgutil

from codex_kb.ports import Encoder, Proposer


def known() -> list[str]:
    """The names of the modules."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(model: str, encoder: Encoder) -> Proposer:
    """The proposer for a model such as `extractive`, or `kind:name` for a kind with several models."""
    proposer: Proposer = importlib.import_module(f"{__name__}.{_kind(model)}").build(model, encoder)
    return proposer


def knows(model: str) -> bool:
    """Is there a module for this model?"""
    return _kind(model) in known()


def _kind(model: str) -> str:
    return model.split(":", 1)[0]
