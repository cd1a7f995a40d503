"""codex proposals"""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from codex_kb.cli.common import global_options, json_option, open_kb, out, out_json, say
from codex_kb.propose.drafts import ranked
from codex_kb.records import Proposal
from codex_kb.review import packet as packets
from codex_kb.workflow.proposals import proposals


@click.command("proposals")
@click.argument("sources", metavar="[SOURCE]...", nargs=-1)
@json_option
@global_options
def command(sources: tuple[str, ...], as_json: bool) -> None:
    """List what waits for review, best first within a source."""
    waiting = proposals(open_kb(), sources)
    if as_json:
        out_json([_value(proposal) for packet in waiting for proposal in ranked(packet.proposals)])
        return
    for packet in waiting:
        out(packet.source)
        for proposal in ranked(packet.proposals):
            hint = "" if proposal.relation == "new" else f" ({proposal.relation})"
            hint += " (a quote is not located)" if proposal.unlocated else ""
            out(f"  {proposal.id}  {proposal.title}{hint}")
        if not packet.proposals:
            out(f"  {packets.nothing_id(packet)}  {packets.NOTHING}")
    say("next: codex review" if waiting else "nothing waits for review")


def _value(proposal: Proposal) -> dict[str, Any]:
    value = dataclasses.asdict(proposal)
    value["evidence"] = [{name: e[name] for name in ("quote", "start", "end")} for e in value["evidence"]]
    return value
