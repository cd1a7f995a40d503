"""codex mcp"""

from __future__ import annotations

import importlib.util
import os

import click

from codex_kb.cli.common import global_options, no_commit_option, open_kb
from codex_kb.errors import NotFound, UsageError
from codex_kb.text.leaving import shown


@click.command("mcp")
@click.option("--http", is_flag=True, help="Serve HTTP on this machine; the address and a token are printed.")
@click.option("--port", metavar="N", type=click.IntRange(0, 65_535), help="With --http, this port; else a free one.")
@click.option("--propose", is_flag=True, help="Let agents propose claims too, which wait for codex review.")
@no_commit_option
@global_options
def command(http: bool, port: int | None, propose: bool, no_commit: bool) -> None:
    """Give agents tools to search and cite what people approved. None of them approves.

    Speaks the Model Context Protocol with the program that starts it, over standard input and output.
    """
    if port is not None and not http:
        raise UsageError("--port is for --http", hint="codex mcp --http --port 8000")
    if importlib.util.find_spec("mcp") is None:
        raise UsageError("the server for agents is not installed", hint="pip install 'codex-kb[mcp]'")
    try:
        kb = open_kb(no_commit)
    except NotFound as error:  # who starts a server has set it up wrongly
        raise UsageError(error.message, path=error.path, hint=f"{error.hint}; or --kb DIR") from error
    os.environ.setdefault("PYDANTIC_ERRORS_INCLUDE_URL", "0")  # of no use to an agent, and 30 tokens each
    from codex_kb.api import Base  # noqa: PLC0415
    from codex_kb.mcp_server import serving  # noqa: PLC0415
    from codex_kb.mcp_server.server import Door, build  # noqa: PLC0415

    door = Door(Base(kb))
    server = build(door, propose)
    try:
        if http:
            serving.over_http(server, port or 0, _tell)
        else:
            serving.over_stdio(server, door, _tell)
    finally:
        door.close()


def _tell(message: str) -> None:
    """What must be known, --quiet or not; standard output belongs to the protocol."""
    click.echo(shown(message), err=True)
