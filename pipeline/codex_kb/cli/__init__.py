"""The command line: parse, call, print. A command is the module of its name in this folder."""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import os
import pkgutil
import sys
from typing import Any, NoReturn

import click

from codex_kb import __version__
from codex_kb.cli.common import Options, fail
from codex_kb.encoders import threads
from codex_kb.errors import CodexError, UsageError
from codex_kb.text.leaving import shown

_NO_COMMANDS = ("common", "editor", "page", "pick", "pictures", "report")


class Commands(click.Group):
    """Finds commands by name and loads only the one that runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name not in _NO_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of a name."""
        if name not in self.list_commands(ctx):
            self._suggest(ctx, name)
        if name in ("search", "related", "mcp"):
            threads.one_from_the_start()
        command: click.Command = importlib.import_module(f"{__name__}.{name}").command
        return command

    def _suggest(self, ctx: click.Context, name: str) -> NoReturn:
        from difflib import get_close_matches  # noqa: PLC0415 (most commands are spelt right)

        near = get_close_matches(name, self.list_commands(ctx), 1)
        raise click.UsageError(f"no command is called {name}" + (f"; did you mean {near[0]}?" if near else ""), ctx)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--kb", metavar="DIR", envvar="CODEX_KB", help="The knowledge base; else the nearest folder upward.")
@click.option("-v", "--verbose", is_flag=True, help="Say more; show the whole error of a fault of ours.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but results and errors.")
@click.version_option(__version__, prog_name="codex")
@click.pass_context
def cli(ctx: click.Context, kb: str | None, verbose: bool, quiet: bool) -> None:
    """A knowledge base of claims that people can trust: models propose, people decide.

    \b
    codex ingest inbox/        propose claims from new sources
    codex review               approve, edit or reject them in your editor
    codex search "…"           find approved claims by meaning
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False  # https://no-color.org
    ctx.obj = Options(kb=kb, verbose=verbose, quiet=quiet)


def main() -> None:
    """Run a command and leave with its exit code."""
    # At its end Python looks through all objects for garbage, again and again, which takes as long as many a question.
    atexit.register(gc.freeze)
    arguments = sys.argv[1:]
    as_json = "--json" in arguments
    verbose = "-v" in arguments or "--verbose" in arguments
    try:
        _require_text(arguments)
        result: Any = cli.main(arguments, prog_name="codex", standalone_mode=False)
        code = result if isinstance(result, int) else 0
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        if as_json:
            code = fail(as_usage(error), as_json)
        else:
            usage = io.StringIO()
            error.show(usage)
            click.echo(shown(usage.getvalue()), nl=False, err=True)
            code = 2
    except CodexError as error:
        code = fail(error, as_json)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; nothing is lost", err=True)
        code = 130
    except BrokenPipeError:
        sys.stderr.close()
        code = 141
    except Exception as error:
        if verbose:
            raise
        fault = CodexError(
            f"a fault of ours: {type(error).__name__}: {error}", hint="codex -v shows where; please report it"
        )
        code = fail(fault, as_json)
    sys.exit(code)


def as_usage(error: click.ClickException) -> CodexError:
    """Click's complaint as one of ours."""
    return UsageError(error.format_message(), hint="codex --help")


def _require_text(arguments: list[str]) -> None:
    """Stop at an argument that is not UTF-8, unless it names a file, which is refused by itself. Raises UsageError."""
    for argument in arguments:
        if not argument.isascii() and not os.path.lexists(argument):
            try:
                argument.encode()
            except UnicodeEncodeError:
                raise UsageError(f"not UTF-8: {argument}", hint="write the arguments in UTF-8") from None
