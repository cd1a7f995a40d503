"""Git, through GitPython's `repo.git`: exactly the paths named, nothing else of the user's touched."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex_kb.disk import direct, gate, ready
from codex_kb.disk.clone import WORK_TREE
from codex_kb.errors import GitError, RefusedFile, UsageError
from codex_kb.layout import LOCAL

if TYPE_CHECKING:
    from git import Git, GitCommandError

#: Where the message of a commit that git refused is kept, for the user to commit it.
MESSAGE_FILE = f"{LOCAL}/commit-message"

#: A branch that is not checked out is committed to in a work tree of our own, removed after each commit.
_WORK_TREE = f"{LOCAL}/{WORK_TREE}"

#: Git compares each of its files with each path that it is given; for more than these it is asked about all files.
_NAMED = 100


class _Failed(GitError):
    """A git command failed: its exit status and git's own words."""

    def __init__(self, command: Sequence[str], error: GitCommandError) -> None:
        self.status = error.status
        self.said = said(error)
        verb = next(word for word in command[1:] if not word.startswith("-"))
        super().__init__(f"git {verb} failed: {self.said}", hint="do what git says, and run again")


class Repository:
    """The git work tree that holds a knowledge base; paths are relative to the knowledge base's root."""

    def __init__(self, git: Git, root: Path) -> None:
        self._git = git
        self._root = root

    def _run(self, *args: str, paths: Iterable[str] | None = None, given: str = "") -> str:
        """Run git; `paths` go to its standard input, so that their number and characters do not matter.

        Anything else goes there as it is `given`.
        """
        # check-ignore takes paths, not patterns, and refuses the option
        literal = [] if args[0] == "check-ignore" else ["--literal-pathspecs"]
        command = ["git", *literal, *args]
        if paths is None and not given:
            return str(self._execute(command))
        with tempfile.TemporaryFile() as file:
            file.write((given or "\0".join(paths or ())).encode(errors="surrogateescape"))
            file.seek(0)
            return str(self._execute(command, istream=file))

    def _execute(self, command: Sequence[str], **options: Any) -> Any:
        """What git answers. Raises _Failed."""
        from git import GitCommandError  # noqa: PLC0415

        try:
            return self._git.execute(command, strip_newline_in_stdout=False, **options)
        except GitCommandError as error:
            raise _Failed(command, error) from error

    @cached_property
    def _prefix(self) -> str:
        """What git puts before a path of ours."""
        return self._run("rev-parse", "--show-prefix").rstrip("\n")

    @cached_property
    def _git_dir(self) -> Path:
        return Path(self._run("rev-parse", "--absolute-git-dir").rstrip("\n"))

    def head(self) -> str:
        """Where HEAD is: a branch's full name, or `detached at` a commit."""
        try:
            return self._run("symbolic-ref", "--quiet", "HEAD").strip()
        except _Failed as error:
            if error.status != 1:  # 1: HEAD is no branch
                raise
            return f"detached at {self._run('rev-parse', 'HEAD').strip()}"

    def require_ready(self, paths: Sequence[str], branch: str = "") -> None:
        """Stop where git would not commit these paths as they stand, or would commit more.

        Raises:
            Conflict: something is under way, git passes over a path, it is a submodule's, or the branch is in use.
            GitError: git does not say.
            UsageError: no branch can have this name.
        """
        try:
            ready.require_own(self._run, self._root, paths)
            if self.elsewhere(branch):
                self._require_branch_name(branch)
                ready.require_branch(self._run, branch, self._root / _WORK_TREE, bool(self.commit_of("HEAD")))
            else:
                ready.require_quiet(self._run, self._git_dir)
                ready.require_seen(self._run, paths, _named(paths), self._is_sparse)
        except _Failed as error:
            raise GitError(f"git would not commit; nothing was written. Git says: {error.said}",
                           hint="mend what git names, or run with --no-commit") from error  # fmt: skip

    def _require_branch_name(self, branch: str) -> None:
        """Stop where a branch cannot have this name; what git takes for another one, as @{-1}, is none."""
        named = ""
        with contextlib.suppress(_Failed):
            named = self._run("check-ref-format", "--branch", branch).strip()
        if named != branch:
            raise UsageError(f"{branch!r} cannot name a branch", path="codex.toml", hint="mend [git] branch")

    def sparse(self, paths: Sequence[str]) -> set[str]:
        """Those of the paths that git tracks and a sparse checkout leaves out; its index is read only where one is."""
        return self.sparse_below(*_named(paths)) & set(paths) if paths else set()

    def sparse_below(self, *paths: str) -> set[str]:
        """What git tracks at or below these paths, anywhere without one, and a sparse checkout leaves out."""
        if not self._is_sparse():
            return set()
        listed = self._run("ls-files", "-t", "-z", "--", *paths)
        return {row[2:] for row in _split(listed) if row[0] == "S"}

    def tracks(self, path: str) -> bool:
        """Does git's index have anything at or below a path?"""
        return bool(self._run("ls-files", "-z", "--", path))

    def _is_sparse(self) -> bool:
        return self._setting("core.sparseCheckout", "--type=bool") == "true"

    def blob(self, path: str, branch: str = "") -> bytes | None:
        """A file as it was last committed here, or on a branch; None where it was not."""
        revision = f"refs/heads/{branch}" if branch else "HEAD"
        try:
            return self._blob(f"{revision}:./{path}")
        except _Failed:
            return None

    def _blob(self, name: str) -> bytes:
        found = self._execute(["git", "cat-file", "blob", name], stdout_as_string=False)
        return found if isinstance(found, bytes) else str(found).encode()

    def versions(self, path: str, branch: str = "", added: bool = False) -> Iterator[bytes]:
        """A file as commits left it here and on a branch, newest first; with `added` only where it was new."""
        only = ["--diff-filter=A"] if added else []
        refs = [ref for ref in ("HEAD", f"refs/heads/{branch}" if branch else "") if ref and self.commit_of(ref)]
        if not refs:
            return
        for commit in self._run("log", "--format=%H", *only, *refs, "--", path).split():
            with contextlib.suppress(_Failed):  # the commit deleted it
                yield self._blob(f"{commit}:./{path}")

    def commit_of(self, name: str) -> str:
        """The full id of the commit that a name means; empty where it means none."""
        if name.startswith("-"):
            return ""
        try:
            return self._run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").strip()
        except _Failed:
            return ""

    def contains(self, commit: str) -> bool:
        """Is a commit the one that HEAD is at, or one before it?"""
        try:
            self._run("merge-base", "--is-ancestor", commit, "HEAD")
        except _Failed as error:
            if error.status != 1:  # 1: it is not
                raise
            return False
        return True

    def added_lines(self, commit: str, folder: str) -> list[str]:
        """The lines that a commit added to the files below a folder; a merge against its first parent."""
        shown = self._run("show", "-m", "--first-parent", "--format=", "--no-color", "--no-ext-diff", "--no-textconv",
                          "--text", "--unified=0", commit, "--", folder)  # fmt: skip
        return [line[1:] for line in shown.split("\n") if line.startswith("+") and not line.startswith("+++ ")]

    def identity(self) -> str:
        """The user as git knows them: `Name <email>`.

        Raises:
            UsageError: git does not know.
        """
        try:
            return self._run("var", "GIT_AUTHOR_IDENT").rsplit(">", 1)[0] + ">"
        except _Failed as error:
            raise UsageError(
                "git does not know who you are",
                hint='git config user.name "Your Name"; git config user.email you@example.org; or --reviewer',
            ) from error

    def configured_editor(self) -> str:
        """The editor that git's core.editor names, if it does."""
        return self._setting("core.editor")

    def _setting(self, name: str, *options: str) -> str:
        """What git is set to, empty where it is not."""
        try:
            return self._run("config", *options, "--get", name).strip()
        except _Failed:
            return ""

    def uncommitted(self, paths: Sequence[str], branch: str = "") -> list[str]:
        """Those of the paths that are tracked and differ from the last commit; new files are not among them,
        unless what is staged of them is not what stands in the work tree.

        A file that stands as it was committed on `branch` does not differ either.
        """
        if not paths:
            return []
        listed = self._run(
            "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=no", "--", *_named(paths)
        )
        # "A " is a new file that is staged as it stands, " A" one that git add -N announced: both are committed whole.
        changed = {row[3:] for row in _split(listed) if row[:2] not in ("A ", " A")}
        found = [path for path in paths if self._prefix + path in changed]
        return [path for path in found if not branch or not self._stands_on(branch, path)]

    def _stands_on(self, branch: str, path: str) -> bool:
        """Is the file on disk the one that the branch has?"""
        try:
            committed = self._run("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}:./{path}")
            return committed == self._run("hash-object", "--", path)
        except _Failed:
            return False

    def commit(self, paths: Sequence[str], message: str, branch: str = "") -> bool:
        """Commit these paths as they stand on disk, on the current branch or on another.

        Paths that git ignores are left out. Returns whether there was anything to commit.

        Raises:
            GitError: git refused; the files stand, the hint says how to commit them.
        """
        kept: Sequence[str] = paths
        try:
            kept = self.not_ignored(paths)
            if self.elsewhere(branch):
                return self._commit_elsewhere(kept, message, branch)
            return self._commit_here(kept, message)
        except (_Failed, RefusedFile) as error:
            raise self._refused(kept, message, branch, error) from error

    def not_ignored(self, paths: Sequence[str]) -> list[str]:
        """The paths without those that git ignores."""
        ignored = self.ignored(paths)
        return [p for p in paths if p not in ignored]

    def ignored(self, paths: Sequence[str]) -> set[str]:
        """Those of the paths that git ignores, and does not track."""
        try:
            matched = _split(self._run("check-ignore", "--no-index", "-z", "--stdin", paths=paths))
        except _Failed as error:
            if error.status != 1:  # 1: none is ignored
                raise
            return set()
        return matched - self._tracked(sorted(matched))

    def _tracked(self, paths: Sequence[str]) -> set[str]:
        """Files that git's index has, those of the paths among them."""
        return _split(self._run("ls-files", "-z", "--", *_named(paths)))

    def _commit_here(self, paths: Sequence[str], message: str) -> bool:
        if not paths:
            return False
        self._run("update-index", "--add", "--remove", "-z", "--stdin", paths=paths)
        parent = self.commit_of("HEAD")
        staged = direct.staged(self._run)
        ours = [path for path in paths if self._prefix + path in staged]
        if not ours:
            return False
        named = {path: staged[path] for path in map(self._prefix.__add__, ours)}
        serves = parent and direct.serves(self._run, self._root, self._git_dir)
        if serves and direct.commit(self._run, parent, named, message):
            return True
        with tempfile.TemporaryDirectory() as folder:
            text = Path(folder, "message.txt")
            text.write_bytes(message.encode())  # closed before git reads it, as Windows wants it
            if len(staged) == len(set(ours)):
                self._run("commit", "--quiet", "--cleanup=whitespace", "--file", str(text))
            else:  # the user's own stay staged; git then reads every file's state twice
                listed = ("--pathspec-from-file=-", "--pathspec-file-nul")
                self._run("commit", "--quiet", "--cleanup=whitespace", "--only", "--file", str(text), *listed,
                          paths=ours)  # fmt: skip
        return True

    def elsewhere(self, branch: str) -> bool:
        """Is this another branch than the current one? Empty is the current one."""
        return bool(branch) and branch != self._run("branch", "--show-current").strip()

    def _commit_elsewhere(self, paths: Sequence[str], message: str, branch: str) -> bool:
        """Commit on a branch that is not checked out, in a temporary work tree, so that hooks and signing run.

        The user's own work tree, index and HEAD stay as they are.
        """
        exists = bool(self._run("branch", "--list", "--format=%(refname)", branch).strip())
        top = Path(self._run("rev-parse", "--show-toplevel").rstrip("\n"))
        inside = self._root.resolve().relative_to(top.resolve())
        tree = self._root / _WORK_TREE
        self._remove(tree)  # of a run that was killed
        where = (str(tree), branch) if exists else ("-b", branch, str(tree))
        self._run("worktree", "add", "--quiet", *where)
        try:
            there = tree / inside
            for path in paths:
                _copy(gate.read_if_there(self._root, path), _target(tree, (inside / path).as_posix(), branch))
            there.mkdir(parents=True, exist_ok=True)
            other = Repository(git_in(there), there)
            return other._commit_here(other.not_ignored(paths), message)
        finally:
            self._remove(tree)

    def _remove(self, tree: Path) -> None:
        """Remove our own work tree, and what git knows of it: a `git worktree add` that was killed left it locked."""
        shutil.rmtree(tree, ignore_errors=True)
        with contextlib.suppress(_Failed):  # git knows of none
            self._run("worktree", "remove", "--force", "--force", str(tree))
        # What a removal that was killed left of it; work trees of the user's own that are away stay known
        self._run("worktree", "prune", "--expire=never")

    def _refused(self, paths: Sequence[str], message: str, branch: str, error: Exception) -> GitError:
        """Git's own words, and the commands that commit what stands; on another branch the next run does."""
        what = f"git did not commit; the files stand as written. Git says: {said(error)}"
        if branch:
            return GitError(what, hint=f"mend what git names; the next run commits on {branch}")
        kept = self._root / MESSAGE_FILE
        kept.write_text(message, encoding="utf-8")
        # A deleted path needs no add, and one whose deletion is staged already would be refused
        there = [p for p in paths if os.path.lexists(self._root / p)]
        add = f"git --literal-pathspecs add --all -- {shlex.join(there)} && " if there else ""
        return GitError(
            what,
            hint=f"mend what git names, then, in {self._root}: {add}"
            f"git --literal-pathspecs commit --file {MESSAGE_FILE} --only -- {shlex.join(paths)}",
        )


def said(error: Exception) -> str:
    """Git's own words."""
    if isinstance(error, _Failed):
        return error.said
    said = str(getattr(error, "stderr", "") or getattr(error, "stdout", "") or error).strip()
    return said.removeprefix("stderr:").strip().strip("'").strip()


def _split(listed: str) -> set[str]:
    """What git lists with a NUL after each."""
    return set(listed.split("\0")) - {""}


def _named(paths: Sequence[str]) -> Sequence[str]:
    """The paths to name to git; none stands for all."""
    return paths if len(paths) <= _NAMED else ()


def _target(tree: Path, path: str, branch: str) -> Path:
    """Where a file of another branch is written: what that branch has there may be a link of a stranger's."""
    try:
        return gate.target(tree, path)
    except RefusedFile as error:
        raise GitError(f"on the branch {branch}: {error.message}", path=path, hint=error.hint) from error


def _copy(data: bytes | None, target: Path) -> None:
    if data is None:
        target.unlink(missing_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def git_in(folder: Path) -> Git:
    """Git in a folder. A folder that only looks like git's own is not taken for it: its settings would run programs."""
    from git import Git  # noqa: PLC0415

    git = Git(str(folder))
    git.update_environment(GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.bareRepository", GIT_CONFIG_VALUE_0="explicit")
    return git
