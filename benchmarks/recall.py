"""Recall of the approximate index on passages of real text, by questions of files that it has nothing of.

    python -m benchmarks.recall [FOLDER ...] [--passages N] [--scratch FOLDER]

The passages of `real_text` are embedded by the default model, a matter of minutes to an hour, and kept; questions are
passages of files that are left out. The lists to probe are chosen as codex does it, by passages of the index: no
question of those that are counted here has a say.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np

from benchmarks import real_text
from codex_kb.encoders import model
from codex_kb.index import vectors

_SEED = 7
_QUESTIONS = 1000
#: One file of so many is left out of the index, for questions.
_LEFT_OUT = 30
_K = 10
#: What a search asks the index for, to be scored exactly.
_DEPTH = 100
_AT_ONCE = 1024


def main() -> None:
    """Embed what is not embedded yet, build the index, ask."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folders", nargs="*", type=Path, help="further folders with text")
    options.add_argument("--passages", type=int, default=100_000)
    options.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "bench")
    args = options.parse_args()
    args.scratch.mkdir(parents=True, exist_ok=True)
    kept = args.scratch / f"real-{args.passages}.npz"
    if not kept.exists():
        _embed(kept, [*real_text.places(), *args.folders], args.passages)
    with np.load(kept) as found:
        measure(args.scratch / "real.faiss", found["passages"], found["questions"])


def _embed(kept: Path, folders: list[Path], count: int) -> None:
    found = list(real_text.passages(folders))
    random.Random(_SEED).shuffle(found)
    asked = [each.text for each in found if _left_out(each)][:_QUESTIONS]
    texts = [each.text for each in found if not _left_out(each)][:count]
    print(f"{len(texts)} passages, {len(asked)} questions of other files", flush=True)
    encoder = model.load("", kept.parent / "models", print)
    arrays = {}
    for name, chosen in (("questions", asked), ("passages", texts)):
        parts = []
        for at in range(0, len(chosen), _AT_ONCE):
            parts.append(encoder.encode(chosen[at : at + _AT_ONCE]))
            print(f"  {name}: {at + len(parts[-1])}", flush=True)
        arrays[name] = np.concatenate(parts).astype(np.float32)
    np.savez(kept, **arrays)


def _left_out(passage: real_text.Passage) -> bool:
    return zlib.crc32(passage.file.encode()) % _LEFT_OUT == 0


def measure(path: Path, passages: np.ndarray, questions: np.ndarray) -> None:
    """Build the index as codex does, and ask it and an exact search the same."""
    start = time.perf_counter()
    probes, chosen_by = vectors.build(path, passages, np.arange(len(passages)))
    seconds = time.perf_counter() - start
    index = vectors.Approximate(path, probes)
    recalls, times = [], []
    for question in questions:
        wanted = set(vectors.scan(passages, question, _K).tolist())
        begin = time.perf_counter()
        rows = index.nearest(question, _DEPTH)
        best = rows[vectors.top(vectors.scores_of(passages, question, rows), _K)]
        times.append(time.perf_counter() - begin)
        recalls.append(len(wanted & set(best.tolist())) / _K)
    print(f"{len(passages)} passages, built in {seconds:.0f} s; {probes} lists are probed, recall@10 {chosen_by:.4f} "
          "of the passages that chose them")  # fmt: skip
    print(f"recall@10 {statistics.fmean(recalls):.4f} of {len(questions)} questions of other files; the search for the "
          f"nearest takes {statistics.median(times) * 1000:.2f} ms, its median")  # fmt: skip


if __name__ == "__main__":
    main()
