"""Do weights of search and `related` hold on claims that they were not chosen on? Fold means, with their spread.

    python -m benchmarks.folds [--cranfield DIR]

On the corpus in ../shared, five times halved: `related` is asked about one half without its links while the other
half's stand. A search is asked for claims by their descriptions (taken out of the files), and with titles and
descriptions for what their authors linked. What meaning counts is chosen on one half and judged on the other, beside
the weight in use. DIR holds Cranfield's cran.all.1400, cran.qry and cranqrel.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np

from benchmarks.knowledge_base import ROOT
from codex_kb.disk.store import as_claim
from codex_kb.index import ranking
from codex_kb.index.catalog import Filters
from codex_kb.kb import KnowledgeBase
from codex_kb.text import markdown_file
from codex_kb.workflow.related import Relations
from codex_kb.workflow.search import Searcher

ROUNDS, K, DEEP = 5, 10, 100
SHARES = [share / 20 for share in range(6, 17)]
_DESCRIPTION = re.compile(r"^description:.*\n(?:[ \t]+.*\n)*", re.MULTILINE)
_PART = re.compile(r"^\.([ITABW])(?: (\d+))?[ \t]*$", re.MULTILINE)


class Question(NamedTuple):
    """What is asked, which paths answer it, and the path that asks, which does not."""

    text: str
    wanted: Collection[str]
    asking: str = ""


def main() -> None:
    """Print a line for each measure."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cranfield", type=Path)
    args = options.parse_args()
    eval_kb = _eval_kb()
    answers = {path: set(targets) for path, targets in eval_kb.load_answers()["links"].items()}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "codex.toml").write_text(eval_kb.TELEO_CONFIG)
        files = _files(eval_kb)
        _write(root, files)
        claims = {path: as_claim(markdown_file.parse(text.encode(), path), path) for path, text in files.items()}
        asked = [path for path in answers if path in claims]
        for name in ("title", "description"):
            texts = {path: str(getattr(claims[path], name)) for path in asked}
            _search(f"links by {name}", root, nDCG,
                    [Question(text, answers[path], path) for path, text in texts.items() if text])  # fmt: skip
        _related(root, files, {path: answers[path] for path in asked}, eval_kb.unlink)
        _write(root, {path: _DESCRIPTION.sub("", text, count=1) for path, text in files.items()})
        _search("known item", root, reciprocal_rank, [
            Question(claim.description, {path}) for path, claim in claims.items() if claim.description
        ])  # fmt: skip
    if args.cranfield:
        with tempfile.TemporaryDirectory() as folder:
            _search("Cranfield", Path(folder), nDCG, _cranfield(args.cranfield, Path(folder)))


def _eval_kb() -> ModuleType:
    """The module that builds throw-away knowledge bases of the corpus."""
    spec = importlib.util.spec_from_file_location("eval_kb", ROOT.parent / "shared/eval/kb.py")
    if spec is None or spec.loader is None:
        raise SystemExit("../shared is not there")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _files(eval_kb: ModuleType) -> dict[str, str]:
    """The text of every claim by its path."""
    paths = (path for folder in ("domains", "core", "foundations") for path in (eval_kb.TELEO / folder).rglob("*.md"))
    texts = {path.relative_to(eval_kb.TELEO).as_posix(): eval_kb.read(path) for path in sorted(paths)}
    return {path: text for path, text in texts.items()
            if markdown_file.parse(text.encode(), path).fields.get("type") == "claim"}  # fmt: skip


def _write(root: Path, texts: Mapping[str, str]) -> None:
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode())


# -- measures ----------------------------------------------------------------------------------


def recall(found: Sequence[str], wanted: Collection[str]) -> float:
    """The part of the wanted paths that is among the first ten."""
    return len(set(found[:K]) & set(wanted)) / len(wanted)


def nDCG(found: Sequence[str], wanted: Collection[str]) -> float:
    """Discounted gain of the first ten, as a part of the most that it can be."""
    gain = sum(1 / math.log2(place + 2) for place, path in enumerate(found[:K]) if path in wanted)
    return gain / sum(1 / math.log2(place + 2) for place in range(min(K, len(wanted))))


def reciprocal_rank(found: Sequence[str], wanted: Collection[str]) -> float:
    """One by the place of the first wanted path among the first ten; 0 where there is none."""
    return next((1 / place for place, path in enumerate(found[:K], 1) if path in wanted), 0.0)


Measure = Callable[[Sequence[str], Collection[str]], float]


def _halves(number: int) -> Iterable[tuple[np.ndarray, np.ndarray]]:
    """For each round both ways to choose on one half of so many and to judge on the other."""
    for turn in range(ROUNDS):
        order = np.random.default_rng(turn).permutation(number)
        first, second = order[::2], order[1::2]
        yield from ((first, second), (second, first))


# -- search ------------------------------------------------------------------------------------


def _search(name: str, root: Path, measure: Measure, questions: Sequence[Question]) -> None:
    searchers = {mode: Searcher(KnowledgeBase(root), mode) for mode in ranking.MODES}
    alone = {mode: [measure(_paths(searcher, each), each.wanted) for each in questions]
             for mode, searcher in searchers.items()}  # fmt: skip
    by_share = np.array([_shares(searchers["hybrid"], each, measure) for each in questions])
    halves = list(_halves(len(questions)))
    scores = [by_share[judged, by_share[chosen].mean(axis=0).argmax()].mean() for chosen, judged in halves]
    spread = np.std([np.array(alone["hybrid"])[judged].mean() for _, judged in halves])
    print(f"{name}, {measure.__name__}@{K}, n={len(questions)}: "
          + ", ".join(f"{mode} {np.mean(values):.4f}" for mode, values in alone.items())
          + f" (halves ±{spread:.4f}); weight chosen on the other half {np.mean(scores):.4f}", flush=True)  # fmt: skip


def _paths(searcher: Searcher, asked: Question) -> list[str]:
    found = searcher.search(asked.text, K + 1, Filters(), twins=True)
    return [hit.card.path for hit in found if hit.card.path != asked.asking]


def _shares(searcher: Searcher, asked: Question, measure: Measure) -> list[float]:
    """The measure by what meaning counts, each of SHARES."""
    found = [hit for hit in searcher.search(asked.text, DEEP, Filters(), twins=True) if hit.card.path != asked.asking]
    values = []
    for share in SHARES:
        order = sorted(found, key=lambda hit: (-round(share * hit.score.meaning + (1 - share) * hit.score.words, 6),
                                               hit.card.path))  # fmt: skip
        values.append(measure([hit.card.path for hit in order], asked.wanted))
    return values


# -- related -----------------------------------------------------------------------------------


def _related(
    root: Path, files: Mapping[str, str], answers: Mapping[str, set[str]], unlink: Callable[[str], str]
) -> None:
    paths = list(answers)
    rounds: list[list[list[float]]] = []
    for number, (_, asked) in enumerate(_halves(len(paths))):
        held = [paths[place] for place in asked]
        _write(root, {**files, **{path: unlink(files[path]) for path in held}})
        relations = Relations(KnowledgeBase(root))
        if number % 2 == 0:
            rounds.append([])
        for path in held:
            found = [each.card.path for each in relations.related(path, K)]
            rounds[-1].append([measure(found, answers[path]) for measure in (recall, nDCG, reciprocal_rank)])
        relations.close()
    means = np.array([np.mean(each, axis=0) for each in rounds])
    print(f"related, n={len(paths)}, {ROUNDS} times two halves: " + ", ".join(
        f"{name}@{K} {mean:.4f} ±{spread:.4f}"
        for name, mean, spread in zip(("recall", "nDCG", "MRR"), means.mean(axis=0), means.std(axis=0), strict=True)
    ), flush=True)  # fmt: skip


# -- Cranfield ---------------------------------------------------------------------------------


def _cranfield(folder: Path, root: Path) -> list[Question]:
    """Its abstracts as claims in a knowledge base at a root; its questions, numbered from 1 in their order."""
    (root / "codex.toml").write_text('[kb]\nclaims = ["codex"]\n')
    records = _records((folder / "cran.all.1400").read_text())
    for number, parts in records:
        text = f"---\ntype: claim\ndomain: d\nconfidence: likely\n---\n\n# {parts['T']}\n\n{parts['W']}\n"
        _write(root, {f"codex/d/{number}.md": text})
    wanted: dict[int, set[str]] = {}
    for line in (folder / "cranqrel").read_text().splitlines():
        question, document, grade = map(int, line.split()[:3])
        if 1 <= grade <= 4:  # 1 is the best; what is no answer has -1 or 5
            wanted.setdefault(question, set()).add(f"codex/d/{document}.md")
    questions = enumerate(_records((folder / "cran.qry").read_text()), 1)
    return [Question(parts["W"], wanted[number]) for number, (_, parts) in questions if number in wanted]


def _records(text: str) -> list[tuple[int, dict[str, str]]]:
    """(number, text by the letter of its part) of each record."""
    found: list[tuple[int, dict[str, str]]] = []
    marks = list(_PART.finditer(text))
    for mark, end in zip(marks, [*(after.start() for after in marks[1:]), len(text)], strict=True):
        if mark[1] == "I":
            found.append((int(mark[2]), {"T": "", "W": ""}))
        else:
            found[-1][1][mark[1]] = " ".join(text[mark.end() : end].split())
    return found


if __name__ == "__main__":
    main()
