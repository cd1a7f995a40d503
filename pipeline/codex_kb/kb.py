"""One opened knowledge base: its settings, files, git and encoder, and the way everything is written."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from codex_kb import layout as places
from codex_kb.errors import Conflict, GitError, UsageError
from codex_kb.layout import Layout

# A search needs none of what reads YAML, locks or speaks with git: it is loaded where it is used.
if TYPE_CHECKING:
    from codex_kb import config
    from codex_kb.disk.store import Store
    from codex_kb.disk.transaction import Change, Commit, Transactions
    from codex_kb.disk.vcs import Repository
    from codex_kb.ports import Encoder

Say = Callable[[str], None]
#: Called with what is being done, how many are done and how many there are.
Progress = Callable[[str, int, int], None]

_WAIT_SECONDS = 5.0
#: What git must know of our own folders; written with their first file.
_ATTRIBUTES = {
    f"{places.DECISIONS}/.gitattributes": b"*.jsonl -text merge=union\n",
    f"{places.INDEX}/.gitattributes": b"*.jsonl -text -diff merge=union\n",
}


def silent(*_: object) -> None:
    """Says nothing."""


class KnowledgeBase:
    """Everything that a stage's workflow needs; parts are made when they are first asked for."""

    def __init__(self, root: Path, say: Say = silent, progress: Progress = silent, commits: bool = True) -> None:
        self.layout = Layout(root)
        self.say = say
        self.progress = progress
        self.commits = commits

    @cached_property
    def settings(self) -> config.Settings:
        """What codex.toml says. Raises UsageError."""
        from codex_kb import config  # noqa: PLC0415

        return config.read(self.layout.root)

    @cached_property
    def store(self) -> Store:
        """The files of the knowledge base as records."""
        from codex_kb.disk.store import Store  # noqa: PLC0415

        return Store(self.layout, self.settings)

    @cached_property
    def encoder(self) -> Encoder:
        """The model that `[index] model` names."""
        from codex_kb.encoders import model  # noqa: PLC0415

        return model.load(self._model_path(self.settings.index.model), self.layout.local / "models", self.say)

    def _model_path(self, model: str) -> str:
        """A folder is named relative to the root; anything else is a name."""
        folder = self.layout.root / Path(model).expanduser()
        return str(folder) if model and folder.is_dir() else model

    @cached_property
    def repository(self) -> Repository | None:
        """The git repository around the knowledge base, if there is one."""
        from codex_kb.disk.vcs import open_repository  # noqa: PLC0415

        return open_repository(self.layout.root)

    @cached_property
    def today(self) -> str:
        """The date of this run, local time, YYYY-MM-DD."""
        import datetime  # noqa: PLC0415

        return datetime.date.today().isoformat()

    def now(self) -> str:
        """The time, UTC, ISO 8601 to the microsecond."""
        import datetime  # noqa: PLC0415

        return datetime.datetime.now(datetime.UTC).isoformat()

    def reviewer(self, named: str | None) -> str:
        """`Name <email>` of who reviews: as named, else git's user."""
        if named:
            if not named.strip() or "\n" in named:
                raise UsageError(
                    "--reviewer wants a name on one line", hint='for example "Ada Lovelace <ada@example.org>"'
                )
            return named.strip()
        if self.repository is None:
            raise UsageError("nobody is known as the reviewer", hint='--reviewer "Your Name <you@example.org>"')
        return self.repository.identity()

    # -- writing -----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def writing(self, command: str) -> Iterator[None]:
        """Hold the lock, and first finish what an earlier run left half done."""
        from codex_kb.disk.transaction import locked  # noqa: PLC0415

        with locked(self.layout.root, command, _WAIT_SECONDS):
            self._recover()
            yield

    @cached_property
    def _transactions(self) -> Transactions:
        from codex_kb.disk.transaction import Transactions  # noqa: PLC0415

        return Transactions(self.layout.root)

    def unfinished(self) -> bool:
        """Did an earlier run stop in the middle of writing?"""
        return self._transactions.unfinished()

    def _recover(self) -> None:
        if not self._transactions.unfinished():
            return
        import dataclasses  # noqa: PLC0415

        commit, changed = self._transactions.recover()
        for path in changed:
            self.say(f"{path}: changed since an earlier run was cut off; yours stands, "
                     f"ours is in {places.LOCAL}/conflicts/{path}")  # fmt: skip
        self._commit(commit and dataclasses.replace(commit, paths=tuple(p for p in commit.paths if p not in changed)))
        self.say("finished what an earlier run had begun")

    def change(self, path: str, after: bytes | None) -> Change:
        """A change of a file from what it is now."""
        from codex_kb.disk.transaction import Change, read  # noqa: PLC0415

        return Change(path, read(self.layout.root, path), after)

    def with_attributes(self, changes: Sequence[Change]) -> list[Change]:
        """The changes that change something, with what git must know of the folders that they open."""
        from codex_kb.disk.transaction import Change  # noqa: PLC0415

        folders = {path: path.rsplit("/", 1)[0] for path in _ATTRIBUTES}
        written = [c for c in changes if c.before != c.after]
        needed = [
            Change(path, None, _ATTRIBUTES[path])
            for path, folder in folders.items()
            if any(c.path.startswith(folder + "/") for c in written) and not self.layout.path(path).exists()
        ]
        return needed + written

    def branch_for(self, name: str) -> str:
        """The branch that a source's commits go to; empty is the current one."""
        pattern = self.settings.git.branch
        try:
            return pattern.format(source=name, slug=name).replace(" ", "-") if pattern else ""
        except (KeyError, IndexError, ValueError) as error:
            raise UsageError(f"[git] branch = {pattern!r} is no pattern", path=places.SETTINGS,
                             hint='for example "extract/{source}"') from error  # fmt: skip

    def require_committed(self, paths: Sequence[str], branch: str = "") -> None:
        """Stop where the user has changes of their own in a file that is to be written.

        Raises:
            Conflict: a tracked file differs from its last commit.
        """
        if not self.commits or self.repository is None:
            return
        existing = [p for p in paths if self.layout.path(p).exists()]
        dirty = self.repository.uncommitted(existing, branch)
        if dirty:
            raise Conflict("has changes that are not committed", path=dirty[0],
                           hint="commit it first, or run with --no-commit")  # fmt: skip

    def apply(self, changes: Sequence[Change], message: str, branch: str = "") -> None:
        """Write the changes as one, then commit exactly their paths.

        Raises:
            Conflict: a file changed meanwhile; nothing was written.
            WriteFailed: the file system refused; nothing was written.
            GitError: git refused; the files stand.
        """
        from codex_kb.disk.transaction import Commit  # noqa: PLC0415

        changes = self.with_attributes(changes)
        if not changes:
            return
        commit = None
        if self.commits and self.repository is not None:
            commit = Commit(message, tuple(c.path for c in changes), branch)
        self._transactions.run(changes, commit)
        self._commit(commit)

    def _commit(self, commit: Commit | None) -> None:
        """Tell git, and only then forget the journal; what git refuses is the user's to commit.

        Where the file system refuses (a full disk), the journal stays and the next run commits.
        """
        try:
            if commit and self.repository:
                self.repository.commit(commit.paths, commit.message, commit.branch)
        except GitError:
            self._transactions.finish()
            raise
        except OSError as error:
            from codex_kb.disk.transaction import write_failed  # noqa: PLC0415

            raise write_failed(error, self.layout.root) from error
        self._transactions.finish()

    def commit_message(self, subject: str, body: str, trailers: dict[str, str], **names: object) -> str:
        """A commit's text; `[git] subject` and `[git] trailers` have their say."""
        pattern = self.settings.git.subject
        if pattern and names:
            try:
                subject = pattern.format(**names)
            except (KeyError, IndexError, ValueError) as error:
                raise UsageError(f"[git] subject = {pattern!r} is no pattern", path=places.SETTINGS,
                                 hint=f"known: {', '.join('{' + n + '}' for n in names)}") from error  # fmt: skip
        trailers = {**trailers, **self.settings.git.trailers}
        lines = [f"{key}: {' '.join(value.split())}" for key, value in trailers.items() if value]
        return f"{' '.join(subject.split())}\n\n{body.strip()}\n\n" + "\n".join(lines) + "\n"
