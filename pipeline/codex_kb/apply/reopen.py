"""A source that waits again: its packet with proposals put back, and its fields as they were while it waited."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from codex_kb.apply import additions
from codex_kb.disk.serialise import packet_from_json, packet_to_json
from codex_kb.disk.transaction import Change, change
from codex_kb.errors import RefusedFile
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import packet_path, record_path
from codex_kb.records import Decision, Packet, Proposal, Source
from codex_kb.review import account, packet, reading, relocate
from codex_kb.review.decide import added_as
from codex_kb.review.packet import Placer
from codex_kb.review.standing import WITHDRAWN
from codex_kb.text import markdown_file, newlines
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
        known = self._as_proposed({each.id for each in proposals if not each.missed})
        there = waiting.proposals if waiting else ()
        new = [each for each in proposals if each.id not in {p.id for p in there}]
        order = self._order({each.id for each in (*there, *new)})
        first = proposals[0]
        base = waiting or known or Packet(
            self.name, self.source.path, self.source.body_sha256, first.proposer, first.generation, (),
            model=text_of(self.source.fields.get("extraction_model")),
        )  # fmt: skip
        both = sorted([*there, *new], key=lambda each: order.get(each.id, len(order)))
        moved, lost = relocate.relocated(dataclasses.replace(base, proposals=tuple(both)), self.source)
        before = self.kb.store.packet_text(moved)
        place = Placer(self.source, markdown_file.parse(opened, self.source.path).body_line)
        if before is None or waiting is None or not there:
            typed = reading.parse(before).missed if before is not None and waiting else ()
            text = packet.with_missed(packet.render(moved, byline(self.source), place), typed)
        else:
            text = self._inserted(waiting, before, moved, {each.id for each in new}, place)
        text = packet.annotate(text, relocate.lost_quotes(text, lost))
        return [
            Change(packet_path(self.name), None if before is None else before.encode(), text.encode()),
            change(self.kb.layout.root, record_path(self.name), packet_to_json(moved)),
        ]

    def _as_proposed(self, ids: set[str]) -> Packet | None:
        """The packet's record as git last had it with these proposals, for the run's report."""
        return next((each for each in self._records() if ids <= _ids(each)), None)

    def _order(self, ids: set[str]) -> dict[str, int]:
        """The places of proposals, best first, in the record that holds most of them; the newer of two alike."""
        best: list[str] = []
        for found in self._records():
            both = [each.id for each in found.proposals if each.id in ids]
            best = both if len(both) > len(best) else best
            if len(best) == len(ids):
                break
        return {each: place for place, each in enumerate(best)}

    def _records(self) -> Iterator[Packet]:
        """The packet's records as git had them, newest first."""
        versions = self.kb.repository.versions(record_path(self.name), self.branch) if self.kb.repository else ()
        for data in versions:
            with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
                yield packet_from_json(data, self.name)

    def _inserted(self, waiting: Packet, before: str, moved: Packet, new: set[str], place: Placer) -> str:
        """The packet's text as it waits, with the sections of new proposals in their places."""
        text = packet.without_errors(before)
        newline = reading.newline_of(text)
        parsed = reading.parse(text)
        if not account.is_whole(waiting, parsed):
            raise RefusedFile(account.ENDS_EARLY, path=packet_path(self.name), hint="mend it, then run this again")
        was = Placer(self.source, markdown_file.parse(self.data, self.source.path).body_line)
        said = {each.id: each for each in waiting.proposals}
        now = {each.id: each for each in moved.proposals}
        sections = [
            (each.id, _placed(each.text, said[each.id], was, now[each.id], place) if each.id in said else each.text)
            for each in parsed.sections
        ]
        behind: set[str] = set()
        for proposal in reversed(moved.proposals):
            if proposal.id in new and proposal.id not in {each for each, _ in sections}:
                at = next((n for n, (each, _) in enumerate(sections) if each in behind), len(sections))
                text = f"{packet.render_section(proposal, place)}\n".replace("\n", newline)
                sections.insert(at, (proposal.id, text))
            behind.add(proposal.id)
        return reading.join(parsed, [each for _, each in sections])

    # -- the source --------------------------------------------------------------------------------

    def opened(self, known: Sequence[Decision], left: Mapping[str, Decision]) -> Change:
        """The source as it was while it waited; what was decided with its close and stands stays listed.

        `known` are all lines about this source, `left` what stands when some are taken back.
        """
        path, fields = self.source.path, self.source.fields
        gone, gone_titles = self._gone(known, left)
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
        if self._closing_stands(known, left):  # the source says what it gave, all of it or nothing
            for key, lost in ((_CLAIMS, gone), (_ENRICHED, gone_titles)):
                if stands := [each for each in _listed(fields, key) if each not in lost]:
                    values[key] = stands
        names = self.kb.settings.fields
        # A file that nobody edited since goes back byte for byte.
        base = before if before is not None and self.data == closed else self.data
        return Change(path, self.data, markdown_file.set_fields(
            base, {names.get(key, key): value for key, value in values.items()}, path
        ))  # fmt: skip

    def _gone(self, known: Sequence[Decision], left: Mapping[str, Decision]) -> tuple[set[str], set[str]]:
        """The stems and the titles that the source may list for decisions of any day that do not stand."""
        made = {each.claim: each.title for each in self.kb.store.decisions()[0] if each.claim and not added_as(each)}
        stems: dict[bool, set[str]] = {True: set(), False: set()}
        titles: dict[bool, set[str]] = {True: set(), False: set()}
        for each in (each for each in known if each.claim):
            path, stands = str(each.claim), left.get(each.id) is each
            if added_as(each):
                titles[stands] |= {additions.title(self.kb, path), made.get(path, "")}
            else:
                stems[stands].add(PurePosixPath(path).stem)
        return stems[False] - stems[True], titles[False] - titles[True]

    def _while_it_waited(self, gone: set[str], titles: set[str]) -> tuple[bytes | None, bytes | None]:
        """The source as it was last committed while it waited, and as it was committed after that."""
        after = None
        versions = self.kb.repository.versions(self.source.path, self.branch) if self.kb.repository else ()
        for version in versions:
            data = newlines.ended_alike(version, self.data)
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
    def _closing_stands(known: Sequence[Decision], left: Mapping[str, Decision]) -> bool:
        """Does a claim stand of the decisions that were the last about the source? Before them it listed none."""
        last = max(each.time for each in known if each.verdict != WITHDRAWN)
        return any(each.time == last and each.claim and left.get(each.id) is each for each in known)


def _ids(found: Packet) -> set[str]:
    return {each.id for each in found.proposals}


def _placed(text: str, said: Proposal, was: Placer, now: Proposal, place: Placer) -> str:
    """A section's text with its quotes' places as they will be; the rest stays as it was edited."""
    for before, after in zip(said.evidence, now.evidence, strict=True):
        text = text.replace(was(before), place(after))
    return text


def _lists(fields: Mapping[str, Any], stems: set[str], titles: set[str]) -> bool:
    return bool(stems & set(_listed(fields, _CLAIMS)) or titles & set(_listed(fields, _ENRICHED)))


def _listed(fields: Mapping[str, Any], key: str) -> list[str]:
    value = fields.get(key)
    return [str(each) for each in value] if isinstance(value, list) else [str(value)] if value else []
