"""The log of decisions: what is on record everywhere, and lines appended to it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from codex_kb import acts
from codex_kb import layout as places
from codex_kb.disk import gate
from codex_kb.disk.serialise import decision_from, decision_lines
from codex_kb.disk.transaction import Change
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import decisions_path
from codex_kb.records import Decision
from codex_kb.review.standing import later, standing, withdrawn

_AGAIN = "decided again"


def everything(kb: KnowledgeBase) -> list[Decision]:
    """All decisions, those that a sparse checkout leaves out included."""
    repository = kb.repository
    left_out = repository.sparse_below(places.DECISIONS) if repository else set()
    logs = [repository.blob(path) for path in sorted(left_out)] if repository else []
    return kb.store.decisions([log for log in logs if log])[0]


def decisions_in(lines: Iterable[bytes]) -> Iterator[Decision]:
    """The decisions among lines; those that are none are left out."""
    for line in lines:
        with contextlib.suppress(ValueError, TypeError):
            yield decision_from(line)


class Log:
    """The log of one source, here, on the source's branch, and beyond a sparse checkout; git is asked once."""

    def __init__(self, kb: KnowledgeBase, name: str) -> None:
        self._kb = kb
        self._path = decisions_path(name)
        self._before = gate.read_if_there(kb.layout.root, self._path)
        self._recorded = self._in_git(acts.branch_for(kb.settings.git, name))
        self._log = self._joined()

    def _in_git(self, branch: str) -> list[bytes]:
        """What git has of the log that the work tree may lack."""
        repository = self._kb.repository
        if repository is None:
            return []
        found = [repository.blob(self._path, branch)] if branch else []
        if repository.sparse([self._path]):
            found.append(repository.blob(self._path))
        return [data for data in found if data]

    def _joined(self) -> bytes:
        """The log as it is, byte for byte; where git has more, as its union merge joins them."""
        here = self._before or b""
        if self._recorded:
            lines = dict.fromkeys(line for log in (*self._recorded, here) for line in log.split(b"\n") if line.strip())
            return b"".join(line + b"\n" for line in lines)
        return here if here.endswith(b"\n") or not here else here + b"\n"

    def decisions(self) -> list[Decision]:
        """All decisions, those about this source wherever git has them."""
        return self._kb.store.decisions(self._recorded)[0]

    def settled(self, rows: Sequence[Decision]) -> list[Decision]:
        """Decisions, each after the line that takes an earlier one about the same proposal back.

        So two lines that both count never disagree.
        """
        known = standing(decisions_in(self._log.split(b"\n")))
        return [line for row in rows for line in _again(row, known.get(row.id))]

    def appended(self, rows: Sequence[Decision]) -> list[Change]:
        """The log with these lines at its end."""
        return [Change(self._path, self._before, self._log + decision_lines(rows))] if rows else []


def _again(row: Decision, earlier: Decision | None) -> list[Decision]:
    if earlier is None:
        return [row]
    back = withdrawn(earlier, row.reviewer, _AGAIN, row.time)
    return [back, dataclasses.replace(row, time=later(row.time, back.time))]
