"""codex show"""

from __future__ import annotations

import click

from codex_kb import views
from codex_kb.cli.common import complete_claim, global_options, here, highlighted, json_option, open_kb, out, out_json
from codex_kb.records import Claim, Decision, Proposal, Source
from codex_kb.review.decide import added_as
from codex_kb.review.standing import WITHDRAWN, standing
from codex_kb.text.marks import one_line
from codex_kb.workflow.show import Quote, Shown, show


@click.command("show")
@click.argument("name", metavar="ID|CLAIM|SOURCE", shell_complete=complete_claim)
@json_option
@global_options
def command(name: str, as_json: bool) -> None:
    """Show a proposal, a claim or a source with everything behind it.

    ID is a proposal's, CLAIM a path, a file's stem or a title, SOURCE a path or a file's stem.
    """
    found = show(open_kb(), name)
    if as_json:
        out_json(views.shown(found))
        return
    for part in (found.proposal, found.claim, found.source):
        if part is not None:
            _head(part)
    _held(found)
    _evidence(found)
    _history(found)


def _head(part: Proposal | Claim | Source) -> None:
    out(part.title)
    if isinstance(part, Source):
        out(f"{here(part.path)} · {part.status} · {part.domain or 'no domain'}")
        out(" · ".join(x for x in (part.author, part.date, part.url) if x))
        return
    if part.description:
        out(part.description)
    out(f"{part.domain}, {part.confidence}")
    out(f"proposal {part.id} from {part.source}" if isinstance(part, Proposal) else here(part.path))
    if isinstance(part, Proposal):
        _judged(part)
    if isinstance(part, Claim) and part.status:
        out(f"status: {part.status}")
    if isinstance(part, Claim) and part.fields.get("challenged_by"):
        out(f"challenged by: {part.fields['challenged_by']}")


def _judged(proposal: Proposal) -> None:
    """What is said of the proposal, and by both sides of its debate."""
    out(" ".join(x for x in (f"relation: {proposal.relation}", proposal.target) if x))
    if proposal.why:
        out(f"why: {one_line(proposal.why)}")
    for note in proposal.notes:
        out(f"please check: {one_line(note)}")
    for quote in proposal.unlocated:
        out(f"not located in the source: {one_line(quote)}")
    if proposal.debate:
        out("\nDebate:")
    for turn in proposal.debate:
        out(f"  {turn.side}: {one_line(turn.point)}")
        out(f"      “{one_line(turn.quote)}” · {turn.place or 'not located: the point is lost'}")


def _held(found: Shown) -> None:
    """Why a proposal waits though it was approved, and what to do."""
    for path in found.held:
        out(f"held: {here(path)} says nearly the same, so an approval waits")
    if found.held and found.proposal:
        out(f"  → codex review --add {found.proposal.id} adds it there; --approve {found.proposal.id} --anyway makes "
            "another claim")


def _evidence(found: Shown) -> None:
    for quote in found.quotes:
        out()
        _quote(quote)
    if found.nearest:
        out("\nNearest claims:")
        for hit in found.nearest:
            out(f"  {hit.score:.2f}  {hit.title} · {here(hit.path)}")


def _quote(quote: Quote) -> None:
    e = quote.evidence
    out(f"Quote from {e.source}, characters {e.start}-{e.end}:")
    if not quote.stands:
        out("(no longer stands in the source at its place)")
    before, text, after = (part.replace("\r\n", "\n") for part in (f"…{quote.before}", e.quote, f"{quote.after}…"))
    shown = highlighted(before + text + after, [(len(before), len(before + text))])
    for line in shown.split("\n"):
        click.echo(f"  | {line}")


def _history(found: Shown) -> None:
    if found.packet:
        for title, reason in found.packet.held:
            out(f"held back ({reason}): {title}")
        waiting = len(found.packet.proposals)
        out(f"\nProposed by {found.packet.proposer}, generation {found.packet.generation}; {waiting} wait")
    stands = standing(found.decisions)
    for d in found.decisions:
        over = "" if d.verdict == WITHDRAWN or stands.get(d.id) is d else " (no longer counts)"
        out(f"\n{d.time[:19]}Z  {_verdict(d)} by {d.reviewer}: {d.title}{over}")
        out(f"  proposal {d.id} by {d.proposer}, generation {d.generation}, from {d.source}")
        if d.verdict == "approved" and d.reason:
            out(f"  why: {one_line(d.reason)}")
        if d.proposal.get("title") != d.title:
            out(f"  proposed as: {d.proposal.get('title')}")


def _verdict(decision: Decision) -> str:
    if decision.verdict == "approved":
        how = added_as(decision)
        return f"added as {how}" if how else "missed before, and added" if decision.missed else "approved"
    reason = one_line(decision.reason)
    return f"rejected as {reason}" if decision.verdict == "rejected" else f"withdrawn{f' ({reason})' if reason else ''}"
