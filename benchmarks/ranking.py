"""Does a search find what it should? Known items and people's links, on a real corpus where it is at hand."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import peers, timing
from benchmarks.knowledge_base import CODEX, CORPUS, CORPUS_FOLDERS, ROOT, git
from codex_kb.disk.store import as_claim
from codex_kb.text import markdown_file

_MODES = ("hybrid", "dense", "lexical")
_SAMPLES = 10_000
_LINKS = ROOT.parent / "shared/eval/links.py"
_PLAIN = """
import json, sys
from sentence_transformers import SentenceTransformer
asked = json.load(sys.stdin)
model = SentenceTransformer(sys.argv[1])
texts, questions = (model.encode(asked[name], normalize_embeddings=True) for name in ("texts", "questions"))
scores = questions @ texts.T
print(json.dumps((-scores).argsort(axis=1, kind="stable")[:, :10].tolist()))
"""


def measure() -> dict[str, Any] | None:
    """MRR@10 of each mode and of plain sentence-transformers, and recall of links."""
    if not CORPUS.is_dir():
        print(f"  skipped: {CORPUS} is not there")
        return None
    root = Path(tempfile.mkdtemp(prefix="codex-bench-"))
    try:
        found = known_items(root)
    finally:
        shutil.rmtree(root)
    found["links"] = links()
    return found


def known_items(root: Path) -> dict[str, Any]:
    """The question is a claim's description, which no document has any more; the answer is the claim."""
    (root / "codex.toml").write_text('[kb]\nclaims = ["claims"]\nsources = ["inbox"]\n')
    questions, texts = {}, {}
    for path in sorted(path for folder in CORPUS_FOLDERS for path in (CORPUS / folder).rglob("*.md")):
        data = path.read_bytes()
        relative = f"claims/{path.relative_to(CORPUS).as_posix()}"
        file = markdown_file.parse(data, relative)
        if file.fields.get("type") != "claim":
            continue
        claim = as_claim(file, relative)
        if claim.description:
            questions[relative] = " ".join(claim.description.split())
        texts[relative] = f"{claim.title}\n\n{claim.body}"
        (root / relative).parent.mkdir(parents=True, exist_ok=True)
        (root / relative).write_bytes(_without_description(data))
    git(root, "init", "-q")
    timing.run([str(CODEX), "-q", "distill", "--no-commit"], root)
    asked = "".join(json.dumps({"id": path, "query": question}) + "\n" for path, question in questions.items())
    scores = {mode: _reciprocal_ranks(list(questions), _search(root, mode, asked)) for mode in _MODES}
    plain = subprocess.run(
        [sys.executable, "-c", _PLAIN, peers.model()], env=timing.environment(), text=True, check=True,
        capture_output=True, input=json.dumps({"texts": list(texts.values()), "questions": list(questions.values())}),
    )  # fmt: skip
    paths = list(texts)
    hits = {path: [paths[row] for row in rows] for path, rows in zip(questions, json.loads(plain.stdout), strict=True)}
    scores["sentence-transformers"] = _reciprocal_ranks(list(questions), hits)
    found: dict[str, Any] = {"questions": len(questions), "claims": len(texts),
                             "mrr": {name: float(values.mean()) for name, values in scores.items()}}  # fmt: skip
    print(f"  known item, {len(questions)} questions, {len(texts)} claims; MRR@10 "
          + ", ".join(f"{name} {value:.4f}" for name, value in found["mrr"].items()))  # fmt: skip
    best = max(("dense", "lexical"), key=lambda mode: found["mrr"][mode])
    for name in (best, "sentence-transformers"):
        low, middle, high = _bootstrap(scores["hybrid"] - scores[name])
        found[f"hybrid - {name}"] = {"mean": middle, "low": low, "high": high}
        found[f"hybrid / {name}"] = found["mrr"]["hybrid"] / found["mrr"][name]
        print(f"  hybrid - {name}: {middle:+.4f}, 95 % interval {low:+.4f} to {high:+.4f} (paired bootstrap); "
              f"ratio {found[f'hybrid / {name}']:.3f}")  # fmt: skip
    return found


def _without_description(data: bytes) -> bytes:
    """A claim's file without its description, however many lines it has."""
    return re.sub(rb"^description:.*\n(?:[ \t]+.*\n)*", b"", data, count=1, flags=re.MULTILINE)


def _search(root: Path, mode: str, asked: str) -> dict[str, list[str]]:
    done = subprocess.run(
        [str(CODEX), "search", "--mode", mode, "--batch", "-"], cwd=root, input=asked, text=True, check=True,
        capture_output=True, env=timing.environment(),
    )  # fmt: skip
    rows = map(json.loads, done.stdout.splitlines())
    return {row["id"]: [hit["path"] for hit in row["hits"]] for row in rows}


def _reciprocal_ranks(paths: list[str], hits: dict[str, list[str]]) -> np.ndarray:
    return np.array([1 / (hits[path].index(path) + 1) if path in hits[path] else 0.0 for path in paths])


def _bootstrap(differences: np.ndarray) -> tuple[float, float, float]:
    """Lower end, mean and upper end of the 95 % interval of the mean."""
    chosen = np.random.default_rng(0).integers(len(differences), size=(_SAMPLES, len(differences)))
    low, high = np.percentile(differences[chosen].mean(axis=1), [2.5, 97.5])
    return float(low), float(differences.mean()), float(high)


def links() -> dict[str, float] | None:
    """What `codex related` finds of the links that people made."""
    if not _LINKS.is_file():
        print(f"  links: skipped, {_LINKS} is not there")
        return None
    _, printed = timing.run([sys.executable, str(_LINKS)], ROOT, timing.environment(CODEX=str(CODEX)))
    line = printed.strip().splitlines()[-1]
    print(f"  {line}")
    return {name: float(value) for name, value in re.findall(r"(n|\S+@10)[ =]([\d.]+)", line)}
