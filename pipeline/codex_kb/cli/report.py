"""The page that `codex audit --html` makes: one file, with its pictures in it, for light, dark and paper."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from codex_kb.text.leaving import without
from codex_kb.text.marks import counted

if TYPE_CHECKING:
    from codex_kb.learn.audit import Estimate
    from codex_kb.workflow.audit import Account, Audit

#: How such a page begins: a file that does not is somebody's.
MADE = b"<!doctype html>\n<!-- made by codex audit -->\n"
#: Colours that matplotlib is given, and what stands for them in the page, where light and dark differ.
_COLOURS = {"#010203": "var(--ink)", "#040506": "var(--pale)", "#070809": "var(--one)", "#0a0b0c": "var(--two)"}
_INK, _PALE, _ONE, _TWO = _COLOURS
_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d1f21; --pale: #9a9fa5; --one: #1f5fa8; --two: #a8441f }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181a; --ink: #e4e6e8; --pale: #72777d; --one: #79b4f2; --two: #f0a07c }
}
@media print {
  :root { --paper: #fff; --ink: #000; --pale: #777; --one: #1f5fa8; --two: #a8441f }
  section { break-inside: avoid }
}
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; margin: 2em auto;
  max-width: 46em; padding: 0 1em }
.guarantee { border-left: .3em solid var(--one); font-size: 1.15em; padding-left: 1em }
figure { margin: 1em 0 } svg { height: auto; max-width: 100% }
div { overflow-x: auto } table { border-collapse: collapse; font-size: .9em; font-variant-numeric: tabular-nums }
th, td { border-bottom: 1px solid var(--pale); padding: .2em .8em .2em 0; text-align: left; vertical-align: top }
caption, figcaption, .note { color: var(--ink); font-size: .9em; text-align: left }
"""

Rows = Sequence[Sequence[str]]


def page(now: Audit) -> bytes:
    """The page: UTF-8, without scripts, loading nothing."""
    parts = [
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>Audit of generation {now.in_force}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>",
        f"<h1>Generation {now.in_force} is in force</h1>",
        f'<div class="guarantee" role="note" aria-label="The guarantee">{_paragraph(now.guarantee.of_proposed)}'
        f"{_paragraph(now.guarantee.of_sources)}</div>",
        _paragraph(_put_together(now)),
        *_sections(now),
        "</main>\n</body>\n</html>\n",
    ]
    return MADE + "\n".join(filter(None, parts)).encode()


def _put_together(now: Audit) -> str:
    closed = len(now.accounts) - 1
    said = f"{counted(now.decisions, 'decision')} on record; {counted(closed, 'generation')} closed."
    if both := now.guarantee.compounded:
        said += (f" The limits of {both.generations} generations put together leave {both.product:.2f} by their "
                 f"product and {both.union:.2f} by their sum: true, and of little use.")  # fmt: skip
    return said


def _sections(now: Audit) -> Iterable[str]:
    accounts = now.accounts
    yield _section("Generations over time", _over_time(accounts), ("generation", "decisions", "taught by",
                   "approved of the first ten", "decisions a claim", "claims people added"), [
        [_name(a), str(a.figures.decisions), str(a.trained_on), number(a.figures.precision), number(a.figures.effort),
         str(a.figures.added)] for a in accounts
    ], "Each generation by its own decisions, none of which it was trained on.")  # fmt: skip
    yield _section("What the first five of ten find", _found(accounts), ("generation", "domain", "approvals missed",
                   "of", "beside the generation before"), [
        [_name(a), name, number(f.missed), f"{f.missed.of}{' blind' if f.blind else ''}",
         number(a.beside) if name == "all" else ""]
        for a in accounts for name, f in {"all": a.figures, **a.domains}.items()
    ], "Bars are 90 % intervals: exact for blind decisions, by drawing sources again for others.")  # fmt: skip
    yield _section("Chances of approval", _calibration(accounts), ("generation", "Brier score", "of the past rate",
                   "are chances shown?"), [
        [_name(a), f"{b.brier:.3f}", f"{b.of_rate:.3f}", "yes" if b.shown else "no"]
        for a in accounts if (b := a.figures.beside)
    ], "A chance is shown to people only where it beats the past rate; less is better.")  # fmt: skip
    yield _section("Drift", _drift(accounts), ("generation", "proposals", "approvals", "rate of approval"), [
        [_name(a), *[f"{d.distance:.3f} (p = {d.p:.3f})" if d else "–" for d in (a.drift.proposals, a.drift.approvals)],
         "–" if a.drift.answers is None else f"{a.drift.answers:+.2f}"] for a in accounts if a.drift
    ], "Energy distance of titles from the generation before; below p = 0.01 it is more than chance.")  # fmt: skip
    yield _section("With proposals and alone", _effort(now), ("of sources that were read alone first", "share", "of"), [
        [name, number(each), f"{each.of} claims known"] for name, each in _recalls(now)
    ] + [
        [name, f"{number(each)} s a claim", f"{each.of} {what}"] for name, each, what in (
            ("seconds alone", now.effort.seconds_alone, "claims"),
            ("seconds with proposals", now.effort.seconds_proposed, "decisions"),
        ) if each.value is not None
    ], now.effort.text, "What nobody met is not known: both together find all but what was mixed in or added "
       "afterwards.", nothing=now.effort.text)  # fmt: skip
    yield _section("Specialists beside the general order", _specialists(accounts), ("generation", "specialist", "AUC",
                   "of the general order", "gain", "sources"), [
        [_name(a), name, number(each.own), number(each.general), number(each.gain), str(each.gain.of)]
        for a in accounts for name, each in a.specialists.items()
    ], "How often an approved proposal stands above a rejected one of its source; none was trained on.")  # fmt: skip
    yield _section("Reviewers", _agreement(now), ("reviewer", "decisions", "asked again", "came out the same",
                   "to be looked at"), [
        [each.name, str(each.decisions), str(each.repeats.asked),
         "–" if each.repeats.agreement is None else "{:.2f} ({:.2f}, {:.2f})".format(
             each.repeats.agreement, *each.repeats.agreement_between),
         "; ".join(each.flags)] for each in now.people.reviewers
    ], *(f"{domain} {said}." for domain, said in now.people.turned),
       *(f"{' and '.join(pair.names)} met in {pair.between.asked} proposals and disagree about "
         f"{len(pair.disagree)}: {'; '.join(title for _, title in pair.disagree) or 'none'}."
         for pair in now.people.pairs))  # fmt: skip


def _name(account: Account) -> str:
    return account.name or "0, untaught"


def number(figure: Estimate) -> str:
    """A figure with its interval, where one is known."""
    value = "–" if figure.value is None else f"{figure.value:.2f}"
    return value if figure.low is None or figure.high is None else f"{value} ({figure.low:.2f}, {figure.high:.2f})"


def _section(
    title: str, picture: str, head: Sequence[str], rows: Rows, *notes: str, nothing: str = "Nothing is known yet."
) -> str:  # fmt: skip
    """A picture, and below it the same in words; without rows it says that nothing is known."""
    if not rows:
        return f"<section>\n<h2>{_text(title)}</h2>\n{_paragraph(nothing)}\n</section>"
    heads = "".join(f'<th scope="col">{_text(each)}</th>' for each in head)
    lines = "".join(
        f'<tr><th scope="row">{_text(first)}</th>{"".join(f"<td>{_text(each)}</td>" for each in rest)}</tr>\n'
        for first, *rest in rows
    )
    shown = f"<figure>{picture}</figure>" if picture else ""
    return (f"<section>\n<h2>{_text(title)}</h2>\n{shown}\n<div><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n"
            f"{lines}</tbody>\n</table></div>\n{''.join(map(_paragraph, notes))}\n</section>")  # fmt: skip


def _paragraph(text: str) -> str:
    return f"<p>{_text(text)}</p>"


def _text(text: str) -> str:
    return html.escape(without(text))


# -- pictures ---------------------------------------------------------------------------------------


def _over_time(accounts: Sequence[Account]) -> str:
    known = [(_short(a), a.figures.precision) for a in accounts if a.figures.precision.value is not None]
    told = "Share of the first ten that is approved, by generation"
    return _picture("over-time", told, known, lambda axes: _named(axes, known, _ONE, "approved of the first ten"))


def _found(accounts: Sequence[Account]) -> str:
    known = [(_short(a), a.figures.missed) for a in accounts if a.figures.missed.value is not None]
    told = "Share of approvals that the first five of ten miss, by generation"
    return _picture("found", told, known, lambda axes: _named(axes, known, _TWO, "approvals missed"))


def _calibration(accounts: Sequence[Account]) -> str:
    known = [a for a in accounts if a.reliability]

    def draw(axes: Any) -> None:
        axes.plot([0, 1], [0, 1], color=_PALE, linewidth=1)
        for account, colour in zip(known[-2:], (_TWO, _ONE)[-len(known[-2:]) :], strict=True):
            chances = [chance for chance, _ in account.reliability]
            _bars(axes, chances, [estimate for _, estimate in account.reliability], colour, _name(account))
        axes.legend(frameon=False, labelcolor=_INK)
        axes.set_xlabel("chance that was told")
        axes.set_ylabel("share that was approved")

    return _picture("calibration", "Chances of approval beside the share that was approved", known, draw)


def _drift(accounts: Sequence[Account]) -> str:
    known = [(a, a.drift.proposals) for a in accounts if a.drift and a.drift.proposals]

    def draw(axes: Any) -> None:
        colours = [_TWO if drift.drifted else _ONE for _, drift in known]
        axes.bar([_short(a) for a, _ in known], [drift.distance for _, drift in known], 0.5, color=colours)
        axes.set_ylabel("distance from before")
        axes.set_xlabel("generation")

    return _picture("drift", "Drift of proposals from the generation before, by generation", known, draw)


def _recalls(now: Audit) -> list[tuple[str, Estimate]]:
    found = (("alone", now.effort.alone), ("by proposals", now.effort.proposals), ("by both", now.effort.both))
    return [(name, each) for name, each in found if each.value is not None]


def _effort(now: Audit) -> str:
    known = _recalls(now)
    told = "Share of known claims that are found alone, by proposals, and by both"
    return _picture("effort", told, known, lambda axes: _named(axes, known, _ONE, "found", ""))


def _specialists(accounts: Sequence[Account]) -> str:
    last = next((a for a in reversed(accounts) if a.specialists), None)
    known = [(name, each) for name, each in (last.specialists.items() if last else ()) if each.gain.of]

    def draw(axes: Any) -> None:
        for shift, colour, label in ((-0.1, _ONE, "specialist"), (0.1, _TWO, "general")):
            values = [each.own if label == "specialist" else each.general for _, each in known]
            _bars(axes, [at + shift for at in range(len(known))], values, colour, label)
        axes.set_xticks(range(len(known)), [without(name)[:24] for name, _ in known])
        axes.set_xlim(-0.5, len(known) - 0.5)
        axes.legend(frameon=False, labelcolor=_INK)
        axes.set_ylabel("AUC within a source")

    return _picture("specialists", "AUC of the newest specialists beside that of the general order", known, draw)


def _agreement(now: Audit) -> str:
    from codex_kb.learn.audit import Estimate  # noqa: PLC0415

    known = [
        (without(each.name.partition(" <")[0])[:24], Estimate(each.repeats.agreement, *each.repeats.agreement_between))
        for each in now.people.reviewers if each.repeats.asked
    ]  # fmt: skip
    told = "How often reviewers answer the same when asked again"
    return _picture("agreement", told, known, lambda axes: _named(axes, known, _ONE, "came out the same", "reviewer"))


def _short(account: Account) -> str:
    return str(account.number)


def _named(
    axes: Any, known: Sequence[tuple[str, Estimate]], colour: str, label: str, below: str = "generation"
) -> None:  # fmt: skip
    """Figures with their intervals at named places."""
    at = range(len(known))
    _bars(axes, at, [each for _, each in known], colour, "")
    axes.set_xticks(at, [name for name, _ in known])
    axes.set_xlim(-0.5, len(known) - 0.5)
    axes.set_ylabel(label)
    axes.set_xlabel(below)


def _bars(axes: Any, at: Sequence[float], values: Sequence[Estimate], colour: str, label: str) -> None:
    for x, each in zip(at, values, strict=True):
        if each.low is not None and each.high is not None:
            axes.vlines(x, each.low, each.high, color=colour, linewidth=1.5)
    axes.plot(at, [each.value for each in values], "o", color=colour, label=label)
    axes.set_ylim(0, 1)


def _picture(name: str, told: str, known: Sequence[object], draw: Callable[[Any], None]) -> str:
    """An SVG with colours of the page, and what it shows in words; empty where there is nothing to show."""
    if not known:
        return ""
    from matplotlib import rc_context  # noqa: PLC0415 (a heavy import)
    from matplotlib.figure import Figure  # noqa: PLC0415

    inked = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    settings: dict[Any, Any] = {
        "svg.fonttype": "none", "svg.hashsalt": name, "text.parse_math": False, "font.family": "sans-serif",
        "axes.spines.top": False, "axes.spines.right": False, **dict.fromkeys(inked, _INK),
    }  # fmt: skip
    with rc_context(settings):
        figure = Figure(figsize=(7, 2.8), layout="constrained")
        draw(figure.add_subplot())
        made = io.StringIO()
        figure.savefig(made, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = made.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)  # one page holds several
    for given, meant in _COLOURS.items():
        svg = svg.replace(given, meant)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{_text(told)}" ', 1)
