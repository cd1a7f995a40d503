"""What is wrong with a knowledge base, as a list of problems with path, line and hint."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from codex_kb.records import Claim, Evidence, Problem
from codex_kb.text import proposition
from codex_kb.text.wikilinks import links_in, name_key, names_of, targets


class Links:
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

    def resolve(self, link: str) -> set[str]:
        """The paths that a link may mean: one is right, none is dead, several are ambiguous."""
        target = re.split(r"[|#]", link, maxsplit=1)[0].strip()
        by_path = self._paths.get(target.casefold().removeprefix("./").removeprefix("/"))
        if by_path:
            return {by_path}
        return self._names.get(name_key(target.removesuffix(".md")), set())


def links(claim: Claim, first_line: int, known: Links) -> Iterator[Problem]:
    """Dead and ambiguous links of a claim."""
    for line, link in links_in(claim.body, first_line):
        found = known.resolve(link)
        if not found:
            yield Problem(claim.path, line, "dead-link", f"[[{link}]] names no file, title or path",
                          "mend the name, or remove the link")  # fmt: skip
        elif len(found) > 1:
            yield Problem(claim.path, line, "ambiguous-link", f"[[{link}]] may mean {', '.join(sorted(found))}",
                          "link by path")  # fmt: skip


def quotes(
    claim: Claim, line: int, evidence: Sequence[Evidence], bodies: Mapping[str, str | None]
) -> Iterator[Problem]:
    """Quotes that do not stand in their source at their offsets; a body of None is a source that is gone."""
    for item in evidence:
        body = bodies.get(item.source)
        shown = item.quote if len(item.quote) <= 60 else item.quote[:60] + "…"
        if body is None:
            yield Problem(claim.path, line, "missing-source", f"{item.source} is gone or cannot be read",
                          "restore it, or mend the path in evidence")  # fmt: skip
        elif item.quote in body and body[item.start : item.end] != item.quote:
            start = body.index(item.quote)
            yield Problem(claim.path, line, "moved-quote", f'"{shown}" has moved in {item.source}',
                          f"set start to {start} and end to {start + len(item.quote)} in evidence")  # fmt: skip
        elif body[item.start : item.end] != item.quote or not item.quote:
            yield Problem(claim.path, line, "lost-quote", f'"{shown}" no longer stands in {item.source}',
                          "restore the quote here or the text there, or retire the claim")  # fmt: skip


def titles(claim: Claim, line: int) -> Iterator[Problem]:
    """Why a title is no proposition: notes for a person."""
    for fault in proposition.faults(claim.title):
        yield Problem(claim.path, line, "title", f'"{claim.title}": {fault}',
                      '"this note argues that <title>" must be a sentence', "note")  # fmt: skip


def duplicates(claims: Sequence[Claim]) -> Iterator[Problem]:
    """Claims that say the same in the same words."""
    first: dict[str, str] = {}
    for claim in claims:
        key = name_key(claim.title)
        if key in first:
            yield Problem(claim.path, 1, "duplicate", f"has the title of {first[key]}", "merge the two, retire one")
        else:
            first[key] = claim.path


def depends_on(claim: Claim) -> set[str]:
    """Keys of the names of the claims that a claim depends on, as `wikilinks.names_of` makes them."""
    return targets({"depends_on": claim.fields.get("depends_on")}, "")


def shaken(claims: Sequence[Claim], lines: Mapping[str, int]) -> Iterator[Problem]:
    """Claims that depend on one that is challenged or retired; `lines` are those of `depends_on`, by path."""
    why: dict[str, str] = {}
    for claim in claims:
        if text := _shaken(claim):
            why |= dict.fromkeys(names_of(claim.path, claim.title), f"{claim.path}, which is {text}")
    for claim in (each for each in claims if _shaken(each) != "retired"):
        for reason in sorted({why[name] for name in depends_on(claim) & why.keys()}):
            yield Problem(claim.path, lines.get(claim.path, 1), "depends-on-challenged", f"depends on {reason}",
                          "look whether it still stands", "note")  # fmt: skip


def _shaken(claim: Claim) -> str:
    if claim.status.lower() == "retired":
        return "retired"
    return "challenged" if claim.fields.get("challenged_by") else ""


def undecided(claims: Sequence[Claim], decided: Collection[str]) -> Iterator[Problem]:
    """Claims that no decision stands behind: written by hand, which is allowed and worth knowing."""
    for claim in claims:
        if claim.path not in decided:
            yield Problem(claim.path, 1, "no-decision", "no recorded decision stands behind this claim",
                          "nothing to do if a person wrote it", "note")  # fmt: skip
