"""The user's own editor, as git finds and runs it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from codex_kb.errors import RefusedFile, UsageError

#: Editors that take +LINE before a file, and those that take --goto FILE:LINE.
_PLUS = frozenset(("vi", "vim", "nvim", "gvim", "nano", "emacs", "emacsclient", "micro", "kak", "joe", "ne", "mg"))
_GOTO = frozenset(("code", "code-insiders", "codium", "cursor"))


def command(configured: str) -> str:
    """$VISUAL, $EDITOR, git's core.editor (`configured`), vi or nano, whichever is there first.

    Raises:
        UsageError: there is no editor.
    """
    for found in (os.environ.get("VISUAL"), os.environ.get("EDITOR"), configured):
        if found and found.strip():
            return found
    for name in ("vi", "nano"):
        if sys.stdin.isatty() and shutil.which(name):
            return name
    raise UsageError(
        "no editor" if sys.stdin.isatty() else "no editor is named, and there is no terminal to open one in",
        hint="set $EDITOR, or mark the packets in inbox/proposals/ and run codex review --apply",
    )


def at_line(editor: str, path: Path, line: int) -> int:
    """Open a file at a line, counted from 1, in editors that are known to take one; what the editor ended with."""
    name = _program(editor)
    if line > 1 and name in _PLUS:
        editor = f"{editor} +{line}"
    elif name in _GOTO:
        return opener(f"{editor} --goto")(Path(f"{path}:{line}"))
    return opener(editor)(path)


def _program(editor: str) -> str:
    """The name of the program that an editor's command runs; empty where the shell would not understand it either."""
    try:
        return Path(next(iter(shlex.split(editor)), "")).stem.lower()
    except ValueError:  # the shell says what is wrong with it
        return ""


def opener(editor: str) -> Callable[[Path], int]:
    """Opens a file in the editor and waits; what the editor ended with, 0 where all is well, 1 in vim after :cq."""

    def edit(path: Path) -> int:
        if os.name == "nt":
            return subprocess.run([*shlex.split(editor, posix=False), str(path)], check=False).returncode
        # The shell splits the editor's own arguments, as git has it do.
        return subprocess.run(["sh", "-c", f'{editor} "$@"', editor, str(path)], check=False).returncode

    return edit


def typed(edit: Callable[[Path], int], name: str, text: str) -> tuple[int, str]:
    """What the editor ended with, and a text as the user left it there, in a temporary file of this name.

    Raises:
        RefusedFile: it is not UTF-8 any more.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(text.encode())
        ended = edit(path)
        try:
            return ended, path.read_bytes().decode() if path.exists() else ""
        except UnicodeDecodeError as error:
            raise RefusedFile(f"not UTF-8 at byte {error.start}: left as it was", hint="save it as UTF-8") from error
