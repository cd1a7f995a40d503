"""A question in a fresh process: wall time from start to end, and the memory that it took."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import peers, timing
from benchmarks.knowledge_base import CODEX

QUESTIONS = (
    "can weak supervisors oversee stronger models?",
    "what goes wrong when errors pile up?",
    "who pays for preventive medicine?",
    "why do prediction markets beat committees?",
    "how cheap can launches to orbit become?",
    "does debate help a judge to find the truth?",
    "what makes a reward model fail?",
    "are communities more creative than companies?",
    "how do agents coordinate without trust?",
    "what slows the adoption of new energy?",
    "do incentives change how people report evidence?",
    "is superhuman persuasion a risk?",
)
_BUDGET = 90.0
_MEMORY_RUNS = 5


def commands(root: Path, folder: Path, question: str) -> dict[str, list[str]]:
    """How each program is asked a question, codex first."""
    return {"codex": [str(CODEX), "search", question], **peers.commands(root, folder, question)}


def measure(root: Path, folder: Path, rounds: int) -> dict[str, Any]:
    """Wall seconds of `codex search` and of its peers, asked in turn."""
    env = peers.environment(folder)

    def asked(name: str, number: int) -> float:
        question = QUESTIONS[number % len(QUESTIONS)]
        seconds, printed = timing.run(commands(root, folder, question)[name], root, env)
        if not printed and not name.startswith(("import", "grep", "ripgrep", "qmd", "basic-memory")):
            raise SystemExit(f"{name} found nothing for {question}")
        return seconds

    names = commands(root, folder, QUESTIONS[0])
    tools = {name: (lambda number, name=name: asked(name, number)) for name in names}
    for tool in tools.values():  # files are in the page cache from here on
        tool(0)
    found = timing.compared(timing.in_turn(tools, rounds, _BUDGET))
    timing.show(found, 1000, "ms", 0)
    return found


def memory(root: Path, folder: Path) -> dict[str, Any]:
    """The most memory that a question took in any of some runs, MB."""
    env = peers.environment(folder)
    found = {}
    for name, command in commands(root, folder, QUESTIONS[0]).items():
        if name.startswith(("grep", "ripgrep")):
            continue
        runs = [timing.peak_memory(command, root, env) for _ in range(_MEMORY_RUNS if name == "codex" else 1)]
        found[name] = {kind: max(run[kind] for run in runs) for kind in runs[0]}
        print(f"  {name:28} {found[name]['RssAnon']:7.0f} MB anonymous, {found[name]['private']:7.0f} MB private, "
              f"{found[name]['VmHWM']:7.0f} MB resident")  # fmt: skip
    return found
