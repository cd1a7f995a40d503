"""codex ingest"""

from __future__ import annotations

from collections import Counter

import click

from codex_kb import views
from codex_kb.cli.common import (
    Finite,
    engine_option,
    global_options,
    json_option,
    no_commit_option,
    open_kb,
    out_json,
    say,
    say_stopped,
)  # fmt: skip
from codex_kb.cli.debate import report
from codex_kb.propose.team import total
from codex_kb.records import Plan
from codex_kb.text.marks import counted
from codex_kb.workflow import debate as debates
from codex_kb.workflow.ingest import Ingest, Ingested

_REASONS = 8


@click.command("ingest")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--model", metavar="M", help="Proposer to use; else [propose] model, by default extractive.")
@click.option("--max-claims", metavar="K", type=click.IntRange(1), help="At most K claims from a source (10).")
@click.option("--limit", metavar="N", type=click.IntRange(0), help="Propose from at most N sources.")
@click.option("--again", is_flag=True, help="Propose anew from sources that were worked on before.")
@click.option("--jobs", metavar="N", type=click.IntRange(1), help="Ask a model N questions at a time (4).")
@click.option(
    "--budget", metavar="DOLLARS", type=Finite(0, min_open=True), help="Stop before models cost more."
)
@engine_option
@click.option("--debate", is_flag=True, help="Have two sides argue about each proposal.")
@click.option("--dry-run", is_flag=True, help="Read and report; call no model, write nothing.")
@no_commit_option
@json_option
@global_options
def command(
    paths: tuple[str, ...], model: str | None, max_claims: int | None, limit: int | None, again: bool,
    jobs: int | None, budget: float | None, engine: str | None, debate: bool, dry_run: bool, no_commit: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Read sources and propose claims from those that are unprocessed.

    PATH is a Markdown file or a folder. What is proposed waits in inbox/proposals/ for codex review.
    """
    kb = open_kb(no_commit)
    run = Ingest(kb, model, max_claims, again, jobs, budget, dry_run, engine)
    if debate and not run.team.asks:
        raise debates.no_language_model()
    done = run.run(paths, limit)
    debated = _debate(run, done) if debate else None
    if as_json:
        out_json(views.ingested(done))
    _report(done, dry_run)
    failed = report(debated) if debated else 0
    for error in (done.conflict, done.stopped):
        if error:
            return error.exit_code
    return failed or (1 if done.refused else 0)


def _debate(run: Ingest, done: Ingested) -> debates.Debated | None:
    """Debate what was proposed; in a dry run, add what that would take to the plan."""
    paths = [row.path for row in done.rows if row.status == "proposed"]
    if run.dry_run:
        done.plan = total([done.plan or Plan(), debates.plan(run.kb, run.team, paths, run.max_claims)])
        return None
    return debates.of_sources(run.kb, run.team, [] if done.stopped else paths)


def _report_faults(done: Ingested) -> None:
    """The files that were refused, and those whose frontmatter is not all that it should be."""
    for row in done.refused:
        say(f"{row.path}{f':{row.line}' if row.line else ''}: refused: {row.reason}")
        if row.hint:
            say(f"  → {row.hint}")
    for fault in done.faults[:_REASONS]:
        say(f"{fault.path}{f':{fault.line}' if fault.line else ''}: read as far as it goes: {fault.message}")
        if fault.hint:
            say(f"  → {fault.hint}")
    if len(done.faults) > _REASONS:
        say(f"and {len(done.faults) - _REASONS} more with faulty frontmatter: codex check lists them")


def _report(done: Ingested, dry_run: bool) -> None:
    _report_faults(done)
    rows = done.told
    counts = {s: sum(row.status == s for row in rows) for s in ("proposed", "unchanged", "skipped", "refused")}
    shown = ", ".join(f"{n} {'to propose from' if dry_run and s == 'proposed' else s}" for s, n in counts.items() if n)
    say(f"{counted(len(rows), 'file')}: {shown}" if rows else "no Markdown files here")
    reasons = Counter(f"{row.status}: {row.reason}" for row in rows if row.status in ("skipped", "unchanged"))
    for reason, count in reasons.most_common(_REASONS):
        say(f"  {count} {reason}")
    if len(reasons) > _REASONS:
        say(f"  and {len(reasons) - _REASONS} more reasons: --json lists each file with its own")
    if done.held:
        say(f"{counted(done.held, 'proposal')} held back, decided before; each packet lists its own, "
            "codex show SOURCE tells more")
    if done.plan and done.plan.calls:
        cost = "at an unknown price" if done.plan.cost is None else f"for about ${done.plan.cost:.2f}"
        say(f"would ask up to {counted(done.plan.calls, 'question')}, about {done.plan.input_tokens} tokens, {cost}")
    if done.spent.asked + done.spent.known:
        say(str(done.spent))
    if done.stopped:
        say_stopped(done.stopped)
    if dry_run and counts["proposed"]:
        say("next: the same without --dry-run")
    elif done.proposals or counts["proposed"]:
        say(f"{counted(done.proposals, 'proposal')}. next: codex review")
    elif counts["unchanged"]:
        say("nothing new; proposals wait. next: codex review")
