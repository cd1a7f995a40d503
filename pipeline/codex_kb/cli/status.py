"""codex status"""

from __future__ import annotations

import click

from codex_kb import views
from codex_kb.cli.common import global_options, json_option, open_kb, out, out_json
from codex_kb.text.ages import age
from codex_kb.text.marks import counted
from codex_kb.workflow.show import Status, status


@click.command("status")
@json_option
@global_options
def command(as_json: bool) -> None:
    """Say where everything stands, and what to do next."""
    now = status(open_kb())
    if as_json:
        out_json(views.status(now))
        return
    out(f"sources    {sum(now.sources.values())}: {', '.join(f'{n} {s}' for s, n in now.sources.items()) or 'none'}")
    wait = f"{now.proposals} wait{'s' * (now.proposals == 1)} in {counted(len(now.waiting), 'packet')}"
    old = f", the oldest for {age(now.oldest, now.time)}" if now.oldest else ""
    aside = f", {now.set_aside} set aside (codex review --set-aside brings them back)" if now.set_aside else ""
    out(f"proposals  {wait + old if now.waiting else 'none wait'}{aside}")
    out(f"claims     {now.claims}")
    doubles = now.claims - now.indexed if now.fresh else 0
    same = f" ({counted(doubles, 'claim')} of the same words as others)" if doubles > 0 else ""
    out(f"index      {'fresh' if now.fresh else 'stale'}, {now.indexed} entr{'y' if now.indexed == 1 else 'ies'}{same}")
    out(f"generation {_generation(now)}")
    out(f"problems   {now.problems}")
    for want in now.wants:
        out(f"trust      the settings want to {want}")
    for step in _next(now):
        out(f"next: {step}")


def _generation(now: Status) -> str:
    """Which one is in force, held or not, and which is tried beside it."""
    which = f"{now.generation} is in force" + ", pinned" * now.pinned
    if now.on_trial:
        return f"{which}, {now.on_trial} is on trial"
    if not now.newest:
        return f"{which}, the untaught order"
    return which if now.newest == now.generation else f"{which}, of {now.newest}"


def _next(now: Status) -> list[str]:
    steps = []
    if now.unfinished:
        steps.append("codex distill (finishes a run that was cut off)")
    if now.wants:
        steps.append("codex trust (the settings wait for your word)")
    if now.waiting:
        steps.append("codex review")
    if now.sources.get("unprocessed"):
        steps.append(f"codex ingest {now.inbox}/")
    if now.untaught >= now.every:
        steps.append(f"codex distill ({counted(now.untaught, 'decision')} make a generation)")
    elif not now.fresh:
        steps.append("codex distill")
    if now.problems:
        steps.append("codex check")
    if steps:
        return steps
    return ['codex search "…"'] if now.claims else [f"put sources into {now.inbox}/, then codex ingest {now.inbox}/"]
