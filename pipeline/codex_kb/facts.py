"""Everything that the rules of `codex check` look at, read from disk; nothing is written."""

from __future__ import annotations

import os
import posixpath
import shlex
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

from codex_kb import layout as places
from codex_kb.check.facts import ClaimFile, Facts, SourceFile
from codex_kb.disk import candidates
from codex_kb.disk.store import Store, as_claim, claim_evidence
from codex_kb.disk.transaction import Transactions
from codex_kb.errors import CodexError, NotFound, RefusedFile
from codex_kb.index.state import of_files, stale
from codex_kb.ports import Encoder
from codex_kb.records import Decision, Packet, Problem, Source
from codex_kb.review import decide
from codex_kb.review.decide import added_as
from codex_kb.review.publish import approved_ids
from codex_kb.review.standing import WITHDRAWN, counting, quotes_of, standing
from codex_kb.text import fields as names
from codex_kb.text import lifecycle, wikilinks
from codex_kb.text.markdown_file import MarkdownFile
from codex_kb.text.wikilinks import name_key, path_key, paths_in

#: Tells which paths git tracks and a sparse checkout leaves out.
LeftOut = Callable[[Sequence[str]], Collection[str]]


def read(store: Store, encoder: Encoder, left_out: LeftOut = lambda _: ()) -> Facts:
    """The facts of one knowledge base; each file is read once, none is embedded."""
    root, settings = store.layout.root, store.settings
    decisions, faulty = store.decisions()
    stands, counts = standing(decisions).values(), counting(decisions)
    packets, faulty_packets = store.readable_packets()
    files = _Files(store)
    files.read_claims(store.claim_paths())
    quoted = {item.source for each in files.claims for item in each.evidence} | {packet.source for packet in packets}
    files.read_sources(_below_sources(store), quoted)
    files.read_others(quoted)
    state = of_files(root, encoder, [each.claim for each in files.claims])
    folders = {*settings.kb.claims, *settings.kb.sources}
    return Facts(
        claims=tuple(files.claims),
        sources=tuple(files.sources),
        files=tuple(path for path, refused in store.markdown_files([root])
                    if refused is None and not places.is_packet(path)),
        untyped=tuple(files.untyped),
        refused=(*(_problem(path, error) for path, error in files.refused.items()), *faulty_packets,
                 *store.all_aside()[1]),
        unread_sources=files.unread_sources,
        packets=tuple(packets),
        packet_copies=tuple(store.packet_copies()),
        packet_errors=tuple(_packet_errors(store, packets, files)),
        bodies=files.bodies,
        missing=files.missing,
        decisions=counts,
        faulty_decisions=tuple(faulty),
        faulty_candidates=tuple(candidates.read(root)[1]),
        decided=frozenset(d.claim for lines in counts.values() for d in lines if d.claim and not added_as(d)),
        gone=tuple(_gone(store, stands, files.claims, left_out)),
        taken_back=tuple(_taken_back(decisions, files.claims)),
        names=settings.fields,
        dead_paths=tuple(_dead_paths(store, files.claims)),
        absent_folders=tuple(sorted(folder for folder in folders if not store.layout.path(folder).is_dir())),
        index=tuple(stale(state, encoder)),
        indexed=state.entries,
        unfinished=Transactions(root).unfinished(),
    )


class _Files:
    """Reads each file once: claims, then sources, then what else is quoted; no body is kept that nobody quotes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        #: Files among the claims that are none: they may be sources.
        self._kept: dict[str, MarkdownFile] = {}
        self.claims: list[ClaimFile] = []
        self.untyped: list[str] = []
        self.sources: list[SourceFile] = []
        self.unread_sources = 0
        self.refused: dict[str, CodexError] = {}
        self.bodies: dict[str, str] = {}
        #: The sources that are quoted.
        self.quoted: dict[str, Source] = {}
        self.missing: dict[str, str] = {}

    def read_claims(self, paths: Sequence[str]) -> None:
        """The claims, and the files among them that have no type."""
        for path in paths:
            try:
                file = self._read(path)
            except (RefusedFile, NotFound) as error:
                self.refused[path] = error
                continue
            kind = names.text(file.fields.get("type")).lower()
            if kind == "claim":
                claim = as_claim(file, path)
                self.claims.append(ClaimFile(claim, tuple(claim_evidence(claim)), file.lines, file.body_line))
                continue
            self._kept[path] = file
            if not kind:
                self.untyped.append(path)

    def read_sources(self, paths: Iterator[tuple[str, RefusedFile | None]], quoted: Collection[str]) -> None:
        """The sources, and the bodies of those that are quoted."""
        claims = {each.claim.path for each in self.claims}
        for path, refused in paths:
            if refused:
                self.refused[path] = refused
            elif path not in claims:
                self._read_source(path, path in quoted)

    def _read_source(self, path: str, quoted: bool) -> None:
        try:
            file = self._read(path)
        except (RefusedFile, NotFound) as error:
            self.refused[path] = error
            self.unread_sources += 1
            return
        source = self._store.as_source(file, path)
        if quoted:
            self.bodies[path], self.quoted[path] = file.body, source
        if names.text(source.fields.get("type")).lower() not in lifecycle.NOT_SOURCES:
            self.sources.append(SourceFile(path, source.fields, file.lines, source.problems))

    def read_others(self, quoted: Collection[str]) -> None:
        """The bodies of what is quoted and no source, and why one is missing."""
        claims = {each.claim.path: each.claim.body for each in self.claims}
        for path in sorted(set(quoted) - self.bodies.keys()):
            try:
                if not _inside(path):
                    raise NotFound("no path below the root of the knowledge base", path=path)
                if path in claims:
                    self.bodies[path] = claims[path]
                    continue
                file = self._read(path)
                self.bodies[path], self.quoted[path] = file.body, self._store.as_source(file, path)
            except (RefusedFile, NotFound) as error:
                self.missing[path] = str(error)

    def _read(self, path: str) -> MarkdownFile:
        if path in self.refused:
            raise self.refused[path]
        return self._kept.get(path) or self._store.read_markdown(path)


def _packet_errors(store: Store, packets: Sequence[Packet], files: _Files) -> Iterator[Problem]:
    """What review would refuse in the texts of packets whose source is there."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for claim in (each.claim for each in files.claims):
        for key in (path_key(claim.path), name_key(PurePosixPath(claim.path).stem), name_key(claim.title)):
            names[key].add(claim.path)

    def named(link: str) -> Sequence[str]:
        return sorted(names.get(wikilinks.target(link), ()))

    for packet in (each for each in packets if each.source in files.quoted):
        try:
            text = store.packet_text(packet)
        except RefusedFile as error:
            yield _problem(places.packet_path(packet.name), error)
            continue
        found = decide.decide(packet, text, files.quoted[packet.source], named).errors if text is not None else ()
        for each in found:
            yield Problem(places.packet_path(packet.name), each.line, "packet-text", each.message,
                          f"mend it, then codex review --apply {shlex.quote(packet.name)}")  # fmt: skip


def _taken_back(decisions: Sequence[Decision], claims: Sequence[ClaimFile]) -> Iterator[tuple[str, str]]:
    """(path, id) of the claims whose only decision was withdrawn."""
    withdrawn = {each.id for each in decisions if each.verdict == WITHDRAWN} - counting(decisions).keys()
    for each in claims:
        for proposal in sorted(approved_ids(each.claim) & withdrawn):
            yield each.claim.path, proposal


def _dead_paths(store: Store, claims: Sequence[ClaimFile]) -> Iterator[tuple[str, int, str]]:
    """(path, line, target) of the claims' links to files that are not there; outside of the root nothing is."""
    for each in claims:
        folder = posixpath.dirname(each.claim.path)
        for line, target in paths_in(each.claim.body, each.body_line):
            named = unquote(target.partition("#")[0].partition("?")[0])
            path = posixpath.normpath(named.lstrip("/") if named.startswith("/") else posixpath.join(folder, named))
            if path.split("/")[0] == ".." or "\0" in path or not os.path.lexists(store.layout.path(path)):
                yield each.claim.path, line, target


def _gone(
    store: Store, stands: Iterable[Decision], claims: Sequence[ClaimFile], left_out: LeftOut
) -> list[Decision]:  # fmt: skip
    """The approvals whose claim is neither at its place, nor elsewhere, nor left out by a sparse checkout."""
    approved = {each.claim: _inside(each.claim) for each in stands if each.claim}
    absent = {path for path, inside in approved.items() if not (inside and store.layout.path(path).exists())}
    if not absent:
        return []
    absent -= set(left_out([path for path in sorted(absent) if approved[path]]))
    made = {proposal for each in claims for proposal in approved_ids(each.claim)}
    quotes = {(item.source, item.quote) for each in claims for item in each.evidence}
    return [
        each
        for each in stands
        if each.claim in absent
        and each.id not in made
        and not (added_as(each) and quotes & {(each.source, quote) for quote in quotes_of(each)})
    ]


def _below_sources(store: Store) -> Iterator[tuple[str, RefusedFile | None]]:
    """The Markdown files below the source folders, packets left out, with what refuses one by its name."""
    folders = [store.layout.path(folder) for folder in store.settings.kb.sources]
    found = store.markdown_files(folder for folder in folders if folder.is_dir())
    return ((path, refused) for path, refused in found if not places.is_packet(path))


def _inside(path: str) -> bool:
    """Is this, by its name, a path below the root?"""
    return not (PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\0" in path)


def _problem(path: str, error: CodexError) -> Problem:
    return Problem(error.path or path, error.line, error.code, error.message, error.hint)
