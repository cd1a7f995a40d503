"""Small knowledge bases to be killed in: packets that wait, new sources, a claim to distill, files of the user's."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
CODEX = Path(sys.executable).with_name("codex")
_SECONDS = 120
_HEAD = """---
type: source
title: {0}
author: Ann Archer
url: https://example.org/{0}
date: 2026-03-01
domain: economics
status: unprocessed
---

{1}
"""
_WAITING = {
    "harbours": ("Wide boats turn slowly in narrow harbours because their long keels resist the water.",
                 "A survey of 40 ports shows that narrow boats save 12 percent of their fuel in winter storms.",
                 "Harbour taxes reward narrow boats because berths are priced by the width of the hull."),
    "markets": ("Prediction markets aggregate dispersed information more accurately than committees of experts do.",
                "Thin markets misprice rare events because few traders stake money on what seldom happens.",
                "Subsidies to market makers improve forecasts because they pay for the news of informed traders."),
    "cities": ("Large cities raise the productivity of workers because firms and people learn from one another.",
               "Rents in cities rise faster than wages because zoning limits the supply of new homes."),
}  # fmt: skip
_NEW = {
    "schools": ("Cash transfers increase school attendance among poor households by 12 percent in randomized trials.",
                "Small classes help young pupils because teachers notice sooner who falls behind."),
    "forests": ("Mixed forests survive droughts better than plantations because their roots reach different depths.",
                "Fires spread faster in plantations because trees of one age burn at the same height."),
}  # fmt: skip
_CLAIM = """---
type: claim
domain: economics
description: Written by hand
confidence: likely
source: a test
created: 2026-01-01
---

# Canals lower the price of grain because a boat carries what forty carts do
"""
#: The hooks that may be killed in. The last of them are run by git while it holds locks.
_HOOKS = ("pre-commit", "prepare-commit-msg", "post-commit", "post-checkout", "reference-transaction",
          "post-index-change")  # fmt: skip


class Scenario(NamedTuple):
    """A command in a state that a knowledge base may be in."""

    command: str
    #: Does `[git] branch` name another branch?
    branch: bool
    #: Has the user staged a file of their own?
    staged: bool
    #: Do the hooks take their time?
    slow: bool

    def __str__(self) -> str:
        told = (("branch", self.branch), ("staged", self.staged), ("slow hooks", self.slow))
        return ", ".join([self.command, *(name for name, so in told if so)])


COMMANDS = ("ingest", "approve", "reject", "apply", "distill")
SCENARIOS = [Scenario(*each) for each in itertools.product(COMMANDS, *[(False, True)] * 3)]


class Templates:
    """Knowledge bases that rounds are copies of, made when they are first asked for."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        home = scratch / "home"
        home.mkdir()
        (home / ".gitconfig").write_text("[user]\nname = Ada\nemail = ada@example.org\n[init]\ndefaultBranch = main\n")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "CODEX"))}
        self.environment = kept | {
            "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "XDG_STATE_HOME": str(home / "state"),
            "GIT_CONFIG_NOSYSTEM": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT / "pipeline"),
        }  # fmt: skip

    def copy(self, scenario: Scenario, root: Path) -> None:
        """A knowledge base of its own for one run."""
        made = self.scratch / f"template-{'branch' if scenario.branch else 'plain'}"
        if not made.exists():
            self._make(made, scenario.branch)
        shutil.copytree(made, root, symlinks=True)
        if scenario.staged:
            (root / "staged.txt").write_text("The user staged this.\n")
            self.git(root, "add", "staged.txt")
            (root / "staged.txt").write_text("The user staged this, and went on.\n")

    def arguments(self, scenario: Scenario, root: Path) -> list[str]:
        """The command line, after `codex`."""
        if scenario.command == "ingest":
            return ["ingest", "inbox"]
        if scenario.command == "apply":
            return ["review", "--apply"]
        if scenario.command == "distill":
            return ["distill"]
        record = json.loads((root / "inbox/proposals/harbours.json").read_text())
        ids = [proposal["id"] for proposal in record["proposals"]]
        if scenario.command == "approve":
            return ["review", "--approve", ids[0], "--approve", ids[1]]
        return ["review", *(word for each in ids for word in ("--reject", f"{each}=vague"))]

    def codex(self, root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run([str(CODEX), *arguments], cwd=root, env=self.environment, capture_output=True, text=True,
                              timeout=_SECONDS, check=False)  # fmt: skip

    def git(self, root: Path, *arguments: str) -> bytes:
        """Run git; what it prints."""
        return subprocess.run(["git", *arguments], cwd=root, env=self.environment, capture_output=True,
                              check=True).stdout  # fmt: skip

    def _make(self, root: Path, branch: bool) -> None:
        self._must(root.parent, "init", str(root))
        settings = root / "codex.toml"
        settings.write_text(settings.read_text() + '\n[git]\nbranch = "extract/{source}"\n' * branch)
        _write_sources(root, _WAITING)
        (root / "codex/economics").mkdir(parents=True, exist_ok=True)
        (root / "codex/economics/tar.md").write_text(re.sub("# .*", "# Tar is dear where forests burn", _CLAIM))
        (root / "todo.txt").write_text("Read more.\n")
        self.git(root, "add", "--all")
        self.git(root, "commit", "--quiet", "--message", "begin")
        self._must(root, "distill")
        self._must(root, "ingest", "inbox")
        _write_sources(root, {"schools": _NEW["schools"]})
        (root / "codex/economics/canals.md").write_text(_CLAIM)
        self.git(root, "add", "inbox/schools.md", "codex/economics")
        self.git(root, "commit", "--quiet", "--message", "more")
        # What is not committed: a new source, marks in packets, and files that are no business of ours.
        _write_sources(root, {"forests": _NEW["forests"]})
        _mark(root, "markets", "x-")
        _mark(root, "cities", "xx")
        (root / "todo.txt").write_text("Read more, write less.\n")
        (root / "draft.md").write_text("A draft.\n")
        for name in _HOOKS:
            hook = root / ".git/hooks" / name
            hook.write_text('#!/bin/sh\n[ -z "$KILLS" ] || . "$KILLS/hook"\n')
            hook.chmod(0o755)

    def _must(self, root: Path, *arguments: str) -> None:
        done = self.codex(root, *arguments)
        if done.returncode:
            raise SystemExit(f"codex {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")


def _write_sources(root: Path, sources: dict[str, Sequence[str]]) -> None:
    for name, sentences in sources.items():
        (root / f"inbox/{name}.md").write_text(_HEAD.format(name, "\n\n".join(sentences)))


def _mark(root: Path, name: str, marks: str) -> None:
    """Put marks into the first boxes of a packet."""
    packet = root / f"inbox/proposals/{name}.md"
    text = packet.read_text()
    for mark in marks:
        text = text.replace("## [ ]", f"## [{mark}]", 1)
    packet.write_text(text)
