"""Fuzz the real program: `make fuzz`, `make fuzz CASES=20000 SEED=7`.

Prints a line a part. The first case that breaks what must hold is made smaller and printed, with exit code 1;
`--only PART --seed N --first NUMBER --cases 1` runs it again.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.fuzz.answers import Answers
from benchmarks.fuzz.case import Broken, Case, Ended, Part
from benchmarks.fuzz.fields import Fields
from benchmarks.fuzz.journals import Journals
from benchmarks.fuzz.packets import Packets

PARTS: dict[str, Callable[[Path], Part]] = {
    "frontmatter": Fields, "packets": Packets, "journals": Journals, "answers": Answers,
}  # fmt: skip
SEED = 1805
CASES = {"frontmatter": 2000, "packets": 2000, "journals": 100, "answers": 2000}


def main() -> int:
    """Run what is asked for; the exit code."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    options.add_argument("--seed", type=int, default=SEED)
    options.add_argument("--cases", type=int, help="of each part (2000; journals 100)")
    options.add_argument("--first", type=int, default=0, help="the number of the first case (0)")
    options.add_argument("--only", choices=PARTS)
    args = options.parse_args()
    for name in [args.only] if args.only else PARTS:
        numbers = range(args.first, args.first + (CASES[name] if args.cases is None else args.cases))
        with tempfile.TemporaryDirectory() as folder:
            said, holds = run(name, PARTS[name](Path(folder)), args.seed, numbers)
        print(said, flush=True)
        if not holds:
            return 1
    return 0


def run(name: str, part: Part, seed: int, numbers: range) -> tuple[str, bool]:
    """What came of these cases, for people, and whether all held."""
    held: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for number in numbers:
        case = part.make(random.Random(f"{seed} {name} {number}"))
        ended = _checked(part, case)
        if isinstance(ended, Broken):
            return _broken(name, part, case, ended, f"--only {name} --seed {seed} --first {number} --cases 1"), False
        if ended.refused:
            refused[ended.refused] += 1
        else:
            held[ended.held] += 1
    total = sum(refused.values())
    return (f"{name}: {len(numbers):,} cases; held: {_counts(held)}; refused: {total:,}"
            f"{f' ({_counts(refused)})' if total else ''}; broken: 0"), True  # fmt: skip


def _checked(part: Part, case: Case) -> Ended | Broken:
    try:
        return part.check(case)
    except Broken as broken:
        return broken
    except Exception as error:  # a fault of the program's, whichever
        return Broken(f"crash: {type(error).__name__} in {_place(error)}: {error}")


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"


def _broken(name: str, part: Part, case: Any, broken: Broken, again: str) -> str:
    """The case with as few of its lines as break the same."""
    kind = str(broken).split(":", maxsplit=1)[0]
    tries, size = 0, max(1, len(case.text) // 2)
    while size and tries < part.tries:
        at = 0
        while at < len(case.text) and tries < part.tries:
            tries += 1
            less = dataclasses.replace(case, text=case.text[:at] + case.text[at + size :])
            ended = _checked(part, less)
            if isinstance(ended, Broken) and str(ended).split(":", maxsplit=1)[0] == kind:
                case, broken = less, ended
            else:
                at += size
        size //= 2
    rest = {field.name: getattr(case, field.name) for field in dataclasses.fields(case) if field.name != "text"}
    return f"{name}: BROKEN: {broken}\nagain: {again}\ncase: {rest}\ntext: {case.text!r}\n{case.text}"


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{n:,} {what}" for what, n in counted.most_common()) or "0"


if __name__ == "__main__":
    sys.exit(main())
