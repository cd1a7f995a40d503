"""Which of the sources that wait are worth a person's minute first, told by those that are done."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence

from codex_kb.disk import looked
from codex_kb.disk.store import Store
from codex_kb.errors import NotFound, RefusedFile
from codex_kb.layout import PACKETS
from codex_kb.records import Packet

#: Under what name the chances are kept.
_KEPT = "promising"


def ordered(store: Store, packets: Sequence[Packet]) -> list[Packet]:
    """Packets with those first whose source is least likely to give nothing; as they came where that is not known.

    A source that cannot be read comes last.
    """
    chances = _chances(store, {each.source for each in packets}) if len(packets) > 1 else {}
    return sorted(packets, key=lambda each: chances.get(each.source, 1.0))


def _chances(store: Store, waiting: Collection[str]) -> Mapping[str, float]:
    """The chance that each gives nothing, looked up again only where sources or packets changed."""
    root, folders = store.layout.root, [*store.settings.kb.sources, PACKETS]
    known = looked.again(root, _KEPT, folders)
    if isinstance(known, dict):
        return known
    judged = _judged(store, waiting)
    looked.keep(root, _KEPT, folders, judged)
    return judged


def _judged(store: Store, waiting: Collection[str]) -> dict[str, float]:
    """What the sources that are done tell of these; nothing where they are too few."""
    from codex_kb.learn import worth  # noqa: PLC0415 (numpy, where nothing is known yet)

    seen, done = {}, []
    for path in store.source_paths():
        with contextlib.suppress(NotFound, RefusedFile):
            source = store.source(path)
            nothing = worth.gave_nothing(source.status)
            if path in waiting:
                seen[path] = worth.see(source.fields, source.body)
            elif nothing is not None:
                done.append((worth.see(source.fields, source.body), nothing))
    chances = worth.nothing(done, list(seen.values()))
    return {} if chances is None else dict(zip(seen, chances.tolist(), strict=True))
