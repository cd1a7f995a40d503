"""One key at a time: from a terminal as it is pressed, from a pipe a character at a time."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import select
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, Protocol, TextIO

import click

from codex_kb.errors import UsageError
from codex_kb.text.leaving import shown

ENTER = "\n"
#: What programs that move through a list do with these keys of a terminal: back, and on.
_MOVES = {"[A": "b", "[D": "b", "[5~": "b", "[B": ENTER, "[C": ENTER, "[6~": ENTER}
_SEQUENCE_SECONDS = 0.05  # what one key sends arrives together
_CTRL_D = "\x04"
_BACK = b"codex review goes on, ? shows the keys: "
_NO_TERMINAL = "run it in a terminal, or mark the packets in inbox/proposals/ and run codex review --apply"


class Ended(Exception):
    """No more keys come: Ctrl-D, or the end of a pipe."""


class Keys(Protocol):
    """Where keys come from; `paced` says whether a person presses them now."""

    paced: bool

    def key(self) -> str:
        """The next key; empty for one that means nothing here. Raises Ended."""

    def line(self, prompt: str, begun: str = "") -> str:
        """A line of text, which may be begun already; empty where the user gave none. Raises Ended."""

    def usual(self) -> contextlib.AbstractContextManager[None]:
        """The terminal as others expect it, for an editor or a pager."""

    def forget(self) -> None:
        """Drop what a person typed before now."""


class Piped:
    """Keys from a stream, a character each; the end of the line after a key is none."""

    def __init__(self, stream: TextIO, paced: bool = False) -> None:
        self.paced = paced
        self._stream = stream
        self._after_key = False
        self._any = False

    def key(self) -> str:
        """The next character."""
        after, found = self._after_key, self._character()
        if after and found == ENTER:
            found = self._character()
        self._after_key = found != ENTER
        return found

    def line(self, prompt: str, begun: str = "") -> str:
        """The rest of the line; of an empty one what was begun."""
        first = self._character()
        if self._after_key and first == ENTER:
            first = self._character()
        self._after_key = False
        typed = "" if first == ENTER else (first + self._stream.readline()).strip()
        click.echo(shown(f"{prompt}{typed or begun}"))
        return typed or begun

    def usual(self) -> contextlib.AbstractContextManager[None]:
        """Nothing is changed."""
        return contextlib.nullcontext()

    def forget(self) -> None:
        """A pipe was filled on purpose."""

    def _character(self) -> str:
        found = self._stream.read(1)
        if not found and not self._any:
            raise UsageError("there is no terminal to ask in, and no keys come from standard input", hint=_NO_TERMINAL)
        if not found:
            raise Ended
        self._any = True
        return found


class Terminal:
    """Keys of a terminal. Its mode is as it was whenever this ends, is stopped, or is killed by what can be caught."""

    paced = True

    def __init__(self) -> None:
        import termios  # noqa: PLC0415 (Windows has none)

        self._termios = termios
        self._in = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._in)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._single = False

    @contextlib.contextmanager
    def opened(self) -> Iterator[Terminal]:
        """Keys come one by one within, unseen."""
        signals = (signal.SIGTSTP, signal.SIGTERM, signal.SIGHUP)
        handlers = {each: signal.signal(each, self._leave) for each in signals}
        try:
            self._one_by_one()
            yield self
        finally:
            self._restore()
            for each, handler in handlers.items():
                signal.signal(each, handler)

    def key(self) -> str:
        """The next key; of one that sends a sequence what it does in a list."""
        found = self._character()
        if found == "\x1b":
            return _MOVES.get(self._sequence(), "")
        if found == _CTRL_D:
            raise Ended
        return ENTER if found == "\r" else found

    def line(self, prompt: str, begun: str = "") -> str:
        """A line that can be edited; empty after Ctrl-D."""
        with self.usual(), _begun_with(begun):
            try:
                return input(prompt).encode("utf-8", "replace").decode().strip()
            except EOFError:
                print(flush=True)
                return ""

    @contextlib.contextmanager
    def usual(self) -> Iterator[None]:
        """The terminal's own mode within."""
        self._restore()
        try:
            yield
        finally:
            self._one_by_one()

    def forget(self) -> None:
        """Drop what waits to be read."""
        with contextlib.suppress(self._termios.error):
            self._termios.tcflush(self._in, self._termios.TCIFLUSH)

    def _character(self) -> str:
        found = ""
        while not found:
            try:
                byte = os.read(self._in, 1)
            except OSError:  # the terminal is gone
                byte = b""
            if not byte:
                raise Ended
            found = self._decoder.decode(byte)
        return found

    def _sequence(self) -> str:
        """What follows an escape at once, up to its end (ECMA-48: parameters, then one letter)."""
        found = ""
        while len(found) < 32 and select.select([self._in], [], [], _SEQUENCE_SECONDS)[0]:
            found += self._character()
            if found not in ("[", "O", "[[") and "@" <= found[-1] <= "~":
                break
        return found

    def _one_by_one(self) -> None:
        mode: list[Any] = self._termios.tcgetattr(self._in)
        mode[3] &= ~(self._termios.ICANON | self._termios.ECHO)
        mode[6] = [*mode[6]]
        mode[6][self._termios.VMIN], mode[6][self._termios.VTIME] = 1, 0
        self._set(mode)
        self._single = True

    def _restore(self) -> None:
        self._set(self._before)
        self._single = False

    def _set(self, mode: list[Any]) -> None:
        with contextlib.suppress(self._termios.error):  # the terminal is gone
            self._termios.tcsetattr(self._in, self._termios.TCSADRAIN, mode)

    def _leave(self, number: int, _: FrameType | None) -> None:
        """Stop or end as if the signal had not been caught, with the terminal as it was; after a stop go on."""
        single = self._single
        self._restore()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, self._leave)
        if single:
            self._one_by_one()
            os.write(sys.stdout.fileno(), _BACK)


@contextlib.contextmanager
def _begun_with(text: str) -> Iterator[None]:
    """Within, a line that is asked for begins with this text where the terminal can do that."""
    try:
        import readline  # noqa: PLC0415 (Windows has none)
    except ImportError:
        yield
        return
    readline.set_startup_hook(lambda: readline.insert_text(text))
    try:
        yield
    finally:
        readline.set_startup_hook(None)


@contextlib.contextmanager
def opened() -> Iterator[Keys]:
    """The keys of whoever runs this: a terminal's, a pipe's, or lines where a terminal gives no single keys.

    Raises:
        UsageError: standard output is not shown on the terminal that the keys come from.
    """
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    if sys.stdin is None or not sys.stdin.isatty():
        yield Piped(sys.stdin or io.StringIO())
    elif not sys.stdout.isatty():
        raise UsageError("standard output is no terminal: nothing would be seen", hint=_NO_TERMINAL)
    elif os.name == "nt":
        yield Piped(sys.stdin, paced=True)
    else:
        with Terminal().opened() as keys:
            yield keys
