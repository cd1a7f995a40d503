"""Everything that the rules look at, as it was read; `codex_kb.facts` reads it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from codex_kb.records import Claim, Decision, Evidence, Packet, Problem
from codex_kb.text.wikilinks import links_in, name_key


@dataclass(frozen=True, slots=True)
class ClaimFile:
    """A claim with its quotes, the lines of its fields and the line that its body begins in."""

    claim: Claim
    evidence: tuple[Evidence, ...]
    lines: Mapping[str, int]
    body_line: int


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The frontmatter of a source: the fields under our names, the lines under the file's, and its faults."""

    path: str
    fields: Mapping[str, Any]
    lines: Mapping[str, int]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A `[[…]]` of a claim and the paths that it may mean: one is right, none is dead, several are ambiguous."""

    path: str
    line: int
    text: str
    means: tuple[str, ...]


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


def _no_decisions() -> Mapping[str, Sequence[Decision]]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Facts:
    """One knowledge base as it was read once.

    `files` are the Markdown files that a link may name, `untyped` those among the claims without a type, `refused`
    those that could not be read. `packet_errors` are what review would refuse of packets. `bodies` are what quotes are
    looked for in, by path, and `missing` says why one is not there. `decisions` are by id the lines that nobody took
    back, in the order of time; `decided` are the paths of the claims that one made, `gone` the approvals whose claim
    is there no more, `taken_back` the (path, id) of claims whose decision was withdrawn. `names` are the files' words
    for our fields, `dead_paths` the (path, line, target) of claims' links to files that are not there,
    `absent_folders` the folders of the settings that are none. `index` says where the index disagrees with the claims,
    `indexed` how many entries it has; `unread_sources` counts the sources among `refused`.
    """

    claims: tuple[ClaimFile, ...] = ()
    sources: tuple[SourceFile, ...] = ()
    files: tuple[str, ...] = ()
    untyped: tuple[str, ...] = ()
    refused: tuple[Problem, ...] = ()
    unread_sources: int = 0
    packets: tuple[Packet, ...] = ()
    packet_copies: tuple[str, ...] = ()
    packet_errors: tuple[Problem, ...] = ()
    bodies: Mapping[str, str] = field(default_factory=_nothing)
    missing: Mapping[str, str] = field(default_factory=_nothing)
    decisions: Mapping[str, Sequence[Decision]] = field(default_factory=_no_decisions)
    faulty_decisions: tuple[Problem, ...] = ()
    faulty_candidates: tuple[Problem, ...] = ()
    decided: Collection[str] = ()
    gone: tuple[Decision, ...] = ()
    taken_back: tuple[tuple[str, str], ...] = ()
    names: Mapping[str, str] = field(default_factory=_nothing)
    dead_paths: tuple[tuple[str, int, str], ...] = ()
    absent_folders: tuple[str, ...] = ()
    index: tuple[Problem, ...] = ()
    indexed: int = 0
    unfinished: bool = False

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Every link that a claim's body makes."""
        names = _Names(self.files, (each.claim for each in self.claims))
        return tuple(
            Link(each.claim.path, line, text, tuple(sorted(names.meant(text))))
            for each in self.claims
            for line, text in links_in(each.claim.body, each.body_line)
        )


class _Names:
    """What `[[…]]` may name: a file's stem, a claim's title or a path, without regard to case."""

    def __init__(self, paths: Iterable[str], claims: Iterable[Claim]) -> None:
        self._paths: dict[str, str] = {}
        self._names: dict[str, set[str]] = defaultdict(set)
        for path in paths:
            self._paths[path.casefold()] = path
            self._paths[str(PurePosixPath(path).with_suffix("")).casefold()] = path
            self._names[name_key(PurePosixPath(path).stem)].add(path)
        for claim in claims:
            self._names[name_key(claim.title)].add(claim.path)

    def meant(self, link: str) -> set[str]:
        """The paths that a link may mean."""
        target = re.split(r"[|#]", link, maxsplit=1)[0].strip()
        by_path = self._paths.get(target.casefold().removeprefix("./").removeprefix("/"))
        if by_path:
            return {by_path}
        return self._names.get(name_key(target.removesuffix(".md")), set())
