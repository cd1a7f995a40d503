"""Many questions in one process: the time from a question written to its answer read."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import peers, timing
from benchmarks.knowledge_base import CODEX
from codex_kb.index.opened import ClaimIndex
from codex_kb.index.vectors import APPROXIMATE_FROM

_QUESTIONS = 200
_WORDS = 10
_BUDGET = 60.0
#: Threads of the process asked before stop spinning within this time.
_REST = 0.02


def questions(root: Path) -> list[str]:
    """The first words of descriptions from all over the knowledge base, as plain text."""
    index = ClaimIndex(root / ".codex-kb/index")
    cards = [card for card in index.catalog.all_cards() if card.description]
    index.close()
    chosen = cards[:: max(1, len(cards) // _QUESTIONS)][:_QUESTIONS]
    return [" ".join(card.description.replace("{", "").split()[:_WORDS]) for card in chosen]


def measure(root: Path, folder: Path) -> dict[str, Any]:
    """Seconds a question of `codex search --batch -` and of its peers, asked in turn."""
    env = peers.environment(folder)
    commands = {"codex": [str(CODEX), "search", "--batch", "-"], **peers.batches(folder)}
    workers = {name: timing.Worker(command, root, env) for name, command in commands.items()}
    asked = questions(root)

    def ask(name: str, number: int) -> float:
        seconds, answer = workers[name].ask(asked[number])
        if not (answer["hits"] if name == "codex" else answer):
            raise SystemExit(f"{name} found nothing for {asked[number]}")
        time.sleep(_REST)
        return seconds

    for name in workers:
        for number in range(3):
            ask(name, number)
    tools = {name: (lambda number, name=name: ask(name, number)) for name in workers}
    times = timing.in_turn(tools, len(asked), _BUDGET)
    for worker in workers.values():
        worker.close()
    found = timing.compared(times)
    timing.show(found, 1000, "ms", 1)
    for name, values in times.items():
        found[name]["p95"] = float(np.nanpercentile(values, 95))
        print(f"  {name:28} p95 {found[name]['p95'] * 1000:.1f} ms")
    return found


def approximate(root: Path, warm: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the approximate index finds of what an exact search finds, as it was measured when it was made."""
    index = ClaimIndex(root / ".codex-kb/index")
    meta = dict(index.meta)
    index.close()
    if not meta.get("near"):
        print(f"  skipped: the search is exact below {APPROXIMATE_FROM} claims")
        return None
    found = {"recall": meta["recall"], "probes": meta["probes"], "claims": meta["claims"]}
    if warm:
        found["warm_p50"] = warm["codex"]["seconds"]["median"]
        print(f"  warm query {found['warm_p50'] * 1000:.1f} ms")
    print(f"  recall@10 against exact {found['recall']:.4f} with {found['probes']} lists probed")
    return found
