"""The page that `codex audit --html` makes: one file, with its pictures in it, for light, dark and paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from codex_kb.cli import pictures
from codex_kb.cli.pictures import number, paragraph, text
from codex_kb.text.marks import counted

if TYPE_CHECKING:
    from codex_kb.workflow.audit import Account, Audit

#: How such a page begins: a file that does not is somebody's.
MADE = b"<!doctype html>\n<!-- made by codex audit -->\n"
_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d1f21; --pale: #9a9fa5; --one: #1f5fa8; --two: #a8441f }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181a; --ink: #e4e6e8; --pale: #72777d; --one: #79b4f2; --two: #f0a07c }
}
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; margin: 2em auto;
  max-width: 46em; padding: 0 1em }
.guarantee { border-left: .3em solid var(--one); font-size: 1.15em; padding-left: 1em }
figure { margin: 1em 0 } svg { height: auto; max-width: 100% }
.table { overflow-x: auto } table { border-collapse: collapse; font-size: .9em; font-variant-numeric: tabular-nums }
th, td { border-bottom: 1px solid var(--pale); padding: .2em .8em .2em 0; text-align: left; vertical-align: top }
.whole { white-space: nowrap }
@media print {
  :root { color-scheme: light; --paper: #fff; --ink: #000; --pale: #777; --one: #1f5fa8; --two: #a8441f }
  body { font-size: 11pt; margin: 0; max-width: none; padding: 0 }
  h2 { break-after: avoid } figure, tr, .guarantee { break-inside: avoid } .table { overflow: visible }
}
"""

#: Characters of a cell that is not broken.
_WHOLE = 24

Rows = Sequence[Sequence[str]]


def page(now: Audit) -> bytes:
    """The page: UTF-8, without scripts, loading nothing."""
    parts = [
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>Audit of generation {now.in_force}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>",
        f"<h1>Generation {now.in_force} is in force</h1>",
        f'<div class="guarantee" role="note" aria-label="The guarantee">{paragraph(now.guarantee.of_proposed)}'
        f"{paragraph(now.guarantee.of_sources)}</div>",
        paragraph(_put_together(now)),
        *_sections(now),
        "</main>\n</body>\n</html>\n",
    ]
    return MADE + "\n".join(filter(None, parts)).encode()


def _put_together(now: Audit) -> str:
    closed = len(now.accounts) - 1
    trial = f"; generation {now.on_trial} is on trial" if now.on_trial else ""
    said = f"{counted(now.decisions, 'decision')} on record; {counted(closed, 'generation')} closed{trial}."
    if both := now.guarantee.compounded:
        said += (f" The limits of {counted(both.generations, 'generation')} put together leave {both.product:.2f} by "
                 f"their product and {both.union:.2f} by their sum: true, and of little use.")  # fmt: skip
    return said


def _sections(now: Audit) -> Iterable[str]:
    yield _over_time(now.accounts)
    yield _found(now.accounts)
    yield _chances(now.accounts)
    yield _drift(now.accounts)
    yield _effort(now)
    yield _specialists(now.accounts)
    yield _reviewers(now)


def _over_time(accounts: Sequence[Account]) -> str:
    head = ("generation", "decisions", "taught by", "approved of the first ten", "decisions a claim",
            "claims people added")  # fmt: skip
    rows = [
        [_name(a), str(a.figures.decisions), str(a.trained_on), number(a.figures.precision), number(a.figures.effort),
         str(a.figures.added)] for a in accounts
    ]  # fmt: skip
    return _section("Generations over time", pictures.over_time(accounts), head, rows,
                    "Each generation by its own decisions, none of which it was trained on.")  # fmt: skip


def _found(accounts: Sequence[Account]) -> str:
    head = ("generation", "domain", "approvals missed", "of", "beside the generation before")
    rows = [
        [_name(a), name, number(f.missed), f"{f.missed.of}{' blind' if f.blind else ''}",
         number(a.beside) if name == "all" else ""]
        for a in accounts for name, f in {"all": a.figures, **a.domains}.items()
    ]  # fmt: skip
    return _section("What the first five of ten miss", pictures.found(accounts), head, rows,
                    "Intervals are of 90 %: exact for blind decisions, by drawing sources again for "
                    "others.")  # fmt: skip


def _chances(accounts: Sequence[Account]) -> str:
    head = ("generation", "squared error of chances", "of the past rate", "are chances shown?")
    rows = [[_name(a), f"{b.brier:.3f}", f"{b.of_rate:.3f}", "yes" if b.shown else "no"]
            for a in accounts if (b := a.figures.beside)]  # fmt: skip
    return _section("Chances of approval", pictures.calibration(accounts), head, rows,
                    "How far chances are from what was decided, on average and squared (the Brier score): less is "
                    "better. People are shown a chance only where it surely beats the past rate.")  # fmt: skip


def _drift(accounts: Sequence[Account]) -> str:
    rows = [
        [_name(a), *[f"{d.distance:.3f} (p = {d.p:.3f})" if d else "–" for d in (a.drift.proposals, a.drift.approvals)],
         "–" if a.drift.answers is None else f"{a.drift.answers:+.2f}"] for a in accounts if a.drift
    ]  # fmt: skip
    return _section("Drift", pictures.drift(accounts), ("generation", "proposals", "approvals", "rate of approval"),
                    rows, "Energy distance of titles from the generation before; below p = 0.01 it is more than "
                    "chance, and drawn in the other colour.")  # fmt: skip


def _effort(now: Audit) -> str:
    found = now.effort
    seconds = (("seconds a claim, alone", found.seconds_alone, "claim"),
               ("seconds a claim, with proposals", found.seconds_proposed, "decision"))  # fmt: skip
    rows = [[name, number(each), f"{counted(each.of, 'claim')} known"] for name, each in pictures.recalls(now)]
    rows += [[name, number(each), counted(each.of, what)] for name, each, what in seconds if each.value is not None]
    return _section("With proposals and alone", pictures.effort(now),
                    ("of sources that were read alone first", "share or seconds", "of"), rows, found.text,
                    "What nobody met is not known: both together find all but what was mixed in or added afterwards.",
                    nothing=found.text)  # fmt: skip


def _specialists(accounts: Sequence[Account]) -> str:
    head = ("generation", "specialist", "AUC", "of the general order", "gain", "sources")
    rows = [
        [_name(a), name, number(each.own), number(each.general), number(each.gain), str(each.gain.of)]
        for a in accounts for name, each in a.specialists.items()
    ]  # fmt: skip
    return _section("Specialists beside the general order", pictures.specialists(accounts), head, rows,
                    "AUC: how often an approved proposal stands above a rejected one of its source, on decisions that "
                    "it was not trained on.")  # fmt: skip


def _reviewers(now: Audit) -> str:
    head = ("reviewer", "decisions", "asked again", "came out the same", "to be looked at")
    rows = [
        [each.name, str(each.decisions), str(each.repeats.asked),
         "–" if each.repeats.agreement is None else "{:.2f} ({:.2f}, {:.2f})".format(
             each.repeats.agreement, *each.repeats.agreement_between),
         "; ".join(each.flags)] for each in now.people.reviewers
    ]  # fmt: skip
    turned = (f"{domain} {said}." for domain, said in now.people.turned)
    met = (
        f"{' and '.join(pair.names)} met in {counted(pair.between.asked, 'proposal')} and disagree about "
        f"{len(pair.disagree)}: {'; '.join(title for _, title in pair.disagree) or 'none'}."
        for pair in now.people.pairs
    )
    return _section("Reviewers", pictures.agreement(now), head, rows, *turned, *met)


def _name(account: Account) -> str:
    return account.name or "0, untaught"


def _section(
    title: str, picture: str, head: Sequence[str], rows: Rows, *notes: str, nothing: str = "Nothing is known yet."
) -> str:  # fmt: skip
    """A picture, and below it the same in words; without rows it says that nothing is known."""
    if not rows:
        return f"<section>\n<h2>{text(title)}</h2>\n{paragraph(nothing)}\n</section>"
    heads = "".join(f'<th scope="col">{text(each)}</th>' for each in head)
    lines = "".join(
        f'<tr><th scope="row">{_cell(first)}</th>{"".join(f"<td>{_cell(each)}</td>" for each in rest)}</tr>\n'
        for first, *rest in rows
    )
    return (f'<section>\n<h2>{text(title)}</h2>\n{picture}\n<div class="table"><table>\n<thead><tr>{heads}</tr></thead>'
            f"\n<tbody>\n{lines}</tbody>\n</table></div>\n{''.join(map(paragraph, notes))}\n</section>")  # fmt: skip


def _cell(some: str) -> str:
    """What is short, as figures with their intervals and names of generations are, stands on one line."""
    return f'<span class="whole">{text(some)}</span>' if len(some) <= _WHOLE else text(some)
