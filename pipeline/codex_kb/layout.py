"""Where the knowledge base is, and every path in it, named once."""

from __future__ import annotations

import os
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from codex_kb.errors import NotFound, UsageError

SETTINGS = "codex.toml"
DECISIONS = "codex/decisions"
INDEX = "codex/index"
GENERATIONS = "codex/generations"
CANDIDATES = f"{GENERATIONS}/candidates"
PACKETS = "inbox/proposals"
SET_ASIDE = f"{PACKETS}/set-aside"
#: What tells reviewers how to mark packets, beside them.
HELP_NAME = "how-to-review.md"
SCHEMAS = "schemas"
LOCAL = ".codex-kb"
JOURNAL = f"{LOCAL}/journal.json"
MANIFEST = f"{INDEX}/manifest.json"
#: Folders of ours below codex/ that never hold claims.
NOT_CLAIMS = (DECISIONS, INDEX, GENERATIONS)
#: Their names, which no domain may have.
RESERVED = frozenset(path.rpartition("/")[2] for path in NOT_CLAIMS)

#: Markdown files, as their names end.
SUFFIXES = (".md", ".markdown")
_NAME_BYTES = 80


@dataclass(frozen=True, slots=True)
class Layout:
    """Absolute paths of one knowledge base; records carry paths relative to `root`."""

    root: Path

    def path(self, relative: str) -> Path:
        """The absolute path of a path relative to the root."""
        return self.root / relative

    def relative(self, path: Path) -> str:
        """The POSIX path relative to the root; links in it are not followed.

        Raises:
            UsageError: the path is outside of the knowledge base.
        """
        absolute = Path(os.path.normpath(Path.cwd() / path))
        for base in (self.root, self.root.resolve()):
            if absolute.is_relative_to(base):
                return absolute.relative_to(base).as_posix()
        resolved = absolute.parent.resolve() / absolute.name
        if resolved.is_relative_to(self.root.resolve()):
            return resolved.relative_to(self.root.resolve()).as_posix()
        raise UsageError(
            "outside of the knowledge base", path=str(path), hint=f"copy it below {self.root}, or name another --kb"
        )

    @property
    def local(self) -> Path:
        """Local state that git ignores."""
        return self.root / LOCAL


def find_root(named: str | None, start: Path) -> Path:
    """The folder with a codex.toml: the one named, or the nearest upward from `start`.

    Raises:
        NotFound: there is none.
    """
    if named:
        root = Path(named).expanduser().absolute()
        if (root / SETTINGS).is_file():
            return root
        raise NotFound(f"no {SETTINGS} in this folder", path=str(root), hint=f"codex init {named}")
    for folder in (start, *start.parents):
        if (folder / SETTINGS).is_file():
            return folder
    raise NotFound(f"no {SETTINGS} here or in a folder above", path=str(start), hint="codex init")


def packet_path(name: str) -> str:
    """The packet that a person edits."""
    return f"{PACKETS}/{name}.md"


def is_packet(path: str) -> bool:
    """Does this stand where packets do?"""
    return path.startswith(f"{PACKETS}/")


def record_path(name: str) -> str:
    """What was proposed, as it was proposed."""
    return f"{PACKETS}/{name}.json"


def aside_path(name: str) -> str:
    """What was set aside unread of a source's proposals."""
    return f"{SET_ASIDE}/{name}.json"


def decisions_path(name: str) -> str:
    """What people decided about a source's proposals."""
    return f"{DECISIONS}/{name}.jsonl"


def may_be_claim(name: str) -> bool:
    """Is this a claim, by a file's name?"""
    return is_markdown(name) and not topic_map(name)


def never_claims(path: str) -> bool:
    """Is this a folder of ours that never holds claims, or below one?"""
    return any(path == folder or path.startswith(f"{folder}/") for folder in NOT_CLAIMS)


def source_name(path: str, stems: Container[str]) -> str:
    """The name of a source's packet and decisions; `stems` are those of the other sources, case folded.

    The file's stem, cut to 80 bytes, with 8 hex digits of its path's SHA-256 where it was cut or is not alone.
    """
    stem = PurePosixPath(path).stem
    short = stem.encode()[:_NAME_BYTES].decode(errors="ignore").rstrip(" .")
    if short == stem and stem.casefold() not in stems and stem.casefold() != PurePosixPath(HELP_NAME).stem:
        return stem
    import hashlib  # noqa: PLC0415 (a search needs none)

    return f"{short}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"


def may_be_named(path: str, name: str) -> bool:
    """May a source's packet have this name? A copy that some program made of one has another."""
    return name in (source_name(path, ()), source_name(path, {PurePosixPath(path).stem.casefold()}))


def is_markdown(name: str) -> bool:
    """Is this a Markdown file, by its name?"""
    return name.lower().endswith(SUFFIXES)


def topic_map(path: str) -> bool:
    """Files whose names begin with `_` are maps of a topic, not claims."""
    return path.rpartition("/")[2].startswith("_")
