"""Is a person with proposals better than alone? Told by sources that were read without them first.

What is known of a source is what was approved of it: claims added alone, proposals, and what neither found (sentences
that were mixed in, claims added afterwards). What nobody met is not known, so that shares are of what is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from codex_kb.learn.audit import Estimate, mean, ratio
from codex_kb.learn.limits import LEAST_SOURCES
from codex_kb.records import Decision

#: Do two decisions of one source speak of the same claim?
Same = Callable[[Decision, Decision], bool]


@dataclass(frozen=True)
class Effort:
    """What is found of what is known of sources that were read alone, and what a claim takes.

    `read` counts such sources, `sources` those of which something is known, `generations` are the numbers of those
    that proposed. `alone`, `proposals` and `both` are shares of the claims known, `gain` is that of both beyond
    alone; `seconds_alone` are those of a claim added alone, `seconds_proposed` those of all decisions about proposals
    for each one that was wanted. `setting` is `[review] alone` as it is now.
    """

    read: int = 0
    sources: int = 0
    generations: tuple[int, ...] = ()
    alone: Estimate = field(default_factory=Estimate)
    proposals: Estimate = field(default_factory=Estimate)
    both: Estimate = field(default_factory=Estimate)
    gain: Estimate = field(default_factory=Estimate)
    seconds_alone: Estimate = field(default_factory=Estimate)
    seconds_proposed: Estimate = field(default_factory=Estimate)
    setting: int = 0

    @property
    def needed(self) -> int:
        """How many sources are missing until it can be said."""
        return max(0, LEAST_SOURCES - self.sources)

    @property
    def text(self) -> str:
        """The answer in a plain sentence, or what is missing."""
        if self.needed:
            gets = f"gets {self.setting} a generation" if self.setting else "is 0, and gets none"
            return (
                f"Whether a person with proposals is better than alone cannot be said yet: it takes {LEAST_SOURCES} "
                f"sources that were read alone first, are decided and hold a claim: {self.sources} so far, "
                f"{self.needed} to go; [review] alone in codex.toml {gets}."
            )
        gain, of = self.gain, f"of the {self.gain.of} claims known of {self.sources} sources that were read alone first"
        if gain.value:
            is_better = "may be" if gain.low == 0 else "is"  # all alike, they have no interval
            between = "" if gain.low is None or gain.high is None else f" ({gain.low:.2f}, {gain.high:.2f})"
            return (
                f"A person with proposals {is_better} better than alone: both together find {gain.value:.2f}{between} "
                f"more {of}."
            )
        return f"A person with proposals is no better than alone: proposals add nothing to what was found {of}."


@dataclass(frozen=True)
class _Source:
    """One source: for each claim known of it whether it was found `alone` and by `proposals`; seconds with what for."""

    known: Sequence[tuple[bool, bool]]
    added: Sequence[float]
    decided: Sequence[tuple[float, bool]]


def effort(decisions: Iterable[Decision], same: Same, setting: int = 0) -> Effort:
    """What these decisions tell; those of sources that were not read alone, and repeats, are left out.

    About one id the last line counts, of a claim that was added and of a proposal each: who types the very words of a
    proposal that is not shown yet gives the claim its id.
    """
    lines: dict[str, dict[tuple[str, bool], Decision]] = defaultdict(dict)
    for each in decisions:
        if not each.shown.get("repeat_of"):
            lines[each.source][each.id, each.missed] = each
    read = {source: list(some.values()) for source, some in sorted(lines.items()) if any(map(_alone, some.values()))}
    sources = {source: _source(some, same) for source, some in read.items()}
    known = [(source, *found) for source, each in sources.items() for found in each.known]
    return Effort(
        len(read), sum(bool(each.known) for each in sources.values()),
        tuple(sorted({each.generation for some in read.values() for each in some if _alone(each)})),
        mean([(source, float(alone)) for source, alone, _ in known]),
        mean([(source, float(proposed)) for source, _, proposed in known]),
        mean([(source, float(alone or proposed)) for source, alone, proposed in known]),
        mean([(source, float(proposed and not alone)) for source, alone, proposed in known]),
        mean([(source, seconds) for source, each in sources.items() for seconds in each.added]),
        ratio([(source, (seconds, float(wanted))) for source, each in sources.items()
               for seconds, wanted in each.decided]),
        setting,
    )  # fmt: skip


def _alone(each: Decision) -> bool:
    return bool(each.shown.get("alone"))


def _source(some: Sequence[Decision], same: Same) -> _Source:
    approved = [each for each in some if each.verdict == "approved"]
    added = [each for each in approved if each.missed and _alone(each)]
    proposed = [each for each in some if not each.missed and _alone(each) and not each.shown.get("explored")]
    again = [any(same(claim, each) for claim in added) for each in proposed]
    found = [(True, any(same(claim, each) for each in proposed)) for claim in added]
    chosen = {id(each) for each in proposed}
    found += [(False, id(each) in chosen) for each in approved
              if not (each.missed and _alone(each)) and not any(same(claim, each) for claim in added)]  # fmt: skip
    decided = [(each.seconds, each.verdict == "approved" or known)
               for each, known in zip(proposed, again, strict=True) if each.seconds is not None]  # fmt: skip
    return _Source(found, [each.seconds for each in added if each.seconds is not None], decided)
