"""A source that waits again: its packet with proposals put back, and its fields as they were while it waited."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from codex_kb.apply import additions
from codex_kb.disk.store import packet_from_json, packet_to_json
from codex_kb.disk.transaction import Change, change
from codex_kb.errors import RefusedFile
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import packet_path, record_path
from codex_kb.records import Decision, Packet, Proposal, Source
from codex_kb.review import account, decide, packet, reading
from codex_kb.review.decide import added_as
from codex_kb.review.packet import Placer
from codex_kb.review.standing import WITHDRAWN
from codex_kb.text import markdown_file
from codex_kb.text.fields import NULL_RESULT, PROCESSING, byline, status_of
from codex_kb.text.fields import text as text_of

_CLAIMS, _ENRICHED = "claims_extracted", "enrichments"
#: What closing a source writes beside its status; a null result writes notes.
_CLOSING = ("processed_by", "processed_date", _CLAIMS, "extraction_model", _ENRICHED)


class Waits:
    """One source whose proposals are to wait again."""

    def __init__(self, kb: KnowledgeBase, name: str, source: str, branch: str) -> None:
        """Read the source. Raises NotFound, RefusedFile."""
        self.kb = kb
        self.name = name
        self.branch = branch
        self.data = kb.store.read_bytes(source)
        self.source: Source = kb.store.as_source(markdown_file.parse(self.data, source), source)

    # -- the packet --------------------------------------------------------------------------------

    def packet(self, proposals: Sequence[Proposal], opened: bytes) -> list[Change]:
        """Packet and record with these proposals in their old places; other sections stay as they were edited.

        `opened` is the source's file as it will read.
        """
        waiting = self.kb.store.packet(self.name)
        known = self._as_proposed({each.id for each in proposals})
        there = waiting.proposals if waiting else ()
        new = [each for each in proposals if each.id not in {p.id for p in there}]
        order = {each.id: place for place, each in enumerate(known.proposals)} if known else {}
        first = proposals[0]
        base = waiting or known or Packet(
            self.name, self.source.path, self.source.body_sha256, first.proposer, first.generation, (),
            model=text_of(self.source.fields.get("extraction_model")),
        )  # fmt: skip
        both = sorted([*there, *new], key=lambda each: order.get(each.id, len(order)))
        moved, lost = decide.relocated(dataclasses.replace(base, proposals=tuple(both)), self.source)
        before = self.kb.store.packet_text(moved)
        place = Placer(self.source, markdown_file.parse(opened, self.source.path).body_line)
        if before is None or waiting is None or not there:
            text = packet.render(moved, byline(self.source), place)
        else:
            text = self._inserted(waiting, before, moved, {each.id for each in new}, place)
        text = packet.annotate(text, decide.lost_quotes(text, lost))
        return [
            Change(packet_path(self.name), None if before is None else before.encode(), text.encode()),
            change(self.kb.layout.root, record_path(self.name), packet_to_json(moved)),
        ]

    def _as_proposed(self, ids: set[str]) -> Packet | None:
        """The packet's record as git last had it with one of these proposals, for their order and the run's report."""
        versions = self.kb.repository.versions(record_path(self.name), self.branch) if self.kb.repository else ()
        for data in versions:
            try:
                found = packet_from_json(data, self.name)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
            if ids <= {each.id for each in found.proposals}:
                return found
        return None

    def _inserted(self, waiting: Packet, before: str, moved: Packet, new: set[str], place: Placer) -> str:
        """The packet's text as it waits, with the sections of new proposals in their places."""
        text = packet.without_errors(before)
        newline = reading.newline_of(text)
        parsed = reading.parse(text)
        if not account.is_whole(waiting, parsed):
            raise RefusedFile(account.ENDS_EARLY, path=packet_path(self.name), hint="mend it, then run this again")
        sections = [(each.id, each.text) for each in parsed.sections]
        behind: set[str] = set()
        for proposal in reversed(moved.proposals):
            if proposal.id in new and proposal.id not in {each for each, _ in sections}:
                at = next((n for n, (each, _) in enumerate(sections) if each in behind), len(sections))
                text = f"{packet.render_section(proposal, place)}\n".replace("\n", newline)
                sections.insert(at, (proposal.id, text))
            behind.add(proposal.id)
        return reading.join(parsed, [each for _, each in sections])

    # -- the source --------------------------------------------------------------------------------

    def opened(self, undone: Sequence[Decision], known: Sequence[Decision], left: Mapping[str, Decision]) -> Change:
        """The source as it was while it waited; what was decided with its close and stands stays listed.

        `undone` are the lines that are taken back, `known` all about this source, `left` what stands besides.
        """
        path, fields = self.source.path, self.source.fields
        gone = {PurePosixPath(each.claim).stem for each in undone if each.claim and not added_as(each)}
        gone_titles = {additions.title(self.kb, each.claim) for each in undone if each.claim and added_as(each)}
        if status_of(fields) == PROCESSING and not _lists(fields, gone, gone_titles):
            return Change(path, self.data, self.data)
        before, closed = self._while_it_waited(gone, gone_titles)
        values: dict[str, Any] = {"status": PROCESSING}
        earlier: Mapping[str, Any] = {}
        if before is not None:
            earlier = self._fields(before) or {}
            values["status"] = earlier.get("status")
        values |= {key: earlier.get(key) for key in _CLOSING}
        if status_of(fields) == NULL_RESULT:
            values["notes"] = earlier.get("notes")
        kept = self._decided_with_the_close(known, left)
        stems = [PurePosixPath(each.claim).stem for each in kept if each.claim and not added_as(each)]
        titles = [additions.title(self.kb, each.claim) for each in kept if each.claim and added_as(each)]
        for key, more in ((_CLAIMS, stems), (_ENRICHED, titles)):
            if more:
                values[key] = list(dict.fromkeys([*_listed(earlier, key), *more]))
        names = self.kb.settings.fields
        # A file that nobody edited since goes back byte for byte.
        base = before if before is not None and self.data == closed else self.data
        return Change(path, self.data, markdown_file.set_fields(
            base, {names.get(key, key): value for key, value in values.items()}, path
        ))  # fmt: skip

    def _while_it_waited(self, gone: set[str], titles: set[str]) -> tuple[bytes | None, bytes | None]:
        """The source as it was last committed while it waited, and as it was committed after that."""
        after = None
        versions = self.kb.repository.versions(self.source.path, self.branch) if self.kb.repository else ()
        for data in versions:
            fields = self._fields(data)
            if fields is not None and status_of(fields) == PROCESSING and not _lists(fields, gone, titles):
                return data, after
            after = data
        return None, None

    def _fields(self, data: bytes) -> Mapping[str, Any] | None:
        try:
            return self.kb.store.as_source(markdown_file.parse(data, self.source.path), self.source.path).fields
        except RefusedFile:
            return None

    @staticmethod
    def _decided_with_the_close(known: Sequence[Decision], left: Mapping[str, Decision]) -> list[Decision]:
        """What stands of the decisions that were the last about the source: before them it did not list any."""
        last = max(each.time for each in known if each.verdict != WITHDRAWN)
        return [each for each in known if each.time == last and left.get(each.id) is each]


def _lists(fields: Mapping[str, Any], stems: set[str], titles: set[str]) -> bool:
    return bool(stems & set(_listed(fields, _CLAIMS)) or titles & set(_listed(fields, _ENRICHED)))


def _listed(fields: Mapping[str, Any], key: str) -> list[str]:
    value = fields.get(key)
    return [str(each) for each in value] if isinstance(value, list) else [str(value)] if value else []
