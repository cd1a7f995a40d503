"""Texts to vectors by sentence-transformers, which only this module knows: any model, seconds to load."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from codex_kb.errors import ServiceError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from codex_kb.ports import Vectors

_BATCH = 32


class SentenceEncoder:
    """A sentence-transformers model (a folder, or a hub's name), loaded when it is first needed."""

    def __init__(self, model: str, local: bool) -> None:
        """`local` models are never looked for on the network."""
        self._model = model
        self._local = local

    @cached_property
    def _loaded(self) -> SentenceTransformer:
        return _load(self._model, self._local)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        size = self._loaded.get_embedding_dimension()
        assert size is not None
        return size

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; float32 of shape (len(texts), dimension), rows of length 1.

        In a batch the padding changes a row's last bits.
        """
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = self._loaded.encode(
            list(texts), batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        return np.asarray(vectors, dtype=np.float32)


@lru_cache(maxsize=1)
def _load(where: str, local: bool) -> SentenceTransformer:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if local:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415
    from transformers.utils import logging  # noqa: PLC0415

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    # What is on disk already is used as it is; only a named model that is nowhere is fetched.
    for local_only in (True,) if local else (True, False):
        try:
            return SentenceTransformer(where, device="cpu", local_files_only=local_only)
        except (OSError, ValueError) as error:
            failed = error
    raise ServiceError(
        f"cannot load the model {where}: {str(failed).splitlines()[0]}",
        hint="check [index] model in codex.toml: a folder or a hub name",
    ) from failed
