"""codex audit"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from codex_kb import views
from codex_kb.cli.common import global_options, json_option, open_kb, out, out_json, say
from codex_kb.cli.pictures import number
from codex_kb.text.marks import counted
from codex_kb.workflow import audit

if TYPE_CHECKING:
    from codex_kb.learn.audit import Estimate, Figures
    from codex_kb.learn.effort import Effort
    from codex_kb.learn.reviewers import Pair, Reviewer
    from codex_kb.workflow.audit import Account, Audit


@click.command("audit")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write it as a page with pictures too.")
@click.option("--effort", is_flag=True, help="Say whether a person with proposals is better than alone, and no more.")
@json_option
@global_options
def command(html: Path | None, effort: bool, as_json: bool) -> None:
    """Say what each generation misses, with intervals, and what may be relied on."""
    kb = open_kb()
    now = audit.audit(kb)
    if html:
        from codex_kb.cli import report  # noqa: PLC0415 (draws pictures)

        audit.write(kb, html, report.MADE, report.page(now))
        say(f"written: {html}")
    if as_json:
        out_json(views.audit(now))
    elif effort or not html:
        for line in of_effort(now.effort) if effort else lines(now):
            out(line)


def lines(now: Audit) -> Iterator[str]:
    """The account, for a person."""
    if not now.decisions:
        yield "nothing is decided yet, so that nothing can be said of what is missed"
        yield f"next: codex {'' if now.waits else 'ingest inbox/, then codex '}review"
        return
    closed = len(now.accounts) - 1
    trial = f", {now.on_trial} on trial" if now.on_trial else ""
    yield (f"generation {now.in_force} is in force{trial}; {counted(closed, 'generation')} closed, "
           f"{counted(now.decisions, 'decision')} on record")  # fmt: skip
    yield ""
    yield now.guarantee.of_proposed
    yield now.guarantee.of_sources
    if both := now.guarantee.compounded:
        yield (f"Limits of {counted(both.generations, 'generation')} put together: at least {both.product:.2f} is "
               f"found by their product, {both.union:.2f} by their sum; true, and of little use.")  # fmt: skip
    for account in now.accounts:
        yield ""
        yield from _account(account)
    yield ""
    for each in now.people.reviewers:
        yield from _reviewer(each)
    for pair in now.people.pairs:
        yield from _pair(pair)
    yield from (f"{domain} {said}" for domain, said in now.people.turned)
    yield f"triage: {now.triage.why or 'codex review --triage 0.05 may set aside what is almost surely rejected'}"
    if not now.guarantee.whole:
        yield f"next: codex {'' if now.waits else 'ingest inbox/, then codex '}review; each decision tells more"


def _account(account: Account) -> Iterator[str]:
    taught = f", taught by {counted(account.trained_on, 'decision')}" if account.name else ", the untaught order"
    own = counted(account.figures.decisions, "decision")
    yield f"generation {account.number}{taught}: {own} that it was not trained on"
    yield from (f"  {line}" for line in _figures(account.figures))
    if account.certified.limit is not None:
        at_most, of = account.certified.limit, account.certified.of
        yield (f"  {'certified at its last look':<31} at most {at_most:.2f} missed, of {counted(of, 'approval')}, "
               "all shown blind")  # fmt: skip
    if account.before is not None and account.beside.of:
        name = f"beside generation {account.before}, AUC"
        yield f"  {name:<31} {number(account.beside)} of {counted(account.beside.of, 'source')}"
    for name, each in account.specialists.items():
        yield (f"  {f'specialist {name}, AUC':<31} {number(each.own)}, of the general order {number(each.general)}, "
               f"gain {number(each.gain)}, of {counted(each.gain.of, 'source')}")  # fmt: skip
    if account.gate.packets:
        gain, low = _signed(account.gate.gain), _signed(account.gate.low)
        yield f"  {'trial, packets by turns':<31} {account.gate.packets}, gain {gain}, at least {low}"
    if account.drift:
        yield from (f"  {line}" for line in drift(account))
    if len(account.domains) > 1:
        for name, figures in account.domains.items():
            yield f"  {name}: {counted(figures.decisions, 'decision')}"
            yield from (f"    {line}" for line in _figures(figures))


def _figures(found: Figures) -> Iterator[str]:
    """Only what is known."""
    how = "all shown blind" if found.blind else "shown with hints"
    named = (
        ("missed by the first five of ten", found.missed, f"of {counted(found.missed.of, 'approval')}, {how}"),
        ("approved of the first ten", found.precision, f"of {counted(found.precision.of, 'decision')}"),
        ("decisions per approved claim", found.effort, f"on average, over {counted(found.effort.of, 'decision')}"),
        ("place of approvals", found.place, f"on average, over {counted(found.place.of, 'approval')}"),
    )
    for name, figure, of in named:
        if figure.value is not None:
            yield f"{name:<31} {number(figure)} {of}"
    if found.added:
        yield f"{'claims that people added':<31} {found.added}"
    if found.beside:
        sure = "surely" if found.beside.shown else "not surely"
        yield (f"{'chances of approval':<31} {sure} better than the past rate (mean squared error "
               f"{found.beside.brier:.3f}, of the rate {found.beside.of_rate:.3f})")  # fmt: skip


def of_effort(found: Effort) -> Iterator[str]:
    """Whether a person with proposals is better than alone, and the figures behind it, only what is known."""
    yield found.text
    named = (
        ("found alone", found.alone, f"of {_known(found.alone)}"),
        ("found by proposals", found.proposals, f"of {_known(found.proposals)}"),
        ("found by both together", found.both, f"of {_known(found.both)}; the rest was mixed in, or added afterwards"),
        ("seconds a claim, alone", found.seconds_alone, f"over {counted(found.seconds_alone.of, 'claim')}"),
        ("seconds a claim, with proposals", found.seconds_proposed,
         f"over {counted(found.seconds_proposed.of, 'decision')}"),
    )  # fmt: skip
    for name, figure, of in named:
        if figure.value is not None:
            yield f"  {name:<31} {number(figure)} {of}"


def _known(figure: Estimate) -> str:
    return f"{counted(figure.of, 'claim')} known"


def drift(account: Account) -> Iterator[str]:
    """How far a generation is from the one before, only what is known."""
    assert account.drift
    for name, between in (("proposals", account.drift.proposals), ("approvals", account.drift.approvals)):
        if between:
            more = "drifted" if between.drifted else "no more than chance"
            yield f"{f'drift of {name}':<31} {between.distance:.3f} (p = {between.p:.3f}), {more}"
    if account.drift.answers is not None:
        yield f"{'drift of answers':<31} {account.drift.answers:+.2f} in the rate of approval"


def _reviewer(each: Reviewer) -> Iterator[str]:
    line = f"{each.name}: {counted(each.decisions, 'decision')}"
    if each.repeats.agreement is not None and each.repeats.error is not None:
        low, high = each.repeats.agreement_between
        line += (f"; of {each.repeats.asked} asked again {each.repeats.agreement:.2f} ({low:.2f}, {high:.2f}) came out "
                 f"the same, so that at least {each.repeats.error:.2f} ({each.repeats.error_between[0]:.2f}, "
                 f"{each.repeats.error_between[1]:.2f}) of answers are wrong")  # fmt: skip
    yield line
    yield from (f"  {flag}" for flag in each.flags)


def _pair(each: Pair) -> Iterator[str]:
    kappa = "not known" if each.between.kappa is None else f"{each.between.kappa:.2f}"
    yield f"{' and '.join(each.names)} met in {counted(each.between.asked, 'proposal')}: kappa {kappa}"
    yield from (f"  to talk about: {title} ({proposal})" for proposal, title in each.disagree)


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}"
