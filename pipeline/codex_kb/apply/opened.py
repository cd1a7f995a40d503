"""A packet as it is put before a reviewer: quotes located in the source as it is now, and what is near to each now."""

from __future__ import annotations

from dataclasses import dataclass

from codex_kb.acts import Act, perform, writing
from codex_kb.apply.near import Nearby
from codex_kb.disk.serialise import packet_to_json
from codex_kb.disk.transaction import Change, change
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import packet_path, record_path
from codex_kb.records import Packet, Source
from codex_kb.review import packet, relocate
from codex_kb.text.fields import byline


@dataclass(frozen=True, slots=True)
class Opened:
    """A packet as it was found, as it is now, its text, and what was written for that."""

    found: Packet
    packet: Packet
    text: str
    source: Source
    changes: tuple[Change, ...]

    @property
    def plain(self) -> str:
        """The text without comments that tell of errors."""
        return packet.without_errors(self.text)


def prepared(kb: KnowledgeBase, nearby: Nearby, waiting: Packet) -> Opened:
    """Bring a packet up to date and write it; quotes that are lost are shown as such. Hold the lock (`acts.writing`).

    Raises:
        NotFound: the source is gone.
        RefusedFile: the source or the packet's text cannot be read.
        Conflict: the packet changed meanwhile.
    """
    source = kb.store.source(waiting.source)
    text = kb.store.packet_text(waiting)
    moved, lost = relocate.relocated(waiting, source)
    moved = nearby.refreshed(moved)
    fresh = rendered(kb, moved) if text is None else packet.refreshed(text, waiting, moved)
    changes = []
    if moved != waiting:
        plain = packet.without_errors(fresh)
        fresh = packet.annotate(plain, relocate.lost_quotes(plain, lost))
        changes.append(change(kb.layout.root, record_path(moved.name), packet_to_json(moved)))
    before = None if text is None else text.encode()
    changes.append(Change(packet_path(moved.name), before, fresh.encode()))
    perform(kb, Act(tuple(changes)))
    return Opened(waiting, moved, fresh, source, tuple(changes))


def put_back(kb: KnowledgeBase, opened: Opened) -> bool:
    """Leave a packet as it was found where nobody edited it: a run that decides nothing changes nothing."""
    path = packet_path(opened.found.name)
    with writing(kb, "review"):
        text = kb.store.packet_text(opened.packet)
        written = {each.path: each for each in opened.changes}
        if text is None or written[path].before is None or packet.without_errors(text) != opened.plain:
            return False
        now = {**{name: each.after for name, each in written.items()}, path: text.encode()}
        perform(kb, Act(tuple(Change(name, now[name], each.before) for name, each in written.items())))
    return True


def rendered(kb: KnowledgeBase, waiting: Packet) -> str:
    """The packet's text as nobody has edited it yet."""
    file = kb.store.read_markdown(waiting.source)
    source = kb.store.as_source(file, waiting.source)
    return packet.render(waiting, byline(source), packet.Placer(source, file.body_line, kb.store.quoted))
