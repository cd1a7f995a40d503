"""codex distill"""

from __future__ import annotations

from collections.abc import Iterator

import click

from codex_kb import views
from codex_kb.cli.common import global_options, json_option, no_commit_option, open_kb, out_json, out_problems, say
from codex_kb.learn.stand import Stand
from codex_kb.text.marks import counted
from codex_kb.workflow import distill


@click.command("distill")
@click.option("--full", is_flag=True, help="Embed every claim anew; with --check, compare every one.")
@click.option("--now", is_flag=True, help="Close a generation though little was decided since the last.")
@click.option("--rollback", type=click.IntRange(0), metavar="N", help="Go back to generation N; 0 is the untaught one.")
@click.option("--pin", type=click.IntRange(0), metavar="N", help="Hold generation N until a rollback.")
@click.option("--reviewer", metavar="NAME", help="Who says so; git's user where this is not given.")
@click.option("--check", "check_", is_flag=True, help="Prove, on a sample, that index and claims agree; write nothing.")
@no_commit_option
@json_option
@global_options
def command(
    full: bool, now: bool, rollback: int | None, pin: int | None, reviewer: str | None, check_: bool, no_commit: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Bring the index in line with the claims, and a generation with the decisions."""
    kb = open_kb(no_commit)
    for number, held in ((rollback, False), (pin, True)):
        if number is not None:
            distill.put(kb, number, held, kb.reviewer(reviewer))
            if as_json:
                out_json({"in_force": number})
            say(f"generation {number} is in force")
            return 0
    if check_:
        problems = distill.check(kb, full)
        out_problems(problems, as_json)
        say("index and claims disagree" if problems else "index and claims agree")
        return 1 if problems else 0
    done = distill.distill(kb, full, now)
    if as_json:
        out_json(views.distilled(done))
    changes = f"{done.embedded} embedded, {done.removed} removed, {done.unchanged} unchanged"
    say(f"{counted(done.claims, 'claim')}: {changes}")
    for line in _learned(done.learned):
        say(line)
    return 0


def _learned(now: Stand) -> Iterator[str]:
    """How the generations stand, for a person."""
    if now.closed:
        yield f"generation {now.number} from {counted(now.lessons, 'decision')}: " + (
            "in force" if now.in_force == now.number else "on trial; packets show both orders by turns"
        )
    elif now.number or now.waiting:
        yield f"generation {now.in_force} is in force; {counted(now.waiting, 'decision')} not learned from yet"
