"""Which packets and proposals are meant: sources, packets and ids as people name them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path, PurePosixPath

from codex_kb.errors import NotFound, UsageError
from codex_kb.layout import packet_path
from codex_kb.records import Decision, Packet
from codex_kb.review import packet as packets
from codex_kb.review.decide import added_as


def ids_of(waiting: Packet) -> list[str]:
    """The ids that can be decided in a packet: its proposals', or that of its box where it has none."""
    return [p.id for p in waiting.proposals] or [packets.nothing_id(waiting)]


def full_id(beginning: str, ids: Collection[str]) -> str:
    """The one id that begins like this.

    Raises:
        NotFound: none does.
        UsageError: several do.
    """
    found = [i for i in ids if i == beginning] or [i for i in ids if beginning and i.startswith(beginning.lower())]
    if not found:
        raise NotFound(f"no proposal {beginning or 'without an id'} waits", hint="codex proposals lists the ids")
    if len(found) > 1:
        raise UsageError(f"{beginning} may mean {', '.join(sorted(found))}", hint="type more of the id")
    return found[0]


def decided_as(decision: Decision) -> str:
    """How a proposal was decided: approved, added or rejected; empty where that was taken back."""
    if decision.verdict == "approved":
        return "added" if added_as(decision) else "approved"
    return "rejected" if decision.verdict == "rejected" else ""


def select(waiting: Sequence[Packet], sources: Sequence[str], relative: Callable[[Path], str]) -> list[Packet]:
    """The packets of these sources (path, packet or name), all where none is named; `relative` is the layout's.

    Raises:
        NotFound: nothing waits for a named source.
    """
    if not sources:
        return list(waiting)
    chosen = []
    for named in sources:
        names = {named, PurePosixPath(named).stem}
        with contextlib.suppress(UsageError):
            names.add(relative(Path(named)))
        found = [p for p in waiting if p.source in names or p.name in names or packet_path(p.name) in names]
        if not found:
            raise NotFound("no proposals wait for this source", path=named, hint="codex proposals lists what waits")
        chosen += [p for p in found if p not in chosen]
    return chosen
