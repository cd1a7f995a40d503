"""What an audit's page draws: a chart of what is known, or the same in a sentence where that is too little for one."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from codex_kb.text.leaving import without

if TYPE_CHECKING:
    from codex_kb.learn.audit import Estimate
    from codex_kb.workflow.audit import Account, Audit

#: Colours that matplotlib is given, and what stands for them in the page, where light and dark differ.
_COLOURS = {"#010203": "var(--ink)", "#040506": "var(--pale)", "#070809": "var(--one)", "#0a0b0c": "var(--two)"}
_INK, _PALE, _ONE, _TWO = _COLOURS
#: So few points are said, not drawn.
_FEW = 2
#: Characters of a name below a chart.
_NAME = 20

#: What a point is called, and its value as text.
Said = tuple[str, str]
Draw = Callable[[Any], None]


def number(figure: Estimate) -> str:
    """A figure with its interval, where one is known."""
    value = "–" if figure.value is None else f"{figure.value:.2f}"
    return value if figure.low is None or figure.high is None else f"{value} ({figure.low:.2f}, {figure.high:.2f})"


def text(some: str) -> str:
    """Text that is no markup."""
    return html.escape(without(some))


def paragraph(some: str) -> str:
    """A paragraph of text."""
    return f"<p>{text(some)}</p>"


def over_time(accounts: Sequence[Account]) -> str:
    """What each generation's first ten are worth."""
    known = [(_short(a), a.figures.precision) for a in accounts if a.figures.precision.value is not None]
    return _named("over-time", "Share of the first ten that is approved, by generation", known, _ONE,
                  "approved of the first ten", "generation")  # fmt: skip


def found(accounts: Sequence[Account]) -> str:
    """What each generation's first five of ten miss."""
    known = [(_short(a), a.figures.missed) for a in accounts if a.figures.missed.value is not None]
    return _named("found", "Share of approvals that the first five of ten miss, by generation", known, _TWO,
                  "approvals missed", "generation")  # fmt: skip


def calibration(accounts: Sequence[Account]) -> str:
    """Chances beside what came of them, of the newest two generations that tell chances."""
    known = [a for a in accounts if a.reliability][-2:]
    said = [(f"of chances about {chance:.2f} of generation {a.number}", number(estimate))
            for a in known for chance, estimate in a.reliability]  # fmt: skip

    def draw(axes: Any) -> None:
        """Points beside the diagonal, on which chances are true."""
        axes.plot([0, 1], [0, 1], color=_PALE, linewidth=1)
        for account, colour in zip(known, (_TWO, _ONE)[-len(known) :], strict=True):
            chances = [chance for chance, _ in account.reliability]
            _bars(axes, chances, [estimate for _, estimate in account.reliability], colour, _told(account))
        _legend(axes)
        axes.set_xlabel("chance that was told")
        axes.set_ylabel("share that was approved")

    return _picture("calibration", "Share that was approved, by the chance that was told", said, draw)


def drift(accounts: Sequence[Account]) -> str:
    """How far each generation's proposals lie from those before."""
    known = [(a, a.drift.proposals) for a in accounts if a.drift and a.drift.proposals]
    said = [(f"generation {_short(a)}", f"{drift.distance:.3f}") for a, drift in known]

    def draw(axes: Any) -> None:
        """A bar each, in another colour where it is more than chance."""
        colours = [_TWO if drift.drifted else _ONE for _, drift in known]
        axes.bar([_short(a) for a, _ in known], [drift.distance for _, drift in known], 0.5, color=colours)
        axes.set_ylabel("distance from before")
        axes.set_xlabel("generation")

    return _picture("drift", "Drift of proposals from the generation before", said, draw)


def recalls(now: Audit) -> list[tuple[str, Estimate]]:
    """What is known of what is found alone, by proposals, and by both."""
    shares = (("alone", now.effort.alone), ("by proposals", now.effort.proposals), ("by both", now.effort.both))
    return [(name, each) for name, each in shares if each.value is not None]


def effort(now: Audit) -> str:
    """What is found alone, by proposals, and by both."""
    return _named("effort", "Share of known claims that is found", recalls(now), _ONE, "found", "")


def specialists(accounts: Sequence[Account]) -> str:
    """The newest specialists beside the general order."""
    last = next((a for a in reversed(accounts) if a.specialists), None)
    known = [(name, each) for name, each in (last.specialists.items() if last else ()) if each.gain.of]
    said = [(f"{whose} of {name}", number(figure)) for name, each in known
            for whose, figure in (("specialist", each.own), ("general", each.general))]  # fmt: skip

    def draw(axes: Any) -> None:
        """Two points a specialist, side by side."""
        for shift, colour, label in ((-0.1, _ONE, "specialist"), (0.1, _TWO, "general")):
            values = [each.own if label == "specialist" else each.general for _, each in known]
            _bars(axes, [at + shift for at in range(len(known))], values, colour, label)
        _ticks(axes, [name for name, _ in known])
        _legend(axes)
        axes.set_ylabel("AUC within a source")

    return _picture("specialists", "AUC of the newest specialists and of the general order", said, draw)


def agreement(now: Audit) -> str:
    """How often each reviewer answers the same when asked again."""
    from codex_kb.learn.audit import Estimate  # noqa: PLC0415

    known = [
        (each.name.partition(" <")[0], Estimate(each.repeats.agreement, *each.repeats.agreement_between))
        for each in now.people.reviewers if each.repeats.asked
    ]  # fmt: skip
    return _named("agreement", "How often reviewers answer the same when asked again", known, _ONE,
                  "came out the same", "reviewer")  # fmt: skip


def _short(account: Account) -> str:
    return str(account.number)


def _told(account: Account) -> str:
    return f"generation {account.number}"


def _named(
    name: str, told: str, known: Sequence[tuple[str, Estimate]], colour: str, label: str, below: str
) -> str:  # fmt: skip
    """Figures with their intervals at named places."""
    said = [(f"{below} {place}" if below else place, number(each)) for place, each in known]

    def draw(axes: Any) -> None:
        """A point each, with its interval."""
        _bars(axes, range(len(known)), [each for _, each in known], colour, "")
        _ticks(axes, [place for place, _ in known])
        axes.set_ylabel(label)
        axes.set_xlabel(below)

    return _picture(name, told, said, draw)


def _ticks(axes: Any, names: Sequence[str]) -> None:
    """Names below the places 0, 1, …, cut where they are long."""
    shown = [name if len(name) <= _NAME else f"{name[:_NAME - 1]}…" for name in map(without, names)]
    axes.set_xticks(range(len(names)), shown)
    axes.set_xlim(-0.5, len(names) - 0.5)


def _legend(axes: Any) -> None:
    """Above the chart, where no point can be."""
    axes.legend(frameon=False, labelcolor=_INK, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)


def _bars(axes: Any, at: Sequence[float], values: Sequence[Estimate], colour: str, label: str) -> None:
    """Points between 0 and 1 with their intervals; those on the edge are drawn whole."""
    for x, each in zip(at, values, strict=True):
        if each.low is not None and each.high is not None:
            axes.vlines(x, each.low, each.high, color=colour, linewidth=1.5)
    axes.plot(at, [each.value for each in values], "o", color=colour, label=label, clip_on=False, zorder=3)
    axes.set_ylim(0, 1)


def _picture(name: str, told: str, said: Sequence[Said], draw: Draw) -> str:
    """A figure in the page's colours; a sentence where there are few points, nothing where there are none."""
    if not said:
        return ""
    if len(said) <= _FEW:
        return paragraph(f"{told}: {'; '.join(f'{place} {value}' for place, value in said)}.")
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
    return f"<figure>{_of_page(name, told, made.getvalue())}</figure>"


def _of_page(name: str, told: str, svg: str) -> str:
    """An SVG as a part of a page that holds several: ids of its own, the page's colours, and what it shows in words."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    for given, meant in _COLOURS.items():
        svg = svg.replace(given, meant)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{text(told)}" ', 1)
