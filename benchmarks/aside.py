"""What does triage lose and save on a real corpus, in order of time?

    python -m benchmarks.aside [--alpha 0.05] [--every 3]

Reads the sources of ../shared/corpora with known answers; the first ten proposals of each are decided in order of date:
approved is what has cosine >= 0.6 with a claim that people accepted. From the moment when there are approvals enough,
what waits of each next source is set aside by what was decided before it (learned anew each `--every` sources). Prints
the share of approvals that were set aside and of decisions saved, with exact 90 % intervals.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.replay import group
from benchmarks.trials import read
from codex_kb.encoders import model
from codex_kb.learn import held_out, limits, triage


def main() -> None:
    """Print what was lost and saved."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--alpha", type=float, default=0.05)
    options.add_argument("--every", type=int, default=3)
    typed = options.parse_args()
    with TemporaryDirectory() as local:
        sources = read(model.load("", Path(local), lambda _: None))
    groups = [group(each, each.accepted, "") for each in sorted(sources, key=lambda one: Path(one.path).name)]
    found, made, judged, lost, wanted, saved = None, None, 0, 0, 0, 0
    for at, each in enumerate(groups):
        if at % typed.every == 0:
            scores = held_out.approved(groups[:at]) if at else None
            found = None if scores is None else triage.threshold(scores, typed.alpha)
            made = held_out.scorer(groups[:at]) if found else None
        if found is None or made is None:
            continue
        below = made.score(each.scores, each.plain, each.vectors) < found.below
        judged, wanted, saved = judged + len(below), wanted + int(each.approved.sum()), saved + int(below.sum())
        lost += int(np.sum(below & each.approved))
    low, high = limits.interval(lost, wanted)
    print(f"alpha {typed.alpha:g}: {lost} of {wanted} approvals set aside, {lost / max(1, wanted):.3f} "
          f"({low:.3f}, {high:.3f}); {saved} of {judged} decisions saved, {saved / max(1, judged):.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
