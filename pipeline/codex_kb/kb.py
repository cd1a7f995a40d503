"""One opened knowledge base: its settings, files, git and encoder. `acts` writes it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from codex_kb.disk import clone
from codex_kb.errors import UsageError
from codex_kb.layout import Layout

# A search needs none of what reads YAML, locks or speaks with git: it is loaded where it is used.
if TYPE_CHECKING:
    from codex_kb import config
    from codex_kb.disk.store import Store
    from codex_kb.disk.vcs import Repository
    from codex_kb.ports import Encoder

Say = Callable[[str], None]


class Progress(Protocol):
    """Called with what is being done, how many are done, how many there are, and a note on how it goes."""

    def __call__(self, what: str, done: int, total: int, note: str = "", /) -> None: ...


def silent(*_: object) -> None:
    """Says nothing."""


def _rules() -> tuple[str, ...]:
    from codex_kb import check  # noqa: PLC0415

    return check.ids()


class KnowledgeBase:
    """Everything that a stage's workflow needs; parts are made when they are first asked for."""

    def __init__(self, root: Path, say: Say = silent, progress: Progress = silent, commits: bool = True) -> None:
        """Open the knowledge base at a root. Raises UsageError where its local state is not of this clone."""
        clone.verify(root)
        self.layout = Layout(root)
        self.say = say
        self.progress = progress
        self.commits = commits

    @cached_property
    def settings(self) -> config.Settings:
        """What codex.toml says. Raises UsageError."""
        from codex_kb import config  # noqa: PLC0415

        return config.read(self.layout.root, _rules)

    @cached_property
    def store(self) -> Store:
        """The files of the knowledge base as records."""
        from codex_kb.disk.store import Store  # noqa: PLC0415

        return Store(self.layout, self.settings)

    @cached_property
    def encoder(self) -> Encoder:
        """The model that `[index] model` names."""
        from codex_kb.encoders import model  # noqa: PLC0415

        if self.settings.index.model or not self.layout.local.exists():
            self._prepare_local()
        if self.settings.index.model:
            from codex_kb import wants  # noqa: PLC0415

            self.require(wants.of_encoder(self.settings.index.model, self.layout.root, self._models))
        return model.load(self._model_path(self.settings.index.model), self._models, self.say)

    @property
    def _models(self) -> Path:
        """What is made from models once."""
        return self.layout.local / "models"

    def wants(self) -> tuple[str, ...]:
        """What the settings want that needs the user's word, a sentence each. Raises UsageError."""
        from codex_kb import wants  # noqa: PLC0415

        self._prepare_local()
        return wants.of(self.settings, self.layout.root, self._models)

    def ungranted(self) -> tuple[str, ...]:
        """What of that the user did not grant. Raises UsageError."""
        from codex_kb.disk import trust  # noqa: PLC0415

        wanted = self.wants()
        granted = trust.granted(self.layout.root) if wanted else ()
        return tuple(each for each in wanted if each not in granted)

    def require_model(self, model: str) -> None:
        """Stop unless the user granted that the settings' language model is used. Raises UsageError."""
        from codex_kb import wants  # noqa: PLC0415

        self._prepare_local()
        self.require(wants.of_language(model, self.layout.root, self._models))

    def require(self, want: str) -> None:
        """Stop unless the user granted this; settings may come from a stranger. Raises UsageError."""
        from codex_kb import config  # noqa: PLC0415
        from codex_kb.disk import trust  # noqa: PLC0415

        if want and want not in trust.granted(self.layout.root):
            raise UsageError(f"the settings want to {want}", path=config.FILE_NAME,
                             hint="codex trust shows it and remembers your answer")  # fmt: skip

    def _prepare_local(self) -> None:
        """Hashes are kept in a folder of this clone; where that cannot be made, they are found out each time."""
        from codex_kb.disk.transaction import prepare_local  # noqa: PLC0415

        with contextlib.suppress(OSError):
            prepare_local(self.layout.root)

    def _model_path(self, model: str) -> str:
        """A folder is named relative to the root; anything else is a name."""
        folder = os.path.join(self.layout.root, os.path.expanduser(model))
        return folder if model and os.path.isdir(folder) else model

    @cached_property
    def repository(self) -> Repository | None:
        """The git repository around the knowledge base, if there is one."""
        from codex_kb.disk.opening import open_repository  # noqa: PLC0415

        return open_repository(self.layout.root)

    def left_out(self, paths: Sequence[str]) -> set[str]:
        """Those of the paths that git tracks and a sparse checkout leaves out."""
        return self.repository.sparse(paths) if self.repository and paths else set()

    def today(self) -> str:
        """The date, local time, YYYY-MM-DD."""
        import datetime  # noqa: PLC0415

        return datetime.date.today().isoformat()

    @property
    def generation(self) -> int:
        """The generation of the proposer that is in force; 0 is the untaught one. Raises RefusedFile."""
        from codex_kb.disk.generations import Generations  # noqa: PLC0415
        from codex_kb.learn import course  # noqa: PLC0415

        return course.number(Generations(self.layout.root).course.in_force)

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
