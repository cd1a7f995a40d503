"""Records and the files that hold them: everything that is read from a knowledge base comes through here."""

from __future__ import annotations

import contextlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from codex_kb import layout as places
from codex_kb.config import Settings
from codex_kb.disk import gate
from codex_kb.disk.serialise import decision_from, packet_from_json
from codex_kb.errors import NotFound, RefusedFile
from codex_kb.layout import Layout
from codex_kb.records import Claim, Decision, Evidence, Packet, Problem, Source
from codex_kb.text import fields as names
from codex_kb.text import markdown_file, marks
from codex_kb.text.markdown_file import MarkdownFile

_H1 = re.compile(r"# +(.+?)(?: +#+)? *$")


class Store:
    """Reads one knowledge base; writes nothing."""

    def __init__(self, layout: Layout, settings: Settings) -> None:
        self.layout = layout
        self.settings = settings

    # -- files -------------------------------------------------------------------------------------

    def markdown_files(self, paths: Iterable[Path]) -> Iterator[tuple[str, RefusedFile | None]]:
        """Every Markdown file at or below the paths, once, in order; with what refuses it by its name alone.

        A file that is named and is not Markdown is refused. Hidden folders are left out, links to folders not followed.

        Raises:
            NotFound: a named path does not exist.
            UsageError: a named path is outside of the knowledge base.
        """
        seen: set[str] = set()
        for path in paths:
            start = self.layout.relative(path)
            if not os.path.lexists(self.layout.path(start)):
                raise NotFound("no such file or folder", path=str(path), hint="check the path")
            for relative, refused in self._walk(start):
                if relative not in seen:
                    seen.add(relative)
                    yield relative, refused

    def _walk(self, start: str) -> Iterator[tuple[str, RefusedFile | None]]:
        top = self.layout.path(start)
        if not top.is_dir() or top.is_symlink():
            yield start, _refused_name(str(top)) or _refused_kind(start, top)
            return
        unreadable: list[OSError] = []
        for folder, folders, files in os.walk(top, onerror=unreadable.append):
            below = self.layout.relative(Path(folder))
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in links)
            for name in sorted([*files, *(x for x in links if places.is_markdown(x))]):
                if places.is_markdown(name):
                    yield name if below == "." else f"{below}/{name}", _refused_name(os.path.join(folder, name))
        for error in unreadable:
            closed = self.layout.relative(Path(str(error.filename)))
            yield closed, RefusedFile(f"cannot be read: {error.strerror}", path=closed, hint="mend its permissions")

    def read_bytes(self, path: str) -> bytes:
        """The bytes of a regular file inside the root, within the size limit.

        Raises:
            NotFound: it does not exist.
            RefusedFile: it is a link out of the root, no regular file, too large or unreadable.
        """
        return gate.read(self.layout.root, path, self.settings.ingest.max_bytes)

    def read_markdown(self, path: str) -> MarkdownFile:
        """A Markdown file, parsed. Raises NotFound and RefusedFile."""
        return markdown_file.parse(self.read_bytes(path), path)

    def quoted(self, path: str) -> tuple[str, int]:
        """A file's body and the line that it begins in; nothing of one that cannot be read."""
        try:
            file = self.read_markdown(path)
        except (NotFound, RefusedFile):
            return "", 1
        return file.body, file.body_line

    # -- sources -----------------------------------------------------------------------------------

    def source(self, path: str) -> Source:
        """A source under our names, with a sensible value for what is missing. Raises NotFound, RefusedFile."""
        return self.as_source(self.read_markdown(path), path)

    def as_source(self, file: MarkdownFile, path: str) -> Source:
        """A parsed file as a source."""
        fields = names.ours(file.fields, self.settings.fields)
        title = names.text(fields.get("title")) or heading(file.body) or stem_title(path)
        return Source(
            path=path,
            fields=fields,
            body=file.body,
            body_sha256=file.body_sha256,
            title=title,
            author=names.text(fields.get("author")),
            url=names.text(fields.get("url")),
            date=names.text(fields.get("date")),
            domain=names.text(fields.get("domain")),
            status=names.status_of(fields),
            problems=_faults(file, path),
        )

    def source_named(self, named: str) -> tuple[str, bytes]:
        """The path and the bytes of a source by its path, its file's name or stem.

        Raises:
            NotFound: there is no such source, or several have the name.
            RefusedFile: it lies outside, or cannot be read.
        """
        if self._may_be_source(named):
            with contextlib.suppress(NotFound):
                return named, self.read_bytes(named)
        paths = [path for path in self.source_paths() if named in (PurePosixPath(path).name, PurePosixPath(path).stem)]
        if len(paths) == 1:
            return paths[0], self.read_bytes(paths[0])
        if paths:
            raise NotFound(f"{named} may mean {', '.join(paths)}", hint="name the path")
        raise NotFound("no such source", path=named, hint="name its path; save a text as Markdown below inbox/ first")

    def source_paths(self) -> list[str]:
        """Every Markdown file below the source folders, review packets left out."""
        folders = [self.layout.path(folder) for folder in self.settings.kb.sources]
        found = self.markdown_files(folder for folder in folders if folder.is_dir())
        return [path for path, refused in found if refused is None and not places.is_packet(path)]

    # -- claims ------------------------------------------------------------------------------------

    def claims(self) -> tuple[list[Claim], list[Problem]]:
        """All claims in the order of their paths, and the files that could not be read."""
        claims: list[Claim] = []
        problems: list[Problem] = []
        for path in self.claim_paths():
            try:
                file = self.read_markdown(path)
            except (RefusedFile, NotFound) as error:
                problems.append(Problem(path, error.line, error.code, error.message, error.hint))
                continue
            if is_claim(file.fields):
                claims.append(as_claim(file, path))
        return claims, problems

    def claim_paths(self) -> list[str]:
        """Every Markdown file that may be a claim, sorted."""
        folders = [self.layout.path(folder) for folder in self.settings.kb.claims]
        found = self.markdown_files(folder for folder in folders if folder.is_dir())
        return sorted(
            path
            for path, refused in found
            if refused is None and not places.topic_map(path) and not places.never_claims(path)
        )

    def claim(self, path: str) -> Claim:
        """One claim. Raises NotFound, RefusedFile."""
        return as_claim(self.read_markdown(path), path)

    # -- packets and decisions ---------------------------------------------------------------------

    def packets(self) -> list[Packet]:
        """All packets that wait, one a source, sorted by their names; copies are left out. Raises RefusedFile."""
        return self._one_a_source(map(self._packet, self._records()))

    def readable_packets(self) -> tuple[list[Packet], list[Problem]]:
        """The packets that wait, as `packets` gives them, and the records that are none."""
        found, problems = self._readable(self._records())
        return self._one_a_source(found), problems

    def _readable(self, paths: Iterable[Path]) -> tuple[list[Packet], list[Problem]]:
        found, problems = [], []
        for path in paths:
            try:
                found.append(self._packet(path))
            except RefusedFile as error:
                problems.append(Problem(self.layout.relative(path), error.line, error.code, error.message, error.hint))
        return found, problems

    def packet_copies(self) -> list[str]:
        """Packets and records that are none of a source's own, as sync programs make them."""
        folder = self.layout.path(places.PACKETS)
        packets, problems = self.readable_packets()
        names = {packet.name for packet in packets} | {PurePosixPath(problem.path).stem for problem in problems}
        paths = sorted([*folder.glob("*.json"), *folder.glob("*.md")])
        names.add(PurePosixPath(places.HELP_NAME).stem)
        return [self.layout.relative(path) for path in paths if path.stem not in names]

    def _records(self) -> list[Path]:
        folder = self.layout.path(places.PACKETS)
        return sorted(folder.glob("*.json")) if folder.is_dir() else []

    @staticmethod
    def _one_a_source(packets: Iterable[Packet]) -> list[Packet]:
        found: dict[str, Packet] = {}
        for packet in packets:
            if places.may_be_named(packet.source, packet.name):
                found.setdefault(packet.source, packet)
        return list(found.values())

    def packet(self, name: str) -> Packet | None:
        """The packet of this name as it is now, None where it is gone. Raises RefusedFile."""
        if "/" in name:  # a record of another folder is none
            return None
        path = self.layout.path(places.record_path(name))
        return self._packet(path) if os.path.lexists(path) else None

    def _packet(self, path: Path) -> Packet:
        try:
            packet = packet_from_json(gate.read(self.layout.root, self.layout.relative(path)), path.stem)
            if not self._may_be_source(packet.source):  # a stranger's record would have us write there
                raise ValueError(f"{packet.source} is no source")
            return packet
        except KeyError as error:
            raise RefusedFile(f"not a record of proposals: it has no {error}", path=self.layout.relative(path),
                              hint="git checkout it, or delete it and ingest --again") from error  # fmt: skip
        except (ValueError, NotFound) as error:
            raise RefusedFile(f"not a record of proposals: {error}", path=self.layout.relative(path),
                              hint="git checkout it, or delete it and ingest --again") from error  # fmt: skip

    def _may_be_source(self, path: str) -> bool:
        """Is this path one of a source: Markdown, and no claim's or of ours?"""
        parts = PurePosixPath(path).parents
        ours = not {*parts}.isdisjoint(map(PurePosixPath, (*places.NOT_CLAIMS, places.PACKETS)))
        claims, sources = (
            not {*parts}.isdisjoint(map(PurePosixPath, folders))
            for folders in (self.settings.kb.claims, self.settings.kb.sources)
        )
        return places.is_markdown(path) and not ours and (sources or not claims)

    def aside(self, name: str) -> Packet | None:
        """What was set aside under this name, as a packet; None where nothing was. Raises RefusedFile."""
        path = self.layout.path(places.aside_path(name))
        return self._packet(path) if os.path.lexists(path) else None

    def all_aside(self) -> tuple[list[Packet], list[Problem]]:
        """All that was set aside, a packet a source, sorted by their names; and the records that are none."""
        folder = self.layout.path(places.SET_ASIDE)
        found, problems = self._readable(sorted(folder.glob("*.json")) if folder.is_dir() else [])
        return self._one_a_source(found), problems

    def packet_text(self, packet: Packet) -> str | None:
        """The packet as the reviewer has it; None where its file was deleted.

        Raises:
            RefusedFile: it cannot be read, or is not UTF-8.
        """
        path = places.packet_path(packet.name)
        data = gate.read_if_there(self.layout.root, path)
        try:
            return None if data is None else data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RefusedFile(f"not UTF-8 at byte {error.start}", path=path, hint="save it as UTF-8") from error

    def decisions(self, more: Iterable[bytes] = ()) -> tuple[list[Decision], list[Problem]]:
        """All decisions in the order of time, and the lines that are none; `more` are logs that git has besides."""
        found: dict[tuple[str, str], Decision] = {}
        problems: list[Problem] = []
        folder = self.layout.path(places.DECISIONS)
        for path in sorted(folder.glob("*.jsonl")) if folder.is_dir() else []:
            relative = self.layout.relative(path)
            try:
                _read_log(gate.read(self.layout.root, relative), relative, found, problems)
            except (RefusedFile, NotFound) as error:
                problems.append(Problem(relative, None, error.code, error.message, error.hint))
        for log in more:
            _read_log(log, "", found, [])
        return sorted(found.values(), key=lambda d: (d.time, d.id)), problems

    def names(self, packets: Iterable[Packet]) -> Names:
        """The names of sources' packets and decisions, looked up once for as many sources as follow."""
        return Names(self.source_paths(), ((p.source, p.name) for p in packets))


class Names:
    """What each source's packet and decisions are called; no name is given twice."""

    def __init__(self, sources: Iterable[str], given: Iterable[tuple[str, str]]) -> None:
        """`given` are (source, name) of those that have a packet."""
        self._stems: dict[str, set[str]] = defaultdict(set)
        for path in sources:
            self._stems[PurePosixPath(path).stem.casefold()].add(path)
        self._given: dict[str, str] = {}
        for source, name in given:
            self._give(source, name)

    def of(self, source: str) -> str:
        """The name that the source has, else a new one, which it has from now on."""
        if source not in self._given:
            stem = PurePosixPath(source).stem.casefold()
            alone = self._stems.get(stem, set()) <= {source}
            self._give(source, places.source_name(source, () if alone else (stem,)))
        return self._given[source]

    def _give(self, source: str, name: str) -> None:
        self._given[source] = name
        self._stems[name.casefold()].add(source)


def _refused_name(path: str) -> RefusedFile | None:
    try:
        path.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode(errors="backslashreplace")
        return RefusedFile("its name is not UTF-8", path=shown, hint="rename it")
    return None


def _refused_kind(path: str, file: Path) -> RefusedFile | None:
    if places.is_markdown(file.name) or file.is_dir():
        return None
    return RefusedFile("not Markdown, which alone is read as a source", path=path,
                       hint=f"save its text as {file.stem}.md, and ingest that")  # fmt: skip


def _read_log(
    log: bytes, path: str, found: dict[tuple[str, str], Decision], problems: list[Problem]
) -> None:  # fmt: skip
    """Add the decisions of a log to those found, and the lines that are none to the problems."""
    for number, line in enumerate(log.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            decision = decision_from(line)
            found[decision.id, decision.time] = decision
        except (ValueError, TypeError) as error:
            problems.append(Problem(path, number, "decision", f"not a decision: {error}",
                                    "git log -p shows what it was"))  # fmt: skip


def is_claim(fields: Mapping[str, Any]) -> bool:
    """Does a file's frontmatter say that it is a claim?"""
    return names.text(fields.get("type")).lower() == "claim"


def as_claim(file: MarkdownFile, path: str) -> Claim:
    """A parsed file as a claim."""
    fields = file.fields
    return Claim(
        path=path,
        fields=fields,
        body=file.body,
        title=names.text(fields.get("title")) or heading(file.body) or stem_title(path),
        domain=names.text(fields.get("domain")),
        description=names.text(fields.get("description")),
        confidence=names.text(fields.get("confidence")),
        status=names.text(fields.get("status")),
        problems=_faults(file, path),
    )


def claim_evidence(claim: Claim) -> list[Evidence]:
    """The quotes behind a claim; entries that are none of ours are left out."""
    found = []
    entries = claim.fields.get("evidence")
    for entry in entries if isinstance(entries, list) else []:
        try:
            found.append(Evidence(str(entry["source"]), str(entry["source_sha256"]), str(entry["quote"]),
                                  int(entry["start"]), int(entry["end"])))  # fmt: skip
        except (KeyError, TypeError, ValueError):
            continue
    return found


def heading(body: str) -> str:
    """The text of the first `# ` heading outside of code and comments, or nothing."""
    for line in marks.lines(body):
        if not line.inside and (title := _H1.match(line.text.rstrip())):
            return title[1].strip()
    return ""


def stem_title(path: str) -> str:
    """A file's stem with its hyphens as spaces."""
    return PurePosixPath(path).stem.replace("-", " ").strip()


def _faults(file: MarkdownFile, path: str) -> tuple[Problem, ...]:
    return tuple(Problem(path, fault.line, fault.code, fault.message, fault.hint) for fault in file.faults)
