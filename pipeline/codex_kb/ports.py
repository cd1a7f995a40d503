"""What the stages need from the outside, as Protocols; the edges implement them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from codex_kb.records import Answer, Drafted, Plan, Prompt, Source

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

    @property
    def model(self) -> str:
        """The language model behind it; empty where there is none."""

    def propose(self, source: Source, limit: int) -> Drafted:
        """At most `limit` drafts, best first; the same source gives the same drafts.

        Raises:
            ServiceError: nothing could be proposed, and why.
        """

    def plan(self, source: Source, limit: int) -> Plan:
        """What `propose` would take; asks nobody."""

    def close(self) -> None:
        """Ask nothing further; what is under way is waited for, since it is paid for."""


class LanguageModel(Protocol):
    """A language model behind any door; it has no tools."""

    @property
    def name(self) -> str:
        """The name that packets, decisions and commits carry, such as `openai:gpt-5-mini`; never a key or a path."""

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""

    @property
    def at_once(self) -> int:
        """How many questions it takes at a time; 0 for as many as are asked."""

    def ask(self, prompt: Prompt) -> Answer:
        """One answer; waits and tries again where the service says so. May be called from several threads.

        Raises:
            ModelError: refused, cut off, or out of reach; what was paid is in it.
        """

    def price(self, input_tokens: int, output_tokens: int) -> float | None:
        """US dollars for so many tokens, None where the price is not known; 0 for a model that runs here."""
