"""`codex review --web`: the page until Ctrl-C."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from codex_kb.cli.common import out, say
from codex_kb.errors import UsageError
from codex_kb.kb import KnowledgeBase
from codex_kb.text.marks import counted
from codex_kb.workflow.queue import queue

_NEEDED = ("jinja2", "starlette", "uvicorn")


def page(
    kb: KnowledgeBase, reviewer: str, sources: Sequence[str], anyway: bool, port: int | None, open_: bool
) -> int:  # fmt: skip
    """Serve the page; without `open_` only its URL is printed, else the browser is opened.

    Raises:
        UsageError: what it needs is not installed, or the port is not free.
        NotFound: nothing waits for a named source.
    """
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        raise UsageError(f"the page needs {', '.join(missing)}", hint="pip install 'codex-kb[web]'")
    from codex_kb.web.room import Room  # noqa: PLC0415
    from codex_kb.web.server import in_browser, serve  # noqa: PLC0415

    room = Room(kb, reviewer, sources, anyway)
    with in_browser() as opened:

        def ready(url: str) -> None:
            out(url)
            if open_:
                opened(url)
            say("open this URL where no browser does so by itself; Ctrl-C ends it")

        try:
            serve(room, port, ready)
        finally:
            room.close()
    _say_marked(kb)
    return 0


def _say_marked(kb: KnowledgeBase) -> None:
    """What is marked and not applied."""
    marked = [each for each in queue(kb) if each.mark != "wait"]
    if marked:
        say(f"{counted(len(marked), 'mark')} in {counted(len({each.name for each in marked}), 'source')} "
            "not applied yet. next: codex review --apply")  # fmt: skip
