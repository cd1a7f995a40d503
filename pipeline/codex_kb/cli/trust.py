"""codex trust"""

from __future__ import annotations

import sys

import click

from codex_kb import views
from codex_kb.cli.common import global_options, json_option, open_kb, out, out_json, say
from codex_kb.workflow import trust
from codex_kb.workflow.trust import Trust


@click.command("trust")
@click.option("--yes", is_flag=True, help="Grant what is shown, without a question.")
@click.option("--forget", is_flag=True, help="Grant nothing any more.")
@json_option
@global_options
def command(yes: bool, forget: bool, as_json: bool) -> int:
    """Show what the settings of this clone want to reach or run, and remember your answer.

    The answer is kept outside of the repository, for this folder and for what was shown.
    """
    kb = open_kb()
    if forget and yes:
        raise click.UsageError("--yes and --forget are two answers")
    if forget:
        say("forgotten; it asks again" if trust.forget(kb) else "nothing was granted")
    now = trust.look(kb)
    if not as_json:
        _show(now)
    if not (forget or now.whole) and (yes or (not as_json and _agrees())):
        now = trust.grant(now)
        say("remembered, until the settings want something else")
    if as_json:
        out_json(views.trust(now))
    return 0 if now.whole or forget else 1


def _show(now: Trust) -> None:
    if not now.wants:
        say("the settings want nothing that needs your word")
    for want in now.wants:
        out(f"{'granted' if want in now.granted else 'wanted '}  {want}")


def _agrees() -> bool:
    """Does a person at a terminal say so?"""
    if not sys.stdin.isatty():
        say("not granted: run codex trust in a terminal, or codex trust --yes")
        return False
    return click.confirm("Is all of this what you want?", default=False, err=True)
