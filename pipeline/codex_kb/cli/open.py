"""codex open"""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from codex_kb.cli import editor
from codex_kb.cli.common import complete_claim, global_options, open_kb
from codex_kb.errors import NotFound
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import packet_path
from codex_kb.review import reading
from codex_kb.workflow.show import Shown, show

_PLACE = re.compile(r"(?P<name>.+?):(?P<line>\d+)(?::.*)?$")


@click.command("open")
@click.argument("hit", metavar="HIT", shell_complete=complete_claim)
@global_options
def command(hit: str) -> int:
    """Open a claim, a source or a proposal in your editor, at its place.

    HIT is a path, a file's stem, a title, a proposal's id, or path:line as searches print it.
    """
    kb = open_kb()
    placed = _PLACE.match(hit)
    try:
        path, line = _place(kb, hit)
    except NotFound:
        if placed is None:
            raise
        path, line = _place(kb, placed["name"])[0], int(placed["line"])
    configured = kb.repository.configured_editor() if kb.repository else ""
    return editor.at_line(editor.command(configured), kb.layout.path(path), line)


def _place(kb: KnowledgeBase, named: str) -> tuple[str, int]:
    """The file to open, and the line: of a packet's file its first, else what `show` finds.

    Raises:
        NotFound: nothing has this name, or what was decided left no file.
    """
    packets = [packet_path(each.name) for each in kb.store.packets()]
    asked = kb.layout.relative(Path(named)) if os.path.lexists(named) else named
    return (asked, 1) if asked in packets else _shown(kb, show(kb, named))


def _shown(kb: KnowledgeBase, found: Shown) -> tuple[str, int]:
    """A proposal's section, a claim's or source's first line."""
    if found.proposal and found.packet:
        text = kb.store.packet_text(found.packet) or ""
        sections = reading.parse(text).sections
        return packet_path(found.packet.name), next((s.line for s in sections if s.id == found.proposal.id), 1)
    file = found.claim or found.source
    if file is None:
        raise NotFound("it was decided, and there is no claim of it", hint="codex show tells its history")
    return file.path, 1
