"""Bulk embedding: texts a second, codex beside sentence-transformers as it comes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import peers, timing
from benchmarks.knowledge_base import real_claims
from codex_kb.disk.store import as_claim
from codex_kb.index import entry
from codex_kb.text import markdown_file

_NAMES = ("codex", "sentence-transformers")
_TEXTS = 256


def texts() -> dict[str, list[str]]:
    """Sentences, which titles of claims are, and all that is embedded of claims."""
    claims = [as_claim(markdown_file.parse(data, name), name) for name, data in real_claims()]
    everything = [text for claim in claims for text in entry.texts_of(claim).all]
    return {
        "sentences": [claim.title for claim in claims][:_TEXTS],
        "claims": everything[:: max(1, len(everything) // _TEXTS)][:_TEXTS],
    }


def measure(scratch: Path, rounds: int) -> dict[str, Any]:
    """Seconds to embed the texts, in turn, and how far the vectors lie apart."""
    folder = scratch / "embed"
    folder.mkdir(parents=True, exist_ok=True)
    script = str(Path(__file__).resolve().parent / "peer/embed.py")
    workers = {name: timing.Worker([sys.executable, script, name, peers.model()]) for name in _NAMES}
    results = {}
    for kind, chosen in texts().items():
        (folder / f"{kind}.json").write_text(json.dumps(chosen))

        def embed(name: str, number: int, kind: str = kind) -> float:
            save = str(folder / f"{kind}-{name}.npy") if number == 0 else ""
            asked = json.dumps({"texts": str(folder / f"{kind}.json"), "save": save})
            return float(workers[name].ask(asked)[1])

        tools = {name: (lambda number, name=name, embed=embed: embed(name, number)) for name in _NAMES}
        times = timing.in_turn(tools, rounds, 120.0)
        found = timing.compared(times)
        for name in _NAMES:
            found[name]["texts_a_second"] = len(chosen) / found[name]["seconds"]["median"]
        one, other = (np.load(folder / f"{kind}-{name}.npy") for name in _NAMES)
        words = sum(len(text.split()) for text in chosen) / len(chosen)
        results[kind] = {"tools": found, "texts": len(chosen), "words_a_text": words,
                         "largest_difference": float(np.abs(one - other).max())}  # fmt: skip
        print(f"  {len(chosen)} {kind} of {words:.0f} words; largest difference of a coordinate "
              f"{results[kind]['largest_difference']:.1e}")  # fmt: skip
        timing.show(found)
        print("  texts a second: " + ", ".join(f"{name} {found[name]['texts_a_second']:.0f}" for name in _NAMES))
    for worker in workers.values():
        worker.close()
    return results
