"""Knowledge bases of any size: the real claims that are at hand, and made-up ones as real files.

    python -m benchmarks.knowledge_base FOLDER CLAIMS

Made-up claims recombine the sentences of this repository's sources, with words put in whose frequencies follow
Zipf's law. Their entries in the committed index hold made-up vectors around random centres, so that nothing
needs to be embedded.
"""

from __future__ import annotations

import functools
import json
import multiprocessing
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import timing
from codex_kb import layout
from codex_kb.disk.store import as_claim
from codex_kb.encoders import model
from codex_kb.index import entry
from codex_kb.text import markdown_file
from codex_kb.text.passages import prose

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT.parent / "shared/corpora/teleo"
CORPUS_FOLDERS = ("domains", "core", "foundations")
CODEX = Path(sys.executable).with_name("codex")
CLAIMS = "claims"
PROCESSES = 2
#: A look at a file is certain once the file is older than this many seconds.
SETTLED = 2.2

_A_FOLDER = 1000
_SEED = 7
_DIMENSION = 384
_CENTRES = 2000
#: How far a claim's vector lies from its centre, and its parts from it; 1 is a cosine of 0.71.
_CLAIM_NOISE, _PART_NOISE = 1.0, 0.5
_SENTENCES = 10
_ZIPF, _VOCABULARY = 1.2, 500_000
_PUT_IN = 4
_DOMAINS = ("economics", "ai-alignment", "health", "energy", "history", "biology")
_CONFIDENCES = ("proven", "likely", "experimental", "speculative")
_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


class _Job(NamedTuple):
    root: Path
    number: int
    claims: int
    encoder: str


def real_claims() -> Iterator[tuple[str, bytes]]:
    """(name, content) of every claim at hand: this repository's, and the corpus where it stands beside it."""
    trees = [(ROOT, ("codex",)), (CORPUS, CORPUS_FOLDERS)]
    for root, folders in trees:
        for path in sorted(path for folder in folders for path in (root / folder).rglob("*.md")):
            data = path.read_bytes()
            if re.search(rb"^type: \"?claim\b", data, re.MULTILINE):
                yield f"{root.name}/{path.relative_to(root).as_posix()}", data


def ready(scratch: Path, size: int) -> Path:
    """The knowledge base of this size, made where it is not there yet."""
    root = scratch / f"k{size}"
    done = scratch / f"k{size}.json"
    if not done.exists():
        print(f"making {root} ...", flush=True)
        shutil.rmtree(root, ignore_errors=True)
        facts = make(root, size)
        done.write_text(json.dumps(facts) + "\n")
        print(f"  {facts}", flush=True)
    return root


def make(root: Path, size: int) -> dict[str, float]:
    """Write a knowledge base of so many claims, commit it and distill it; how many are real, and the seconds."""
    start = time.perf_counter()
    root.mkdir(parents=True)
    (root / "codex.toml").write_text(f'[kb]\nclaims = ["{CLAIMS}"]\nsources = ["inbox"]\n')
    (root / ".gitignore").write_text("/.codex-kb/\n")
    real = 0
    for name, data in real_claims():
        if real < size:
            path = root / CLAIMS / "real" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            real += 1
    _made_up(root, size - real)
    written = time.perf_counter()
    git(root, "init", "-q", "-b", "main")
    for name, value in (("user.name", "Bench"), ("user.email", "bench@example.org"), ("gc.auto", "0"),
                        ("core.looseCompression", "1")):  # fmt: skip
        git(root, "config", name, value)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "start")
    git(root, "repack", "-a", "-d", "-q", "--window=0")
    committed = time.perf_counter()
    time.sleep(SETTLED)
    seconds, printed = timing.run([str(CODEX), "distill", "--json"], root)
    found = json.loads(printed)
    if found["claims"] != size or found["embedded"] > real:
        raise SystemExit(f"{root}: not the claims that were written: {found}")
    settle(root)
    return {"claims": size, "real": real, "writing_s": round(written - start, 1),
            "git_s": round(committed - written, 1), "first_distill_s": round(seconds, 1)}  # fmt: skip


def settle(root: Path) -> None:
    """Let a distill see every file when its age no longer leaves a doubt."""
    time.sleep(SETTLED)
    timing.run([str(CODEX), "-q", "distill"], root)


def git(root: Path, *arguments: str) -> str:
    """Run git in a knowledge base."""
    return subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True).stdout


def _made_up(root: Path, claims: int) -> None:
    name = model.load("", root / layout.LOCAL / "models", print).name
    manifest = root / layout.MANIFEST
    manifest.parent.mkdir(parents=True)
    manifest.write_bytes(entry.manifest(name, ""))
    for number in range(256):
        (root / layout.INDEX / f"{number:02x}").mkdir()
    jobs = (_Job(root, at // _A_FOLDER, min(_A_FOLDER, claims - at), name) for at in range(0, claims, _A_FOLDER))
    with multiprocessing.Pool(PROCESSES) as pool:
        for _ in pool.imap_unordered(_write_folder, jobs):
            pass


def _write_folder(job: _Job) -> None:
    """One folder of claims with their entries."""
    words = random.Random(f"{_SEED} {job.number}")
    numbers = np.random.default_rng((_SEED, job.number))
    folder = f"{CLAIMS}/made-up/{job.number:04d}"
    (job.root / folder).mkdir(parents=True)
    ranks = iter(numbers.zipf(_ZIPF, job.claims * (_SENTENCES + 2) * _PUT_IN).tolist())
    whole = _centres()[numbers.integers(_CENTRES, size=job.claims)] + _noise(numbers, job.claims, _CLAIM_NOISE)
    parts = [_unit(_unit(whole) + _noise(numbers, job.claims, _PART_NOISE)) for _ in range(2)]
    for number in range(job.claims):
        path = f"{folder}/claim-{job.number * _A_FOLDER + number:07d}.md"
        data = _claim(words, ranks)
        (job.root / path).write_bytes(data)
        claim = as_claim(markdown_file.parse(data, path), path)
        key = entry.key_of(job.encoder, entry.texts_of(claim))
        data = entry.dump_entry(key, np.stack([part[number] for part in parts]))
        (job.root / entry.entry_path(layout.INDEX, key)).write_bytes(data)


def _claim(words: random.Random, ranks: Iterator[int]) -> bytes:
    """A claim's file: title, description, and two paragraphs."""
    made = [_sentence(words, ranks) for _ in range(_SENTENCES + 2)]
    title, description, *body = made
    half = len(body) // 2
    return (
        f"---\ntype: claim\ndomain: {words.choice(_DOMAINS)}\ndescription: {json.dumps(description)}\n"
        f"confidence: {words.choice(_CONFIDENCES)}\nsource: made up\ncreated: 2026-01-01\n---\n\n"
        f"# {title.rstrip('.')}\n\n{' '.join(body[:half])}\n\n{' '.join(body[half:])}\n"
    ).encode()


def _sentence(words: random.Random, ranks: Iterator[int]) -> str:
    """A sentence of two halves of real ones, with a few words put in."""
    first, second = words.choice(_sentences()), words.choice(_sentences())
    found = [*first[: len(first) // 2], *second[len(second) // 2 :]]
    for _ in range(_PUT_IN):
        found[words.randrange(len(found) - 1)] = _word(next(ranks) % _VOCABULARY)
    return " ".join(found)


def _word(rank: int) -> str:
    """The made-up word of a rank."""
    found = ""
    while rank or len(found) < 4:
        rank, syllable = divmod(rank, len(_SYLLABLES))
        found += _SYLLABLES[syllable]
    return found


@functools.cache
def _sentences() -> list[list[str]]:
    """The sentences of this repository's sources and claims, as words."""
    paths = sorted(path for name in ("inbox/archive", "codex") for path in (ROOT / name).rglob("*.md"))
    bodies = (prose(markdown_file.parse(path.read_bytes(), path.name).body) for path in paths)
    sentences = (line.split() for body in bodies for line in re.split(r"(?<=[.!?])\s+", body))
    return [words for words in sentences if 8 <= len(words) <= 30]


@functools.cache
def _centres() -> np.ndarray:
    return _unit(np.random.default_rng(_SEED).standard_normal((_CENTRES, _DIMENSION), np.float32))


def _noise(numbers: np.random.Generator, rows: int, length: float) -> np.ndarray:
    """Vectors of about this length."""
    return numbers.standard_normal((rows, _DIMENSION), np.float32) * np.float32(length / _DIMENSION**0.5)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


if __name__ == "__main__":
    print(make(Path(sys.argv[1]), int(sys.argv[2])))
