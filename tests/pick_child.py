"""`codex ARGS...` with the fake encoder, on the terminal that standard input is."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import termios

from codex_kb import cli
from codex_kb.encoders import model
from conftest import FakeEncoder


def as_a_job() -> None:
    """Go on in a child in front of the terminal, as a shell starts one, so that it can be stopped."""
    if child := os.fork():
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os._exit(code if code >= 0 else 128 - code)
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(sys.stdin.fileno(), os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)


if __name__ == "__main__":
    fcntl.ioctl(sys.stdin.fileno(), termios.TIOCSCTTY, 0)
    if "AS_A_JOB" in os.environ:
        as_a_job()
    model.load = FakeEncoder  # type: ignore[assignment]
    cli.main()
