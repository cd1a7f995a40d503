"""The fourth stage: the texts that stand for a claim, and their vectors as they are committed.

Each claim has one small file, named by the encoder and its texts, so that branches that add claims merge
without conflict, a renamed claim costs nothing, and nothing is embedded twice.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from codex_kb.records import Claim
from codex_kb.text import json_of_others
from codex_kb.text.passages import passages

if TYPE_CHECKING:
    from codex_kb.ports import Vectors

_VERSION = 2
#: Half precision, little-endian: 768 bytes for 384 dimensions; cosines change by less than 0.001.
_STORED = "<f2"
_CHECKSUM = 16
#: What title and description weigh beside the passages in the vector that stands for all of a claim. One mean
#: vector finds more than the best passage does, and eight passages as much as all (measured, see README).
_TITLE_WEIGHT = 0.3


@dataclass(frozen=True, slots=True)
class Texts:
    """What is embedded of a claim: its title with the description, and the passages of its body."""

    title: str
    passages: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """All of them, the title first."""
        return (self.title, *self.passages)


@dataclass(frozen=True, slots=True)
class Entry:
    """A claim's vectors, float32 of unit length: `title` (and description), and `body`, the mean of its passages.

    A claim without a passage has a `body` of length 0.
    """

    title: Vectors
    body: Vectors

    @property
    def whole(self) -> Vectors:
        """One vector for all of the claim, float32 of unit length."""
        return _unit(_TITLE_WEIGHT * self.title + (1 - _TITLE_WEIGHT) * self.body)


def texts_of(claim: Claim) -> Texts:
    """The texts that stand for a claim."""
    return Texts(title_text(claim.title, claim.description), tuple(passages(claim.body)))


def title_text(title: str, description: str) -> str:
    """Title and description as they are embedded."""
    return f"{title}. {description}" if description else title


def key_of(encoder_name: str, texts: Texts) -> str:
    """SHA-256 of encoder, format and texts: the name of the claim's entry."""
    parts = (str(_VERSION), encoder_name, *texts.all)
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()


def entry_path(folder: str, key: str) -> str:
    """Where an entry is kept."""
    return f"{folder}/{key[:2]}/{key[2:]}.jsonl"


def entry_key(path: str) -> str:
    """The key of the entry kept at a path."""
    folder, name = path.rsplit("/", 2)[-2:]
    return folder + name.removesuffix(".jsonl")


def dump_entry(key: str, vectors: Vectors) -> bytes:
    """A claim's vectors as one line of JSON; float32 of shape (1 + passages, dimension), the title's first."""
    body = _unit(vectors[1:].mean(axis=0)) if len(vectors) > 1 else np.zeros_like(vectors[0])
    title, mean = (vector.astype(_STORED).tobytes() for vector in (vectors[0], body))
    value = {"key": key, "title": base64.b64encode(title).decode(), "body": base64.b64encode(mean).decode(),
             "sha256": _checksum(key, title, mean)}  # fmt: skip
    return json.dumps(value).encode() + b"\n"


def load_entry(data: bytes, key: str) -> Entry:
    """The vectors of an entry; of two lines (merged branches) the first.

    Raises:
        ValueError: it is not this entry, or was altered.
    """
    try:
        value = json_of_others.read(data.split(b"\n", 1)[0])
        title, body = (base64.b64decode(value[name], validate=True) for name in ("title", "body"))
        sound = value["key"] == key and value["sha256"] == _checksum(key, title, body) and len(title) == len(body)
        vectors = [np.frombuffer(packed, _STORED).astype(np.float32) for packed in (title, body)]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"not an entry of the index: {error}") from error
    if not sound:
        raise ValueError("not the entry that was written: its checksum differs")
    if not all(np.isfinite(vector).all() for vector in vectors):
        raise ValueError("not an entry of the index: it holds what is no number")
    return Entry(*map(_unit, vectors))


def _unit(vector: Vectors) -> Vectors:
    """The vector at length 1; one of length 0 stays."""
    length = np.float32(np.sqrt(vector @ vector))
    return vector / length if length > 0 else vector


def _checksum(key: str, title: bytes, body: bytes) -> str:
    return hashlib.sha256(key.encode() + title + body).hexdigest()[:_CHECKSUM]


def manifest(encoder_name: str, difference: str, recall: float = 0.0) -> bytes:
    """What the entries are; nothing in it changes with each claim, so that branches merge.

    `difference` bounds what the encoder of questions and that of claims differ from sentence-transformers
    by, as a power of ten; empty where it was not measured. `recall` is what the approximate index finds of the
    exact ten nearest, where there is one.
    """
    value: dict[str, object] = {
        "version": _VERSION,
        "model": encoder_name,
        "vectors": "float16, base64; title: of title and description, body: the mean of its passages",
        "difference": difference,
    }
    if recall:
        value["approximate recall@10"] = round(recall, 3)
    return (json.dumps(value, indent=1) + "\n").encode()
