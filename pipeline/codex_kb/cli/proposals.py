"""codex proposals"""

from __future__ import annotations

import click

from codex_kb import views
from codex_kb.cli.common import complete_waiting, global_options, json_option, open_kb, out, out_json, say
from codex_kb.review import packet as packets
from codex_kb.text.ages import age
from codex_kb.workflow.proposals import proposals, set_aside


@click.command("proposals")
@click.argument("sources", metavar="[SOURCE]...", nargs=-1, shell_complete=complete_waiting)
@json_option
@global_options
def command(sources: tuple[str, ...], as_json: bool) -> None:
    """List what waits for review, best first within a source.

    Sources come in the order in which they are worth reading, where enough are done to tell.
    """
    kb = open_kb()
    waiting = proposals(kb, sources)
    if as_json:
        out_json(views.proposals(each for packet in waiting for each in packet.proposals))
        return
    for packet in waiting:
        old = age(packet.proposed, kb.now())
        out(f"{packet.source}{f' ({old})' if old else ''}")
        for proposal in packet.proposals:
            hint = "" if proposal.relation == "new" else f" ({proposal.relation})"
            hint += " (a quote is not located)" if proposal.unlocated else ""
            out(f"  {proposal.id}  {proposal.title}{hint}")
        if not packet.proposals:
            out(f"  {packets.nothing_id(packet)}  {packets.box(packet)}")
    for packet in set_aside(kb, sources):
        out(packet.source)
        for proposal in packet.proposals:
            out(f"  {proposal.id}  {proposal.title} (set aside: codex review --set-aside)")
    say("next: codex review" if waiting else "nothing waits for review")
