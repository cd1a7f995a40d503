"""Many files changed as one: a journal that is finished after a kill, undone after an error.

A redo journal (write-ahead logging): the new content of every file is on disk before the first
one changes. Killed before that, nothing happened; killed after, `unfinished` gives the journal
to the next run, which finishes it. Each file is replaced by a rename, so none is ever torn.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from codex_kb.disk import clone, gate
from codex_kb.disk.journal import Commit, Entry, Journal, digest, dump, load
from codex_kb.errors import CodexError, Conflict, RefusedFile, WriteFailed
from codex_kb.layout import DECISIONS, JOURNAL, LOCAL
from codex_kb.text import json_of_others

_LOCK = "lock"
_HOLDER = "lock.json"
_CONFLICTS = "conflicts"
#: How the names of half-written files begin and end.
_TEMPORARY = (".codex-", ".tmp")


@dataclass(frozen=True, slots=True)
class Change:
    """One file: its bytes as read (None: it must not exist) and as they shall be (None: deleted)."""

    path: str
    before: bytes | None
    after: bytes | None


def change(root: Path, path: str, after: bytes | None) -> Change:
    """A change of a file from what it is now. Raises RefusedFile."""
    return Change(path, gate.read_if_there(root, path), after)


def write_file(target: Path, data: bytes) -> None:
    """Replace a file as a whole, keeping its mode; a reader sees the old bytes or the new.

    Raises:
        OSError: as the file system says; the old file stands.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        mode: int | None = target.stat().st_mode & 0o7777
    except FileNotFoundError:
        mode = None
    begin, end = _TEMPORARY
    temporary = target.parent / f"{begin}{secrets.token_hex(8)}{end}"
    # A new file's mode is for the system to say: it knows the user's umask.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode or 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


class Transactions:
    """The journal of one knowledge base. Hold the lock while using it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.journal = root / JOURNAL

    def run(self, changes: Sequence[Change], commit: Commit | None, head: str = "", at: str = "") -> Journal:
        """Write all changes or none; `head` is where HEAD is, `at` its commit.

        Returns the journal, which stands until `finish`, which must follow once git has been told.

        Raises:
            Conflict: a file is not as it was read.
            RefusedFile: a path lies outside, or is no file.
            WriteFailed: the file system refused; the files are as they were.
        """
        for change in changes:
            gate.target(self.root, change.path)
            if digest(gate.read_if_there(self.root, change.path)) != digest(change.before):
                raise Conflict("changed while it was being worked on; nothing was written", path=change.path,
                               hint="run the command again")  # fmt: skip
        done: list[Change] = []
        self._sweep(())
        journal = Journal(tuple(Entry(c.path, digest(c.before), c.after) for c in changes), commit, head, at)
        try:
            prepare_local(self.root)
            self._keep(journal)
            for change in changes:
                done.append(change)
                self._write(change.path, change.after)
        except OSError as error:
            self._undo(done)
            raise write_failed(error, self.root) from error
        return journal

    def _keep(self, journal: Journal) -> None:
        write_file(self.journal, dump(journal, clone.own_id(self.root)))

    def _write(self, path: str, data: bytes | None) -> None:
        target = gate.target(self.root, path)
        if data is None:
            target.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                target.parent.rmdir()  # only when empty, as git does
        else:
            write_file(target, data)

    def _undo(self, done: Sequence[Change]) -> None:
        """Put back what was written; where that fails too, the journal stays and the next run finishes."""
        with contextlib.suppress(OSError):
            for change in reversed(done):
                if digest(gate.read_if_there(self.root, change.path)) != digest(change.before):
                    self._write(change.path, change.before)
            self.finish()

    def _sweep(self, paths: Iterable[str]) -> None:
        """Remove what killed runs left half-written beside the journal, and beside the files that it names.

        It stands before any of these is begun, so that without a journal there is nothing beside them.
        """
        begin, end = _TEMPORARY
        folders = {self.journal.parent}
        for path in paths:
            with contextlib.suppress(RefusedFile):  # nothing of ours was begun there
                folders.add(gate.target(self.root, path).parent)
        for folder in folders:
            for left in folder.glob(f"{begin}*{end}"):
                with contextlib.suppress(OSError):
                    left.unlink()

    def finish(self) -> None:
        """Everything is done: forget the journal."""
        self.journal.unlink(missing_ok=True)

    def unfinished(self) -> bool:
        """Did an earlier run stop in the middle?"""
        return self.journal.exists()

    def pending(self) -> Journal:
        """What an unfinished run was about to do.

        Raises:
            Conflict: the journal cannot be believed.
        """
        try:
            return load(self.journal.read_bytes(), clone.own_id(self.root))
        except (OSError, ValueError) as error:
            raise Conflict(f"the journal of an earlier run cannot be finished: {error}", path=JOURNAL,
                           hint="codex check --set-aside: it is kept apart, and runs go on") from error  # fmt: skip

    def recover(self, journal: Journal) -> list[str]:
        """Finish the files of a run that was killed; those that a person changed since.

        Where a person changed a file meanwhile theirs stands, and ours goes to .codex-kb/conflicts/. A log of
        decisions only grows: it gets our lines as it now is.
        """
        self._sweep(entry.path for entry in journal.entries)
        changed = []
        try:
            for path, before, after in ((e.path, e.before, e.after) for e in journal.entries):
                now = gate.read_if_there(self.root, path)
                grows = path.startswith(f"{DECISIONS}/") and now is not None and after is not None
                wanted = _joined(now or b"", after or b"") if grows else after
                if now == wanted:
                    continue
                if not journal.written and (grows or digest(now) == before):
                    self._write(path, wanted)
                    continue
                changed.append(path)
                if after is not None:
                    write_file(gate.local(self.root, f"{LOCAL}/{_CONFLICTS}/{path}"), after)
        except OSError as error:
            raise write_failed(error, self.root) from error
        return changed

    def refused(self, journal: Journal) -> None:
        """Git refused the commit, and the files stand: the next run tries the commit again, and writes no file."""
        with contextlib.suppress(OSError):
            self._keep(replace(journal, written=True))

    def set_aside(self) -> str:
        """Keep the journal where it does not count any more; its new path, empty where there is none.

        Raises:
            WriteFailed: the file system refused.
        """
        if not self.unfinished():
            return ""
        with contextlib.suppress(Conflict):  # what cannot be believed names nothing to be removed
            self._sweep(entry.path for entry in self.pending().entries)
        kept = f"{LOCAL}/{_CONFLICTS}/journal-{secrets.token_hex(4)}.json"
        try:
            target = gate.local(self.root, kept)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(self.journal, target)
        except OSError as error:
            raise write_failed(error, self.root) from error
        return kept


def _joined(now: bytes, after: bytes) -> bytes:
    """A log with the lines of ours that it lacks, as git's union merge joins them."""
    known = set(now.split(b"\n"))
    lacking = [line for line in after.split(b"\n") if line not in known]
    if not lacking:
        return now
    return b"".join([now, b"" if now.endswith(b"\n") or not now else b"\n", *(line + b"\n" for line in lacking)])


def prepare_local(root: Path) -> None:
    """The folder of local state, which git ignores through its own .gitignore; made whole, with this clone's id."""
    local = root / LOCAL
    if (local / ".gitignore").exists():
        return
    made = root / f"{LOCAL}-{secrets.token_hex(4)}.tmp"
    made.mkdir(parents=True)
    try:
        write_file(made / ".gitignore", b"*\n")
        clone.own_id(root, made)
        with contextlib.suppress(OSError):  # another run was first
            made.rename(local)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    if not local.is_dir():
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), str(local))


def write_failed(error: OSError, root: Path) -> WriteFailed:
    """What a refused write means for the user."""
    path = error.filename if isinstance(error.filename, str) else None
    if path and Path(path).is_relative_to(root):
        path = Path(path).relative_to(root).as_posix()
    reason = os.strerror(error.errno) if error.errno else str(error)
    hint = "mend the permissions and run the command again"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "make room and run the command again"
    return WriteFailed(f"cannot write: {reason}; nothing is lost", path=path, hint=hint)


@contextlib.contextmanager
def locked(root: Path, command: str, wait: float) -> Iterator[None]:
    """Keep other runs out; waits up to `wait` seconds for one that is under way.

    Raises:
        Conflict: another run holds the lock; says which.
        WriteFailed: the lock cannot be made.
    """
    holder = root / LOCAL / _HOLDER
    lock = FileLock(root / LOCAL / _LOCK)
    try:
        prepare_local(root)
        lock.acquire(timeout=wait)
    except Timeout as error:
        raise _held(holder) from error
    except OSError as error:
        raise write_failed(error, root) from error
    try:
        with contextlib.suppress(OSError):
            holder.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "command": command}))
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _held(holder: Path) -> CodexError:
    try:
        who = json_of_others.read(holder.read_bytes())
        by = f"codex {who['command']}, process {who['pid']} on {who['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        by = "another run"
    return Conflict(f"this knowledge base is being changed by {by}", hint="wait for it to end, then run again")
