"""codex open"""

from __future__ import annotations

import re

import click

from codex_kb.cli import editor
from codex_kb.cli.common import complete_waiting, global_options, open_kb
from codex_kb.errors import NotFound
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import packet_path
from codex_kb.review import reading
from codex_kb.workflow.show import Shown, show

_PLACE = re.compile(r"(?P<name>.+?):(?P<line>\d+)(?::.*)?$")


@click.command("open")
@click.argument("hit", metavar="HIT", shell_complete=complete_waiting)
@global_options
def command(hit: str) -> int:
    """Open a claim, a source or a proposal in your editor, at its place.

    HIT is a path, a file's stem, a title, a proposal's id, or path:line as searches print it.
    """
    kb = open_kb()
    placed = _PLACE.match(hit)
    try:
        path, line = _place(kb, show(kb, hit))
    except NotFound:
        if placed is None:
            raise
        path, _ = _place(kb, show(kb, placed["name"]))
        line = int(placed["line"])
    configured = kb.repository.configured_editor() if kb.repository else ""
    return editor.at_line(editor.command(configured), kb.layout.path(path), line)


def _place(kb: KnowledgeBase, found: Shown) -> tuple[str, int]:
    """The file to open, and the line: a proposal's section, a claim's or source's first line.

    Raises:
        NotFound: what was decided left no file.
    """
    if found.proposal and found.packet:
        text = kb.store.packet_text(found.packet) or ""
        sections = reading.parse(text).sections
        return packet_path(found.packet.name), next((s.line for s in sections if s.id == found.proposal.id), 1)
    file = found.claim or found.source
    if file is None:
        raise NotFound("it was decided, and there is no claim of it", hint="codex show tells its history")
    return file.path, 1
