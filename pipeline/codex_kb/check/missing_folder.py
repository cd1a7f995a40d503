"""`[kb]` names a folder that is not there."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.check.facts import Facts
from codex_kb.config import FILE_NAME, Kb
from codex_kb.records import Problem

ID = "missing-folder"
DEFAULT = "error"


def check(facts: Facts) -> Iterator[Problem]:
    """Folders that the settings name and that are not there."""
    may_come_later = {*Kb().claims, *Kb().sources}
    for folder in facts.absent_folders:
        if folder not in may_come_later:
            yield Problem(FILE_NAME, None, ID, f"[kb] names {folder}, which is no folder here",
                          "mend the name, or make the folder")  # fmt: skip
