"""A kill at any moment loses nothing.

    .venv/bin/python -m benchmarks.kills [--count 200] [--seed N] [--round N]

Each round starts a command that writes, in a small knowledge base of its own, and ends it by SIGKILL. Then it does what
a user would: the same command again, or `codex status` or `codex distill` before it, and what the program says. The end
must be that of a run which nothing stopped: files, commits, branches, what git says of the work tree, nothing left
behind. A round that is not like that is lost; its folder is kept, with the state right after the kill.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks.kills import state
from benchmarks.kills.killing import SLOW, SLOW_HOOKS, Kill, Killer, alive, ended
from benchmarks.kills.template import SCENARIOS, Scenario, Templates

_RANDOM = "at a random time"
_WRITES = ("update-index", "commit", "worktree")
_TRIES = 4
_LOCK = re.compile(r"'([^'\n]+\.lock)': File exists")
_COLUMNS = ("killed", "before", "during", "after", "recovered", "with a step", "lost")
_SHORT = 0.003
#: What may be told of the tries after the kill.
_THEN = ("again", "status", "distill", "killed again")


class Undisturbed(NamedTuple):
    """A run that nothing stopped: the states before and after, also after a `codex distill`; its points and seconds."""

    before: state.State
    after: state.State
    distilled: state.State
    trace: list[str]
    seconds: float
    changed: list[str]
    #: What `codex check` says after it: a claim that waits to be distilled, and notes.
    problems: str


@dataclass
class Counts:
    """What became of the rounds, by kill."""

    rows: dict[str, Counter[str]] = field(default_factory=dict)
    steps: Counter[str] = field(default_factory=Counter)

    def add(self, kill: str, *columns: str) -> None:
        """Count one round."""
        self.rows.setdefault(kill, Counter()).update(columns)

    def print(self) -> None:
        """A line a kill, and the sum."""
        print(f"{'':58}" + "".join(f"{name:>13}" for name in _COLUMNS))
        total = sum(self.rows.values(), Counter[str]())
        for name, row in [*sorted(self.rows.items()), ("all", total)]:
            print(f"{name:58}" + "".join(f"{row[column]:13}" for column in _COLUMNS))
        print("next steps that the program named: "
              + (", ".join(f"{step} {times}" for step, times in self.steps.items()) or "none"))  # fmt: skip

    @property
    def lost(self) -> int:
        """Rounds that did not end as they should."""
        return sum(row["lost"] for row in self.rows.values())


class Rounds:
    """Rounds in a scratch folder."""

    def __init__(self, scratch: Path, seed: int) -> None:
        self.scratch = scratch
        self.seed = seed
        self.templates = Templates(scratch)
        self.killer = Killer(self.templates, scratch)
        self.counts = Counts()
        self._known: dict[Scenario, Undisturbed] = {}

    def round(self, number: int) -> None:
        """One kill, and what comes after it; a run that ends before its kill is run again with another."""
        draw = random.Random(f"{self.seed} {number}")
        order = random.Random(f"{self.seed} {number // len(SCENARIOS)}").sample(SCENARIOS, len(SCENARIOS))
        scenario = order[number % len(SCENARIOS)]
        known = self.undisturbed(scenario)
        folder = self.scratch / f"round-{number}"
        while True:
            kill = _kill(draw, scenario, known)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            root = folder / "kb"
            self.templates.copy(scenario, root)
            arguments = self.templates.arguments(scenario, root)
            run = self.killer.run(root, arguments, scenario.slow, kill)
            if run.code == -signal.SIGKILL:
                break
        after = _After(self, scenario, kill, folder, arguments, run.group)
        after.go_on(draw, known)
        self.counts.add(kill.name, "killed", after.died, "lost" if after.faults else
                        "with a step" if after.steps else "recovered")  # fmt: skip
        self.counts.steps.update(after.steps)
        told = [f"round {number}, seed {self.seed}: {scenario}", f"{kill}", f"killed: codex {' '.join(arguments)}",
                *run.trace[-3:], *after.told, *after.faults]  # fmt: skip
        if after.faults:
            (folder / "report.txt").write_text("\n".join(told) + "\n")
            print("\n".join(line[:1000] for line in told), f"\nkept: {folder}", flush=True)
        else:
            shutil.rmtree(folder)

    def undisturbed(self, scenario: Scenario) -> Undisturbed:
        """What a scenario comes to when nothing stops it. Hooks that take their time change only its seconds."""
        quick = scenario._replace(slow=False)
        if quick not in self._known:
            folder = self.scratch / "undisturbed"
            root = folder / "kb"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            self.templates.copy(quick, root)
            before = state.of(self.templates, root)
            run = self.killer.run(root, self.templates.arguments(quick, root))
            after = state.of(self.templates, root)
            problems = self.templates.codex(root, "check").stdout
            self.templates.codex(root, "distill")
            sound = self.templates.codex(root, "check")
            if run.code or sound.returncode:
                raise SystemExit(f"{quick}: exit {run.code}\n{run.output}{sound.stdout}")
            self._known[quick] = Undisturbed(before, after, state.of(self.templates, root), run.trace, run.seconds,
                                             _changed(before, after), problems)  # fmt: skip
        known = self._known[quick]
        hooks = sum(point.endswith(SLOW_HOOKS) for point in known.trace)
        return known._replace(seconds=known.seconds + SLOW * scenario.slow * hooks)


def _changed(before: state.State, after: state.State) -> list[str]:
    first, last = before["files"], after["files"]
    assert isinstance(first, dict)
    assert isinstance(last, dict)
    return sorted(name for name in {*first, *last} if first.get(name) != last.get(name))


def _kill(draw: random.Random, scenario: Scenario, known: Undisturbed) -> Kill:
    """A kill by the clock, at a point of git's, or by a file."""
    alone = draw.random() < 0.3
    suffix = ", git goes on" if alone else ""
    how = draw.choices(("clock", "point", "file"), (35, 45, 20))[0]
    if how == "clock":
        return Kill(_RANDOM + suffix, after=draw.uniform(0, known.seconds), alone=alone)
    if how == "point":
        points: dict[str, list[int]] = {}
        for number, name in enumerate(known.trace, 1):
            points.setdefault(_group(name), []).append(number)
        name = draw.choice(sorted(points))
        return Kill(name + suffix, point=draw.choice(points[name]), alone=alone)
    head = "extract" if scenario.branch and scenario.command != "distill" else "main"
    watched = {
        "once the journal is there": (".codex-kb/journal.json", "there"),
        "once the journal is gone": (".codex-kb/journal.json", "gone"),
        "once a file is replaced": (draw.choice(known.changed), "other"),
        "once git holds its index.lock": (".git/index.lock", "there"),
        "once git has moved the branch": (f".git/refs/heads/{head}", "other"),
    }
    name = draw.choice(sorted(watched))
    return Kill(name + suffix, 0, draw.choice((0, draw.uniform(0, _SHORT))), *watched[name], alone)


def _group(point: str) -> str:
    """How a point is told of: git commands that only read are one."""
    when, what, name = point.split(" ", 2)
    return point if what == "hook" or name in _WRITES else f"{when} git reads"


class _After:
    """What a user does after a kill, and what comes of it."""

    def __init__(
        self, rounds: Rounds, scenario: Scenario, kill: Kill, folder: Path, arguments: list[str], group: int
    ) -> None:
        self._templates = rounds.templates
        self._killer = rounds.killer
        self._scenario = scenario
        self._kill = kill
        self._folder = folder
        self._root = folder / "kb"
        self._arguments = arguments
        self._group = group
        self.died = "during"
        self.told: list[str] = []
        self.steps: list[str] = []
        self.faults: list[str] = []

    def go_on(self, draw: random.Random, known: Undisturbed) -> None:
        """Run what comes next, and compare."""
        if not (self._kill.alone and draw.random() < 0.5):  # else the next command does not wait for git
            ended(self._group)
            shutil.copytree(self._root, self._folder / "killed", symlinks=True)
            now = state.of(self._templates, self._root)
            self.died = "before" if now == known.before else "after" if now == known.after else "during"
        then = draw.choice(_THEN)
        self.told.append(f"then: {then}")
        if then == "status":
            self._status()
        if then == "killed again":
            kill = Kill("", after=draw.uniform(0.2, 1) * known.seconds)
            self.told += [f"{kill}", *self._killer.run(self._root, self._arguments, False, kill).trace[-1:]]
        distilled = then == "distill"
        for arguments in ["distill"], self._arguments, ["distill"]:
            if (arguments == self._arguments or distilled) and not self._run(arguments):
                return
        ended(self._group)
        self._remove_locks()
        wanted = known.distilled if distilled else known.after
        self.faults += state.differences(wanted, state.of(self._templates, self._root), distilled)
        check = self._templates.codex(self._root, "check")
        if check.returncode if distilled else check.stdout != known.problems:
            self.faults.append(f"codex check: exit {check.returncode}\n{check.stdout}{check.stderr}")
        self._templates.git(self._root, "fsck")

    def _status(self) -> None:
        done = self._templates.codex(self._root, "status")
        self.told.append(done.stdout)
        if done.returncode or ((self._root / ".codex-kb/journal.json").exists() and "cut off" not in done.stdout):
            self.faults.append(f"status: exit {done.returncode}\n{done.stdout}{done.stderr}")

    def _run(self, arguments: list[str]) -> bool:
        """Run a command until it ends well, with what it names as the next step."""
        for _ in range(_TRIES):
            done = self._templates.codex(self._root, *arguments)
            self.told.append(f"codex {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
            if not done.returncode:
                return True
            step = self._step(done)
            if not step:
                break
            self.steps.append(step)
        self.faults.append(f"codex {' '.join(arguments)} did not end well")
        return False

    def _remove_locks(self) -> None:
        """What git left, and no command needed: the next one of git's that does will ask for it."""
        for lock in (self._root / ".git").rglob("*.lock"):
            if not lock.name.startswith("next-index-"):
                lock.unlink()
                self.steps.append(f"remove .git/{lock.relative_to(self._root / '.git')} when all is done")

    def _step(self, done: subprocess.CompletedProcess[str]) -> str:
        """Do what a failed command asks for; what that was, empty where it asks for nothing that a user can do."""
        if alive(self._group):
            ended(self._group)
            return "wait for git, run again"
        if found := _LOCK.search(done.stderr):
            Path(found[1]).unlink(missing_ok=True)
            return f"remove {re.sub('.*/.git/', '.git/', found[1])}"
        return ""


def main(arguments: Iterable[str] | None = None) -> int:
    """Print the counts; 1 where something was lost."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--count", type=int, default=200, help="kills")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--round", type=int, help="only the one of this number")
    args = options.parse_args(arguments and list(arguments))
    scratch = Path(tempfile.mkdtemp(prefix="codex-kills-"))
    rounds = Rounds(scratch, args.seed)
    for number in range(args.count) if args.round is None else [args.round]:
        rounds.round(number)
        if number % 20 == 19:
            print(f"{number + 1} rounds", file=sys.stderr, flush=True)
    rounds.counts.print()
    if rounds.counts.lost:
        print(f"kept: {scratch}; each lost round has a report.txt, and killed/, the state right after the kill")
        return 1
    shutil.rmtree(scratch)
    return 0


if __name__ == "__main__":
    sys.exit(main())
