"""codex distill"""

from __future__ import annotations

import click

from codex_kb import views
from codex_kb.cli.common import global_options, json_option, no_commit_option, open_kb, out_json, out_problems, say
from codex_kb.workflow import distill


@click.command("distill")
@click.option("--full", is_flag=True, help="Embed every claim anew; with --check, compare every one.")
@click.option("--check", "check_", is_flag=True, help="Prove, on a sample, that index and claims agree; write nothing.")
@no_commit_option
@json_option
@global_options
def command(full: bool, check_: bool, no_commit: bool, as_json: bool) -> int:
    """Bring the index in line with the claims."""
    kb = open_kb(no_commit)
    if check_:
        problems = distill.check(kb, full)
        out_problems(problems, as_json)
        say("index and claims disagree" if problems else "index and claims agree")
        return 1 if problems else 0
    done = distill.distill(kb, full)
    if as_json:
        out_json(views.distilled(done))
    say(f"{done.claims} claims: {done.embedded} embedded, {done.removed} removed, {done.unchanged} unchanged")
    return 0
