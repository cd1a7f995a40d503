"""The git repository around a knowledge base: opened, or made."""

from __future__ import annotations

import os
from pathlib import Path

from codex_kb.disk.vcs import Repository, git_in, said
from codex_kb.errors import GitError

#: What `git rev-parse --local-env-vars` lists: set by a hook that runs us, they would send our commits to its project.
_LOCAL_VARIABLES = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY", "GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE", "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_COMMON_DIR",
    "GIT_INTERNAL_SUPER_PREFIX",
    # and those that say how paths are read, or which git is run
    "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS",
    "GIT_PYTHON_GIT_EXECUTABLE",
)  # fmt: skip


def open_repository(root: Path) -> Repository | None:
    """The repository around the root; None where there is none.

    Raises:
        GitError: there is one, and git does not open it, or is not installed.
    """
    _clear_environment()
    from git import GitCommandError, GitCommandNotFound  # noqa: PLC0415

    git = git_in(root)
    try:
        if str(git.execute(["git", "rev-parse", "--is-inside-work-tree"])).strip() != "true":
            return None
    except GitCommandNotFound as error:
        if any((folder / ".git").exists() for folder in (root, *root.parents)):
            raise GitError("git is not installed, and this is a git repository", path=str(root),
                           hint="install git") from error  # fmt: skip
        return None
    except GitCommandError as error:
        words = said(error)
        if "not a git repository" in words:
            return None
        raise GitError(f"git does not open this repository: {words}", path=str(root),
                       hint="do what git says, and run again") from error  # fmt: skip
    return Repository(git, root)


def _clear_environment() -> None:
    """Before GitPython is loaded: it looks for git at once, and for the one that a variable names."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    for name in _LOCAL_VARIABLES:
        os.environ.pop(name, None)


def create_repository(root: Path) -> None:
    """`git init` in the root.

    Raises:
        GitError: git is not installed or refuses.
    """
    _clear_environment()
    from git import Git, GitCommandError, GitCommandNotFound  # noqa: PLC0415

    try:
        Git(str(root)).execute(["git", "init", "--quiet"])
    except (GitCommandError, GitCommandNotFound) as error:
        raise GitError(f"git init failed: {error}", path=str(root), hint="install git and run again") from error
