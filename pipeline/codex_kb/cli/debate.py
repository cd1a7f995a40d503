"""codex debate"""

from __future__ import annotations

import dataclasses

import click

from codex_kb.cli.common import global_options, json_option, no_commit_option, open_kb, out, out_json, say
from codex_kb.workflow.debate import Debates


@click.command("debate")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--model", metavar="M", help="Language model to use; else [propose] model.")
@click.option("--budget", metavar="DOLLARS", type=click.FloatRange(0, min_open=True), help="Stop before it costs more.")
@no_commit_option
@json_option
@global_options
def command(ids: tuple[str, ...], model: str | None, budget: float | None, no_commit: bool, as_json: bool) -> None:
    """Have two sides argue for and against a proposal; you judge. A side that cannot quote loses the point."""
    debates = Debates(open_kb(no_commit), model, budget)
    argued = [debates.one(each) for each in ids]
    if as_json:
        out_json([{"id": p.id, "debate": [dataclasses.asdict(turn) for turn in p.debate]} for p in argued])
    for proposal in argued if not as_json else ():
        out(f"{proposal.id}  {proposal.title}")
        for turn in proposal.debate:
            out(f"  {turn.side}: {turn.point}")
            out(f"      “{turn.quote}” {'· ' + turn.place if turn.place else '· not located: the point is lost'}")
    say(str(debates.spent))
