"""`codex init`: a folder becomes a knowledge base; what is there already stays as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from codex_kb import acts, config
from codex_kb import layout as places
from codex_kb.disk.opening import create_repository, open_repository
from codex_kb.disk.transaction import Change, prepare_local, write_failed
from codex_kb.errors import CodexError, GitError, UsageError
from codex_kb.kb import KnowledgeBase
from codex_kb.text import schema

_SETTINGS = """\
# Settings of this knowledge base; its folder is the root. Everything here may be left out.

[kb]
claims = ["codex"]    # folders with claims; new ones go to the first
sources = ["inbox"]   # folders with sources

[ingest]
max_claims = 10       # proposals from one source
max_bytes = 10000000  # larger files are refused
"""
#: Markdown that a repository has at its root and is no note.
_USUAL = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE.md", "CODE_OF_CONDUCT.md", "SECURITY.md")
#: Folders that are there from the start; git keeps none that is empty.
_KEPT = ("codex/.gitkeep", "inbox/archive/.gitkeep")


@dataclass(frozen=True)
class Made:
    """What init wrote, relative to the root, and whether the repository is new.

    `uncommitted` says why the files are not committed yet, `around` is a knowledge base that holds this one,
    `notes` are the folders with Markdown that are none of the settings', "." for the root itself.
    """

    root: Path
    written: tuple[str, ...]
    repository: bool
    uncommitted: CodexError | None = None
    around: Path | None = None
    notes: tuple[str, ...] = ()


def init(root: Path) -> Made:
    """Make or adopt a knowledge base in a folder.

    Raises:
        UsageError: the path is a file.
        WriteFailed: the folder cannot be written.
    """
    if root.exists() and not root.is_dir():
        raise UsageError("is not a folder", path=str(root), hint="name a folder")
    files = {config.FILE_NAME: _SETTINGS, **dict.fromkeys(_KEPT, "")}
    files |= {f"{places.SCHEMAS}/{name}": schema.packaged(name) for name in schema.FILES}
    adopted = (root / config.FILE_NAME).exists()
    try:
        root.mkdir(parents=True, exist_ok=True)
        prepare_local(root)
    except OSError as error:
        raise write_failed(error, root) from error
    new = open_repository(root) is None
    if new:
        create_repository(root)
    written = tuple(name for name in files if _wanted(root, name, adopted))
    kb = KnowledgeBase(root)
    around = next((folder for folder in root.parents if (folder / config.FILE_NAME).exists()), None)
    uncommitted = None
    with acts.writing(kb, "init"):
        changes = tuple(Change(name, None, files[name].encode()) for name in written)
        try:
            acts.perform(kb, acts.Act(changes, "codex: make a knowledge base\n"))
        except GitError as error:  # the files stand; they are the user's to commit, as any files of their own
            acts.give_up(kb)
            uncommitted = error
    return Made(root, written, new, uncommitted, around, _notes(kb))


def _notes(kb: KnowledgeBase) -> tuple[str, ...]:
    """The top folders with Markdown that nobody would look into."""
    named = (*kb.settings.kb.claims, *kb.settings.kb.sources, places.SCHEMAS)
    found = (path for path, refused in kb.store.markdown_files([kb.layout.root]) if refused is None)
    left = (path for path in found if not any(path.startswith(f"{folder}/") for folder in named))
    tops = {path.partition("/")[0] if "/" in path else "." for path in left if path not in _USUAL}
    return tuple(sorted(tops))


def _wanted(root: Path, name: str, adopted: bool) -> bool:
    """Is this file still to be written? A folder that holds anything needs no placeholder."""
    if (root / name).exists():
        return False
    if name.endswith(".gitkeep"):
        folder = (root / name).parent
        return not adopted and not (folder.is_dir() and any(folder.iterdir()))
    return True
