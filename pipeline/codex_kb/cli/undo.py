"""codex undo"""

from __future__ import annotations

import click

from codex_kb import views
from codex_kb.cli.common import complete_claim, global_options, json_option, no_commit_option, open_kb, out_json, say
from codex_kb.errors import Edited
from codex_kb.review.decide import added_as
from codex_kb.workflow.undo import Undone, undo


@click.command("undo")
@click.argument("name", metavar="ID|CLAIM|COMMIT", shell_complete=complete_claim)
@click.option("--why", metavar="TEXT", default="", help="Why it is taken back; kept with the decision.")
@click.option("--reviewer", metavar="NAME", help='Who takes it back, "Name <email>"; else git\'s user.')
@no_commit_option
@json_option
@global_options
def command(name: str, why: str, reviewer: str | None, no_commit: bool, as_json: bool) -> None:
    """Take a decision back: its proposal waits again, and files are as if it had not been.

    ID is a proposal's, CLAIM a path, a file's stem or a title, COMMIT one of a review. The decision and its withdrawal
    stay on record.
    """
    kb = open_kb(no_commit)
    try:
        done = undo(kb, name, kb.reviewer(reviewer), why)
    except Edited as error:
        if error.difference and not as_json:
            say(error.difference.rstrip("\n"))
        raise
    if as_json:
        out_json(views.undone(done))
        return
    _report(done)


def _report(done: Undone) -> None:
    for decision in done.decisions:
        how = added_as(decision)
        say(f"taken back ({f'added as {how}' if how else decision.verdict}): {decision.title}")
    for path in done.removed:
        say(f"removed: {path}")
    for path in done.changed:
        say(f"evidence taken out of: {path}")
    for path in done.look_again:
        say(f"look again at: {path}")
    for proposal in done.already:
        say(f"{proposal}: already withdrawn")
    if done.decisions:
        say(f"{len(done.decisions)} wait again. next: codex review")
    elif not done.already:
        say("nothing to take back: what it decided was decided again since")
