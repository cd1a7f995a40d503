"""How long does a generation take to close? `codex distill` of many decisions, without the embedding of their titles.

    python -m benchmarks.learning [--decisions 300 10000]

Makes a knowledge base with so many decisions on record: ten of each source, a quarter approved, five domains, thirty
features of random values. Prints seconds of the processor and of the clock, of the embedding apart from the rest.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.knowledge_base import git
from codex_kb.apply import lessons
from codex_kb.kb import KnowledgeBase
from codex_kb.ports import Encoder
from codex_kb.propose.choice import Vectors

_A_SOURCE, _FEATURES, _DOMAINS = 10, 30, 5
_WORDS = ["towns", "harbours", "taxes", "boats", "winters", "masons", "pilots", "grain", "roads", "schools", "prices",
          "wages", "mills", "bridges", "forests", "wool", "letters", "maps", "clocks", "salt"]  # fmt: skip


def decisions(count: int) -> dict[str, str]:
    """Logs by their path."""
    rng = random.Random(count)
    logs: dict[str, list[str]] = {}
    for number in range(count):
        source = number // _A_SOURCE
        title = f"The {' '.join(rng.sample(_WORDS, 8))} of place {number} changed"
        approved = number % 4 == 0
        features = {"score": rng.gauss(0, 1), **{f"f{at}": rng.gauss(0, 1) for at in range(_FEATURES)}}
        logs.setdefault(f"codex/decisions/s{source}.jsonl", []).append(json.dumps({
            "id": f"{number:012x}", "time": "2026-01-01T00:00:00.000000+00:00", "reviewer": "A <a@example.org>",
            "verdict": "approved" if approved else "rejected", "reason": "" if approved else "trivial",
            "title": title, "proposal": {"title": title, "domain": f"domain {source % _DOMAINS}"}, "claim": None,
            "source": f"inbox/s{source}.md", "source_sha256": "0" * 64, "proposer": "extractive", "generation": 0,
            "shown": {}, "features": features,
        }))  # fmt: skip
    return {path: "\n".join(lines) + "\n" for path, lines in logs.items()}


class Timed:
    """An encoder that counts its own time."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder, self.name, self.dimension = encoder, encoder.name, encoder.dimension
        self.processor = self.clock = 0.0

    def encode(self, texts: list[str]) -> Vectors:
        """As the encoder does."""
        processor, clock = time.process_time(), time.perf_counter()
        found = self._encoder.encode(texts)
        self.processor += time.process_time() - processor
        self.clock += time.perf_counter() - clock
        return found


def main() -> None:
    """Print what each number of decisions takes."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--decisions", type=int, nargs="+", default=[300, 10_000])
    for count in options.parse_args().decisions:
        with TemporaryDirectory() as folder:
            root = Path(folder)
            git(root, "init", "--quiet")
            (root / "codex.toml").write_text("")
            for path, text in decisions(count).items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            kb = KnowledgeBase(root)
            timed = Timed(kb.encoder)
            kb.__dict__["encoder"] = timed
            timed.encode(["A title that loads the model."])
            timed.processor = timed.clock = 0.0
            processor, clock = time.process_time(), time.perf_counter()
            done = lessons.learned(kb, now=True)
            processor, clock = time.process_time() - processor, time.perf_counter() - clock
            print(f"{count} decisions, generation {done.stand.number} of {done.stand.lessons}: "
                  f"{processor - timed.processor:.1f} s of the processor and {clock - timed.clock:.1f} s by the clock; "
                  f"embedding {timed.processor:.1f} s and {timed.clock:.1f} s", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
