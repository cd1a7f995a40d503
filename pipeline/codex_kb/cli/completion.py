"""codex completion"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from codex_kb.cli.common import global_options


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
@global_options
def command(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, options and the names of what waits.

    \b
    bash   codex completion bash >~/.local/share/bash-completion/completions/codex
    zsh    codex completion zsh >"${fpath[1]}/_codex"
    fish   codex completion fish >~/.config/fish/completions/codex.fish
    """
    root = ctx.find_root()
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(root.command, {}, "codex", "_CODEX_COMPLETE").source())
