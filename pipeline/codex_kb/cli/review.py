"""codex review"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from codex_kb.apply.reviewed import Reviewed
from codex_kb.cli import editor
from codex_kb.cli.common import Finite, complete_waiting, fail, global_options, no_commit_option, open_kb, say
from codex_kb.cli.pick import keys
from codex_kb.cli.pick.screen import Screen
from codex_kb.cli.pick.session import KEPT, Session
from codex_kb.errors import UsageError
from codex_kb.kb import KnowledgeBase
from codex_kb.text.marks import counted
from codex_kb.workflow import aside
from codex_kb.workflow.desk import Desk
from codex_kb.workflow.review import Review

_NOTHING = "nothing waits for review. next: codex ingest inbox/"


@click.command("review")
@click.argument("sources", metavar="[SOURCE]...", nargs=-1, shell_complete=complete_waiting)
@click.option("-p", "--pick", "one_by_one", is_flag=True,
              help="One proposal at a time in the terminal, one key each; ? shows the keys.")
@click.option("--apply", "apply_", is_flag=True, help="Apply the packets as they are marked; open no editor.")
@click.option("--approve", metavar="ID", multiple=True, help="Approve this proposal; open no editor.")
@click.option(
    "--add", metavar="ID", multiple=True, help="Add this proposal to the claim that it names, make no new one."
)
@click.option("--reject", metavar="ID[=REASON]", multiple=True, help="Reject this proposal; open no editor.")
@click.option("--triage", "alpha", type=Finite(0.001, 1, max_open=True), metavar="ALPHA",
              help="Set aside what would almost surely be rejected, losing at most ALPHA of approvals.")
@click.option("--set-aside", "back", is_flag=True, help="Bring back what was set aside.")
@click.option("--web", is_flag=True, help="Review in the browser, on this machine, until Ctrl-C.")
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="The port of --web; else any that is free.")
@click.option("--no-browser", is_flag=True, help="Only print the URL of --web, on the first line.")
@click.option("--reviewer", metavar="NAME", help='Who decides, "Name <email>"; else git\'s user.')
@click.option("--anyway", is_flag=True, help="Make a claim even where one says nearly the same.")
@click.option("--yes", is_flag=True, help="Do not ask before what was decided in the editor is applied.")
@no_commit_option
@global_options
def command(
    sources: tuple[str, ...], one_by_one: bool, apply_: bool, approve: tuple[str, ...], add: tuple[str, ...],
    reject: tuple[str, ...], alpha: float | None, back: bool, web: bool, port: int | None, no_browser: bool,
    reviewer: str | None, anyway: bool, yes: bool, no_commit: bool,
) -> int:  # fmt: skip
    """Decide what becomes a claim: mark the proposals of a source in your editor, save, close.

    Approved proposals become claims or evidence of one, rejected ones are recorded, unmarked ones wait.
    """
    kb = open_kb(no_commit)
    if alpha is not None or back:
        if (alpha is not None and back) or one_by_one or apply_ or approve or add or reject:
            raise UsageError("--triage and --set-aside decide nothing: name sources with them, and nothing else")
        return _aside(kb, alpha, sources)
    if one_by_one:
        if apply_ or approve or add or reject:
            raise UsageError("-p asks about each proposal: leave out --apply, --approve, --add and --reject")
        return _one_by_one(kb, Desk(kb, kb.reviewer(reviewer), sources, anyway), yes)
    if web or port or no_browser:
        if not web or one_by_one or apply_ or approve or add or reject:
            raise UsageError("--port and --no-browser belong to --web, which is given SOURCE and nothing else")
        from codex_kb.cli.page import page  # noqa: PLC0415

        return page(kb, kb.reviewer(reviewer), sources, anyway, port, open_=not no_browser)
    review = Review(kb, kb.reviewer(reviewer), anyway)
    if approve or add or reject:
        if apply_ or sources:
            raise UsageError("--approve, --add and --reject name proposals: leave out SOURCE and --apply")
        review.named(approve, {item.partition("=")[0]: item.partition("=")[2] for item in reject}, add)
    elif apply_:
        review.apply(sources)
    elif not review.selected(sources):
        say(_NOTHING)
    else:
        review.edit(sources, _opener(kb), _sure if yes else _agreed)
    return _report(review.result)


def _opener(kb: KnowledgeBase) -> Callable[[Path], int]:
    return editor.opener(editor.command(kb.repository.configured_editor() if kb.repository else ""))


def _one_by_one(kb: KnowledgeBase, desk: Desk, yes: bool) -> int:
    """Ask about each proposal in the terminal, a key each."""
    def edit(path: Path) -> int:
        return _opener(kb)(path)  # who edits nothing needs no editor

    try:
        with keys.opened() as pressed:
            session = Session(desk, pressed, Screen(), edit, sure=yes)
            if not session.names:
                say(_NOTHING)
                return 0
            done = session.run()
    except KeyboardInterrupt:
        say(f"\n{KEPT}")
        raise
    return _report(done) if done else 0


def _aside(kb: KnowledgeBase, alpha: float | None, sources: tuple[str, ...]) -> int:
    """Set aside at a limit, or without one bring back."""
    done = aside.bring_back(kb, sources) if alpha is None else aside.triage(kb, alpha, sources)
    how = "brought back" if alpha is None else "set aside"
    for each in done.proposals:
        say(f"{how}: {each.id}  {each.title}")
    say(f"{len(done.proposals)} {how}, {done.waiting} wait")
    if limit := done.threshold:
        say(f"with 90 % confidence at most {limit.limit:.1%} of what you would approve is below the score of "
            f"{limit.below:.2f}, from {counted(limit.approvals, 'approval')}")  # fmt: skip
    for fault in done.faults:
        fail(fault, as_json=False)
    say("next: codex review")
    return 1 if done.faults else 0


def _sure(line: str) -> bool:
    say(line)
    return True


def _agreed(line: str) -> bool:
    """Say what is about to be applied; on a terminal, ask."""
    say(line)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    return click.confirm("apply?", default=False, err=True)


def _report(done: Reviewed) -> int:
    for path in done.approved:
        say(f"approved: {path}")
    for path, kind in done.added:
        say(f"added as {kind}: {path}")
    for proposal_id, how in done.already:
        say(f"already {how}: {proposal_id}")
    for title, reason in done.rejected:
        say(f"rejected as {reason}: {title}")
    for title, verdict in done.again:
        say(f"{verdict}, as it was asked before: {title}")
    if done.removed:
        say(f"sections deleted: {len(done.removed)}, recorded as rejected, reason removed")
    for path in done.done:
        say(f"all decided: {path}")
    for path in done.look_again:
        say(f"look again at: {path} (it depends on a claim that is challenged now)")
    for fault in done.faults:
        fail(fault, as_json=False)
    added = f" {len(done.added)} added," if done.added else ""
    say(f"{len(done.approved)} approved,{added} {len(done.rejected)} rejected, {done.waiting} wait")
    if done.waiting:
        say("next: codex review")
    elif done.approved or done.added:
        say('next: codex search "…"')
    return max((fault.exit_code for fault in done.faults), default=0)
