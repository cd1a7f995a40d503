"""codex distill"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from codex_kb import views
from codex_kb.cli.common import (
    engine_option,
    global_options,
    json_option,
    no_commit_option,
    open_kb,
    out,
    out_json,
    out_problems,
    say,
)  # fmt: skip
from codex_kb.errors import UsageError
from codex_kb.learn.stand import Stand
from codex_kb.text.leaving import shown
from codex_kb.text.marks import counted
from codex_kb.workflow import distill

if TYPE_CHECKING:
    from codex_kb.kb import KnowledgeBase
    from codex_kb.learn.halves import Compared, Difference, Half
    from codex_kb.workflow.suggest import Advised

_TAKE = "accept with: codex distill --suggest | git apply"
_TRIED = "half of the sources are then told `trying`; look here again once they are decided"


@click.command("distill")
@click.option("--full", is_flag=True, help="Embed every claim anew; with --check, compare every one.")
@click.option("--now", is_flag=True, help="Close a generation though little was decided since the last.")
@click.option("--rollback", type=click.IntRange(0), metavar="N", help="Go back to generation N; 0 is the untaught one.")
@click.option("--pin", type=click.IntRange(0), metavar="N", help="Hold generation N until a rollback.")
@click.option("--reviewer", metavar="NAME", help="Who says so; git's user where this is not given.")
@click.option("--check", "check_", is_flag=True, help="Prove, on a sample, that index and claims agree; write nothing.")
@click.option("--suggest", is_flag=True, help="Instructions for agents from reasons, as a diff; write nothing.")
@engine_option
@no_commit_option
@json_option
@global_options
def command(
    full: bool, now: bool, rollback: int | None, pin: int | None, reviewer: str | None, check_: bool, suggest: bool,
    engine: str | None, no_commit: bool, as_json: bool,
) -> int:  # fmt: skip
    """Bring the index in line with the claims, and a generation with the decisions."""
    chosen = [rollback is not None, pin is not None, check_, suggest, now]
    if sum(chosen) > 1 or (full and any(chosen) and not check_):
        raise UsageError("--rollback, --pin, --check, --suggest and --now are apart from each other",
                         hint="one at a time; --full goes with --check or alone")  # fmt: skip
    kb = open_kb(no_commit)
    for number, held in ((rollback, False), (pin, True)):
        if number is not None:
            changed = distill.put(kb, number, held, kb.reviewer(reviewer))
            if as_json:
                out_json({"in_force": number})
            say(f"generation {number} is in force" + ("" if changed else " already: nothing to do"))
            return 0
    if suggest:
        return _suggest(kb, as_json)
    if check_:
        problems = distill.check(kb, full)
        out_problems(problems, as_json)
        say("index and claims disagree" if problems else "index and claims agree")
        return 1 if problems else 0
    done = distill.distill(kb, full, now, engine)
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


def _suggest(kb: KnowledgeBase, as_json: bool) -> int:
    """Print what is suggested: a diff with comments, which `git apply` and `patch` read over."""
    from codex_kb.workflow.suggest import suggest  # noqa: PLC0415 (distill alone is quicker)

    found = suggest(kb)
    if as_json:
        out_json(views.suggestions(found))
        return 0
    for line in found.diff.split("\n")[:-1]:  # a file of Windows keeps its line ends
        click.echo(shown(line.removesuffix("\r")) + "\r" * line.endswith("\r"))
    said = [line for each in found.agents for line in _advised(each)]
    for line in said:
        out(f"# {line}")
    if found.paste:
        out("# codex.toml is written so that it is not edited safely; put this into it:")
        out(found.paste.rstrip("\n"))
    if not said:
        say(f"nothing to suggest: {counted(found.reasons, 'decision')} with reasons")
    return 0


def _advised(each: Advised) -> Iterator[str]:
    if each.compared:
        yield from _compared(each.agent, each.compared)
    elif each.sentences:
        yield f"{each.agent or 'without an agent'}: {counted(each.reasons, 'rejection')} with a reason"
        for group in each.groups:
            if group.sentence in each.sentences:
                yield f"  {group.sentence}"
                yield f"    {group.count} of {counted(each.decisions, 'decision')}: {group.reason}"
                yield from (f"    such as: {title}" for title in group.titles)
        if each.agent:
            yield f"{_TAKE}; {_TRIED}" if each.setting == "trying" else _TAKE
        else:
            yield "an agent is needed to be told this: [agents.NAME] with their domains; docs/models.md tells more"


def _compared(agent: str, found: Compared) -> Iterator[str]:
    """Both halves, and what to do."""
    yield f"{agent}: new instructions on trial"
    yield f"  old  {_half(found.old)}"
    yield f"  new  {_half(found.new)}"
    yield f"  approvals a source, new less old  {_difference(found.a_source)}"
    yield f"  share approved, new less old      {_difference(found.share)}"
    advice = {
        "take over": f"take over: the new ones bring more approvals; {_TAKE}",
        "keep": f"keep the old ones: the new ones bring no more approvals; {_TAKE}",
        "wait": f"go on: about {counted(found.needed, 'source')} more to be decided until it can be said",
    }
    yield f"  {advice[found.advice]}"


def _half(half: Half) -> str:
    figures = f"{counted(half.sources, 'source')}, {half.approvals} of {counted(half.decided, 'decision')} approved"
    a_source = "" if half.a_source is None else f", {half.a_source:.2f} a source"
    return figures + a_source + ("" if half.share is None else f", share {half.share:.2f}")


def _difference(found: Difference) -> str:
    if found.value is None:
        return "not known"
    if found.between is None:
        return f"{found.value:+.2f}"
    low, high = found.between
    return f"{found.value:+.2f} (90 %: {low:+.2f}, {high:+.2f})"
