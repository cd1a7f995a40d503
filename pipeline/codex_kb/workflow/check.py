"""`codex check`: everything that is wrong with a knowledge base; nothing is written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from codex_kb import acts, config
from codex_kb import layout as places
from codex_kb.acts import unfinished
from codex_kb.check import rules
from codex_kb.disk.store import as_claim, claim_evidence
from codex_kb.errors import CodexError, NotFound, RefusedFile
from codex_kb.index.state import of_files, stale
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import packet_path
from codex_kb.records import Claim, Decision, Problem
from codex_kb.review import decide
from codex_kb.text import fields as names
from codex_kb.text import lifecycle, schema


def run(kb: KnowledgeBase, paths: Sequence[Path]) -> list[Problem]:
    """All problems, in the order of paths and lines; where paths are named, only those below them.

    Raises:
        NotFound: a named path does not exist.
    """
    only = None
    if paths:
        only = [kb.layout.relative(path) for path in paths]
        for path, relative in zip(paths, only, strict=True):
            if not os.path.lexists(kb.layout.path(relative)):
                raise NotFound("no such file or folder", path=str(path), hint="check the path")
    found = list(_all(kb))
    if only is not None:
        found = [p for p in found if any(p.path == x or p.path.startswith(f"{x}/") or x == "." for x in only)]
    return sorted(found, key=lambda p: (p.path, p.line or 0, p.code, p.message))


def set_aside(kb: KnowledgeBase) -> str:
    """Drop what a run that was cut off left to do; where it is kept, empty where there is none.

    Raises:
        Conflict: another run is under way.
        WriteFailed: the file system refused.
    """
    return acts.set_aside(kb)


def _all(kb: KnowledgeBase) -> Iterator[Problem]:
    decisions, faulty = kb.store.decisions()
    yield from faulty
    yield from _decisions(decisions)
    yield from _folders(kb)
    yield from _sources(kb)
    yield from _packets(kb)
    claims: list[Claim] = []
    yield from _claims(kb, claims, {d.claim for d in decisions if d.claim and not decide.added_as(d)})
    if kb.layout.path(places.INDEX).exists() or claims:
        yield from stale(kb.encoder.name, of_files(kb.layout.root, kb.encoder.name, claims))
    if unfinished(kb):
        yield Problem(places.LOCAL, None, "unfinished", "an earlier run was cut off while writing",
                      "any command that writes finishes it, for example codex distill")  # fmt: skip


def _folders(kb: KnowledgeBase) -> Iterator[Problem]:
    """Folders that the settings name and that are not there; the defaults may come later."""
    defaults = config.Kb()
    for folder in sorted({*kb.settings.kb.claims, *kb.settings.kb.sources} - {*defaults.claims, *defaults.sources}):
        if not kb.layout.path(folder).is_dir():
            yield Problem(config.FILE_NAME, None, "missing-folder", f"[kb] names {folder}, which is no folder here",
                          "mend the name, or make the folder")  # fmt: skip


def _sources(kb: KnowledgeBase) -> Iterator[Problem]:
    mapped = kb.settings.fields
    folders = [kb.layout.path(f) for f in kb.settings.kb.sources if kb.layout.path(f).is_dir()]
    for path, refused in kb.store.markdown_files(folders):
        if path.startswith(places.PACKETS + "/"):
            continue
        try:
            if refused:
                raise refused
            file = kb.store.read_markdown(path)
        except (RefusedFile, NotFound) as error:
            yield _problem(path, error)
            continue
        source = kb.store.as_source(file, path)
        if names.text(source.fields.get("type")).lower() in lifecycle.NOT_SOURCES:
            continue
        yield from source.problems
        yield from schema.problems("source", source.fields, path, file.lines, mapped)


def _packets(kb: KnowledgeBase) -> Iterator[Problem]:
    for packet in kb.store.packets():
        path = packet_path(packet.name)
        try:
            _, lost = decide.relocated(packet, kb.store.source(packet.source))
            for proposal in lost:
                yield Problem(path, None, "lost-quote", f"{packet.source} changed: proposal {proposal} lost its quote",
                              "codex review shows it: quote it anew or reject")  # fmt: skip
        except (RefusedFile, NotFound) as error:
            yield Problem(path, 1, "missing-source",
                          f"the source of these proposals: {error}",
                          "restore it, or delete packet and record")  # fmt: skip


def _claims(kb: KnowledgeBase, claims: list[Claim], decided: set[str]) -> Iterator[Problem]:
    """Problems of the claims; fills `claims` on the way."""
    files = []
    for path in kb.store.claim_paths():
        try:
            file = kb.store.read_markdown(path)
        except (RefusedFile, NotFound) as error:
            yield _problem(path, error)
            continue
        if names.text(file.fields.get("type")).lower() == "claim":
            claims.append(as_claim(file, path))
            files.append(file)
        elif not names.text(file.fields.get("type")):
            yield Problem(path, 1, "no-type", "has no type, so it is not read as a claim",
                          "if it is one, add a line: type: claim", "note")  # fmt: skip
    known = rules.Links(_linkable(kb), claims)
    bodies = _Bodies(kb)
    for claim, file in zip(claims, files, strict=True):
        yield from claim.problems
        yield from schema.problems("claim", claim.fields, claim.path, file.lines, {})
        yield from rules.links(claim, file.body_line, known)
        evidence = claim_evidence(claim)
        line = file.lines.get("evidence", 1)
        yield from rules.quotes(claim, line, evidence, bodies.of(e.source for e in evidence))
        yield from rules.titles(claim, file.body_line)
    lines = {claim.path: file.lines.get("depends_on", 1) for claim, file in zip(claims, files, strict=True)}
    yield from rules.shaken(claims, lines)
    yield from rules.duplicates(claims)
    yield from rules.undecided(claims, decided)


def _linkable(kb: KnowledgeBase) -> list[str]:
    """Every Markdown file that a link may name; review packets have the stems of their sources."""
    found = kb.store.markdown_files([kb.layout.root])
    return [path for path, refused in found if refused is None and not path.startswith(places.PACKETS + "/")]


class _Bodies:
    """Bodies of sources, each read once; None for one that cannot be read."""

    def __init__(self, kb: KnowledgeBase) -> None:
        self._kb = kb
        self._read: dict[str, str | None] = {}

    def of(self, paths: Iterable[str]) -> dict[str, str | None]:
        """The bodies of these sources, and of those asked for before."""
        for path in set(paths) - set(self._read):
            try:
                inside = not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts
                self._read[path] = self._kb.store.read_markdown(path).body if inside else None
            except (NotFound, RefusedFile):
                self._read[path] = None
        return self._read


def _decisions(decisions: Sequence[Decision]) -> Iterator[Problem]:
    first: dict[str, Decision] = {}
    for decision in decisions:
        earlier = first.setdefault(decision.id, decision)
        if earlier is not decision and earlier.verdict != decision.verdict:
            yield Problem(decision.source, None, "two-verdicts",
                          f"proposal {decision.id} was {earlier.verdict} by {earlier.reviewer} and "
                          f"{decision.verdict} by {decision.reviewer}",
                          "settle it, and retire the claim if need be")  # fmt: skip


def _problem(path: str, error: CodexError) -> Problem:
    return Problem(error.path or path, error.line, error.code, error.message, error.hint)
