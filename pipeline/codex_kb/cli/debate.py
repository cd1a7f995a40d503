"""codex debate"""

from __future__ import annotations

import click

from codex_kb import views
from codex_kb.cli.common import (
    Finite,
    global_options,
    json_option,
    no_commit_option,
    open_kb,
    out,
    out_json,
    say,
    say_stopped,
)  # fmt: skip
from codex_kb.errors import ModelError
from codex_kb.propose.team import Team
from codex_kb.workflow.debate import Debated, Debates


@click.command("debate")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--model", metavar="M", help="Language model to use; else [propose] model.")
@click.option("--budget", metavar="DOLLARS", type=Finite(0, min_open=True), help="Stop before it costs more.")
@no_commit_option
@json_option
@global_options
def command(ids: tuple[str, ...], model: str | None, budget: float | None, no_commit: bool, as_json: bool) -> int:
    """Have two sides argue for and against a proposal; you judge. A side that cannot quote loses the point."""
    kb = open_kb(no_commit)
    settings = kb.settings.propose
    team = Team(kb, model or "", settings.jobs, settings.budget if budget is None else budget, again=False)
    done = Debates(kb, team).of(ids)
    if as_json:
        out_json(views.debated(done))
    for proposal in done.argued if not as_json else ():
        out(f"{proposal.id}  {proposal.title}")
        for turn in proposal.debate:
            out(f"  {turn.side}: {turn.point}")
            out(f"      “{turn.quote}” {'· ' + turn.place if turn.place else '· not located: the point is lost'}")
    say(str(team.spent))
    return report(done)


def report(done: Debated) -> int:
    """Say what became of the debates; the exit code."""
    say(f"proposals debated: {len(done.argued)}")
    for proposal_id, error in done.failed:
        say(f"{proposal_id}: not debated: {error.message}")
    if done.stopped:
        say_stopped(done.stopped)
        return done.stopped.exit_code
    return ModelError.exit_code if done.failed else 0
