"""codex init"""

from __future__ import annotations

import json
from pathlib import Path

import click

from codex_kb.cli.common import global_options, say
from codex_kb.workflow.init import init


@click.command("init")
@click.argument("directory", default=".", type=click.Path(path_type=Path))
@global_options
def command(directory: Path) -> None:
    """Make a knowledge base in DIRECTORY, or adopt a repository that is there.

    Nothing is overwritten. A repository with claims in other folders names them in codex.toml.
    """
    made = init(directory.expanduser().absolute())
    for name in made.written:
        say(f"wrote {name}")
    if made.repository:
        say(f"made a git repository in {made.root}")
    if made.around:
        say(f"it lies inside another knowledge base, {made.around}; commands run in here see only this one")
    if made.uncommitted:
        say(f"not committed yet: {made.uncommitted}")
        say(f"  → {made.uncommitted.hint}")
    if not made.written:
        say("it is a knowledge base already; nothing to do")
    if folders := [name for name in made.notes if name != "."]:
        named = ", ".join(map(json.dumps, folders))
        say(f'notes in {", ".join(folders)} are not looked at. To propose from them, name them in codex.toml:')
        say(f'  [kb] sources = ["inbox", {named}]')
    if "." in made.notes:
        say("Markdown beside codex.toml is not looked at: move it into inbox/ to propose from it")
    say("next: put sources into inbox/, then codex ingest inbox/")
