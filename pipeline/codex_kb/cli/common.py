"""What the commands share: options, the opened knowledge base, and how things are printed."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from codex_kb import layout, views
from codex_kb.errors import CodexError
from codex_kb.layout import find_root
from codex_kb.text.leaving import as_json, shown

if TYPE_CHECKING:
    from codex_kb.kb import KnowledgeBase
    from codex_kb.records import Problem
    from codex_kb.workflow.related import Suggested
    from codex_kb.workflow.search import Found

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Options:
    """The global options."""

    kb: str | None = None
    verbose: bool = False
    quiet: bool = False


def _kept(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def keep(ctx: click.Context, _: click.Parameter, value: Any) -> Any:
        if value:
            setattr(ctx.find_object(Options), name, value)
        return value

    return keep


def global_options(function: F) -> F:
    """The global options are taken after the command's name too."""
    for option in (
        click.option("-q", "--quiet", is_flag=True, expose_value=False, callback=_kept("quiet"), hidden=True),
        click.option("-v", "--verbose", is_flag=True, expose_value=False, callback=_kept("verbose"), hidden=True),
        click.option("--kb", metavar="DIR", expose_value=False, callback=_kept("kb"), hidden=True),
    ):
        function = option(function)
    return function


def say_stopped(error: CodexError) -> None:
    """Say what ended a run before its end, and how to go on."""
    say(f"stopped: {error.message}")
    say(f"  → {error.hint or 'run the same again: what is paid for is kept'}")


class Finite(click.FloatRange):
    """A number within a range; "nan" and "inf" are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = float(super().convert(value, param, ctx))
        if not math.isfinite(found):
            self.fail(f"{value} is not a number.", param, ctx)
        return found


def complete_waiting(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """For the shell's completion: the packets that wait, and files; nothing where there is no knowledge base."""
    del ctx, param
    try:
        folder = _root() / layout.PACKETS
        names = sorted(each.stem for each in folder.glob("*.md") if each.name != layout.HELP_NAME)
    except (CodexError, OSError):
        names = []
    return [name for name in names if name.startswith(incomplete)]


def complete_claim(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """For the shell's completion: what waits, and the claims by their files."""
    found = complete_waiting(ctx, param, incomplete)
    with contextlib.suppress(CodexError, OSError):
        found += sorted({Path(path).stem for path in open_kb().store.claim_paths()})
    return [name for name in found if name.startswith(incomplete)]


def complete_domain(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """For the shell's completion: the folders that claims stand in."""
    del ctx, param
    found: set[str] = set()
    with contextlib.suppress(CodexError, OSError):
        found = {Path(path).parent.name for path in open_kb().store.claim_paths()}
    return sorted(name for name in found if name.startswith(incomplete))


engine_option = click.option(
    "--engine", metavar="ENGINE", help="Who does bulk work: local, ray, or ray://HOST:PORT; else [run] engine."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value.")
no_commit_option = click.option("--no-commit", is_flag=True, help="Write the files, leave the commit to me.")


def open_kb(no_commit: bool = False) -> KnowledgeBase:
    """The knowledge base that this command works on.

    Raises:
        NotFound: there is none.
        UsageError: its settings are wrong.
    """
    from codex_kb.kb import KnowledgeBase  # noqa: PLC0415

    # Threads have no context: what is said from one must know by itself whether to be quiet.
    tell: Callable[[str], None] = (lambda message: None) if _options().quiet else say
    return KnowledgeBase(_root(), say=tell, progress=Bar(), commits=not no_commit)


def _options() -> Options:
    context = click.get_current_context(silent=True)
    return (context and context.find_object(Options)) or Options()


def _root() -> Path:
    return find_root(_options().kb, Path.cwd())


def say(message: str) -> None:
    """For the user's eye: standard error, nothing with --quiet."""
    if not _options().quiet:
        click.echo(shown(message), err=True)


def out(message: str = "") -> None:
    """A result, on standard output; control characters shown, not sent to the terminal."""
    click.echo(shown(message))


def out_json(value: object, err: bool = False) -> None:
    """One JSON value on a line of standard output, or of standard error."""
    click.echo(as_json(value), err=err)


def out_found(each: Found | Suggested, explain: bool, snippet: str = "") -> None:
    """A claim that was found, with its score and a snippet that may hold marks; with `explain` the score's parts."""
    card, score = each.card, each.score
    state = " (retired)" * (card.status == "retired") + " (challenged)" * card.challenged
    out(f"{score.total:.2f}  {card.title}{state}")
    if snippet:
        click.echo(f"      {snippet}")
    out(f"      {card.domain}, {card.confidence} · {here(card.path)}")
    if explain:
        parts = (f"{name} {value:.2f}" for name, value in score._asdict().items() if name != "total")
        out(f"      {', '.join(parts)}")


def here(path: str) -> str:
    """A path of the knowledge base as it opens from where the user stands."""
    return os.path.relpath(_root() / path)


def highlighted(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Text that cannot steer a terminal, with these parts in bold (click drops the marks where there is none)."""
    parts, at = [], 0
    for start, end in spans:
        parts += [shown(text[at:start]), click.style(shown(text[start:end]), bold=True)]
        at = end
    return "".join([*parts, shown(text[at:])])


def fail(error: CodexError, as_json: bool) -> int:
    """Print an error and its next step on standard error; the exit code."""
    if as_json:
        out_json(views.error(error), err=True)
    else:
        click.echo(shown(f"codex: {error}"), err=True)
        if error.hint:
            click.echo(shown(f"  → {error.hint}"), err=True)
    return error.exit_code


def out_problems(problems: list[Problem], as_json: bool) -> None:
    """Problems, one a line with its hint below, or as JSON."""
    if as_json:
        out_json(views.problems(problems))
        return
    for problem in problems:
        path = here(problem.path)
        place = f"{path}:{problem.line}" if problem.line else path
        note = "note: " if problem.severity == "note" else ""
        rule = f" ({problem.rule})" if problem.rule not in ("", problem.code) else ""
        out(f"{place}: {note}{problem.code}{rule}: {problem.message}")
        if problem.hint:
            out(f"  → {problem.hint}")


class Bar:
    """A progress bar on a terminal; elsewhere a line now and then, so that a log shows that something moves."""

    _MIN = 5
    _SECONDS = 20.0

    def __init__(self) -> None:
        self._bar: Any = None
        self._what = ""
        self._said = time.monotonic()

    def __call__(self, what: str, done: int, total: int, note: str = "", /) -> None:
        if total < self._MIN or _options().quiet:
            return
        if not sys.stderr.isatty():
            self._line(f"{what}: {done} of {total}" + (f", {note}" if note else ""))
            return
        if self._bar is None or self._what != what:
            self._close()
            self._bar, self._what = click.progressbar(length=total, label=what, file=sys.stderr, show_pos=True,
                                                         item_show_func=lambda said: said), what
            self._bar.__enter__()
        self._bar.update(max(0, done - self._bar.pos), note)
        if done >= total:
            self._close()

    def _line(self, text: str) -> None:
        if time.monotonic() - self._said >= self._SECONDS:
            self._said = time.monotonic()
            click.echo(text, err=True)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None
