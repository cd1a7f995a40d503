"""Is it told which sources give nothing? The chance that `learn.worth` gives, on a real corpus.

    python -m benchmarks.worth

Reads the sources of ../shared/corpora that are processed or gave nothing; those that wait there say which fields were
known before the work. Prints the area under the ROC curve by date (each 20 sources judged from all before them) and by
five folds, three times shuffled: 0.5 is chance.
"""

from __future__ import annotations

import numpy as np

from benchmarks.trials import CORPORA
from codex_kb.errors import RefusedFile
from codex_kb.learn import worth
from codex_kb.learn.trial import auc
from codex_kb.text import markdown_file
from codex_kb.text.fields import NULL_RESULT, PROCESSED, UNPROCESSED, status_of

STEP, FOLDS, ROUNDS = 20, 5, 3


def main() -> None:
    """Print both areas."""
    sources = []
    for path in sorted((CORPORA / "teleo/inbox/archive").rglob("*.md"), key=lambda each: each.name):
        try:
            file = markdown_file.parse(path.read_bytes(), path.name)
        except RefusedFile:
            continue
        fields = {str(name): value for name, value in file.fields.items() if name != "status"}
        sources.append((str(fields.get("date", "")), status_of(file.fields), worth.see(fields, file.body)))
    sources.sort(key=lambda each: each[0])
    waiting = [seen for _, status, seen in sources if status == UNPROCESSED]
    done = [(seen, status == NULL_RESULT) for _, status, seen in sources if status in {PROCESSED, NULL_RESULT}]
    empty = np.array([gave_nothing for _, gave_nothing in done])
    print(f"{len(done)} sources, {empty.sum()} of which gave nothing")

    def judged(at: np.ndarray, of: np.ndarray) -> np.ndarray:
        chances = worth.nothing([done[n] for n in of], [*(done[n][0] for n in at), *waiting])
        return np.full(len(at), np.nan) if chances is None else chances[: len(at)]

    everyone = np.arange(len(done))
    by_date = np.concatenate([judged(everyone[n : n + STEP], everyone[:n]) for n in range(STEP, len(done), STEP)])
    known = ~np.isnan(by_date)
    print(f"by date: {auc(by_date[known], empty[STEP:][known]):.2f} over {known.sum()}")
    areas = []
    for turn in range(ROUNDS):
        shuffled, found = np.random.default_rng(turn).permutation(everyone), np.zeros(len(done))
        for fold in range(FOLDS):
            held = shuffled[fold::FOLDS]
            found[held] = judged(held, np.setdiff1d(everyone, held))
        areas.append(auc(found, empty))
    print(f"folds: {np.mean(areas):.2f}")


if __name__ == "__main__":
    main()
