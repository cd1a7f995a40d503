"""What the stages need from the outside, as Protocols; the edges implement them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from codex_kb.records import Draft, Source

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """Texts to unit vectors."""

    @property
    def name(self) -> str:
        """Which model and weights this is; part of the key of every stored vector."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; float32 of shape (len(texts), dimension), rows of length 1.

        A row depends on nothing but its text.
        """

    def query(self, text: str) -> Vectors:
        """Embed a question at once; float32 of shape (dimension), length 1, within 1e-5 of what encode gives."""

    def quick(self) -> str:
        """The folder of a model whose questions NumPy embeds; empty where it cannot."""

    def prove(self, texts: Sequence[str]) -> str:
        """The power of ten that bounds how far rows for these texts are from sentence-transformers', as text."""


class Proposer(Protocol):
    """Drafts claims from a source; it has no tools and writes nothing."""

    @property
    def name(self) -> str:
        """The name that packets, decisions and commits carry."""

    def propose(self, source: Source, limit: int) -> Sequence[Draft]:
        """At most `limit` drafts, best first; the same source gives the same drafts."""
