"""Every way in which a command fails: each class has its exit code, each error its next step."""

from __future__ import annotations


class CodexError(Exception):
    """A failure that the user reads: message, place and what to do next."""

    exit_code = 70
    code = "fault"

    def __init__(self, message: str, *, path: str | None = None, line: int | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line
        self.hint = hint

    def __str__(self) -> str:
        place = self.path or ""
        if self.path and self.line:
            place = f"{self.path}:{self.line}"
        return f"{place}: {self.message}" if place else self.message

    def __reduce__(self) -> tuple[object, ...]:
        """How it travels between processes: by what it holds, since each class is made with other arguments."""
        return Exception.__new__, (type(self), *self.args), self.__dict__


class RefusedFile(CodexError):
    """One input that cannot be read or edited; the rest of the run goes on."""

    exit_code = 1
    code = "refused"


class UsageError(CodexError):
    """Wrong arguments or settings."""

    exit_code = 2
    code = "usage"


class NotFound(CodexError):
    """A named file, claim or proposal does not exist."""

    exit_code = 3
    code = "not-found"


class Conflict(CodexError):
    """The file changed meanwhile, or another run holds the lock."""

    exit_code = 4
    code = "conflict"


class Changed(Conflict):
    """What somebody acts on is not what they were shown: another session marked or applied it meanwhile."""

    code = "changed"


class Edited(Conflict):
    """A file is no longer what was written; `difference` is a unified diff."""

    def __init__(self, message: str, *, path: str, difference: str, hint: str) -> None:
        super().__init__(message, path=path, hint=hint)
        self.difference = difference


class ServiceError(CodexError):
    """A model or a network service failed."""

    exit_code = 5
    code = "service"


class ModelError(ServiceError):
    """A language model gave no answer that can be used.

    `kind` is one of: refusal, truncated, invalid, unavailable, rejected (the key or the request), budget.
    """

    code = "model"

    def __init__(self, kind: str, message: str, *, hint: str = "", tokens: tuple[int, int] = (0, 0)) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.tokens = tokens
        #: Would every further question meet it?
        self.final = kind in ("rejected", "budget", "unavailable")
        if kind == "budget":  # the user's own limit: nothing failed
            self.exit_code = 1


class GitError(CodexError):
    """Git did not do what was asked; the files stand as they were written."""

    exit_code = 1
    code = "git"


class WriteFailed(CodexError):
    """The file system refused a write: full disk, read-only folder."""

    exit_code = 1
    code = "write"
