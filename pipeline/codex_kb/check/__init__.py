"""What is wrong with a knowledge base: one rule a module, found by its name; no input or output.

A rule has an `ID` (the module's name, and the rule's in `[check]`), a severity by `DEFAULT`, a docstring that
describes it, and `check(facts)`, which gives the problems.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from codex_kb.check.facts import Facts
    from codex_kb.config import Level
    from codex_kb.records import Problem


class Rule(Protocol):
    """What a module of this package offers."""

    ID: str
    DEFAULT: Literal["error", "note"]

    def check(self, facts: Facts) -> Iterator[Problem]:
        """What the rule finds; its severity is set by `run`."""


def ids() -> tuple[str, ...]:
    """The ids of all rules, sorted; no rule is loaded."""
    modules = (module.name for module in pkgutil.iter_modules(__path__) if module.name != "facts")
    return tuple(sorted(name.replace("_", "-") for name in modules))


def rules() -> list[Rule]:
    """All rules, in the order of their ids."""
    found: list[Any] = [importlib.import_module(f"{__name__}.{name.replace('-', '_')}") for name in ids()]
    return found


def run(facts: Facts, levels: Mapping[str, Level]) -> list[Problem]:
    """What the rules find, in the order of paths and lines; `levels` are `[check]`: off, note or error by id."""
    found = []
    for rule in rules():
        level = levels.get(rule.ID, rule.DEFAULT)
        if level != "off":
            found += [dataclasses.replace(problem, severity=level, rule=rule.ID) for problem in rule.check(facts)]
    return sorted(found, key=lambda p: (p.path, p.line or 0, p.code, p.message))
