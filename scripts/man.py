"""Write the man pages of every command: python scripts/man.py docs/man"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

import click
from click_man.core import write_man_pages

from codex_kb import __version__
from codex_kb.cli import cli


def readable(text: str) -> str:
    """A help text for roff: lines that click keeps as they are stay lines there."""
    parts = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        part.removeprefix("\b\n").replace("\n", "\n.br\n") if part.startswith("\b") else part for part in parts
    )


def loaded() -> click.Group:
    """The program with all its commands at hand."""
    context = click.Context(cli)
    commands = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    whole = click.Group("codex", commands={name: each for name, each in commands.items() if each}, help=cli.help,
                        params=cli.params)  # fmt: skip
    for each in (whole, *whole.commands.values()):
        each.help = readable(each.help or "")
        each.short_help = each.help.split(".\n")[0].split(". ")[0].rstrip(".").replace("\n", " ")
    return whole


def main() -> None:
    """Write them into the folder that is named."""
    [folder] = map(Path, sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.1"):
        old.unlink()
    write_man_pages("codex", loaded(), version=__version__, target_dir=str(folder), date=" ")
    for page in folder.glob("*.1"):  # no page ends in spaces
        page.write_text("".join(line.rstrip() + "\n" for line in page.read_text().splitlines()))


if __name__ == "__main__":
    main()
