"""Many texts to vectors on the processor: a BERT of sentence-transformers as an ONNX graph, run by ONNX Runtime.

Two rules make a text's vector the same bits whatever it is embedded with: a batch holds only texts of one length in
tokens, so nothing is padded, and every batch runs on one thread. Several batches run at a time.
"""

from __future__ import annotations

import importlib.util
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from codex_kb.disk import processors
from codex_kb.encoders import bert
from codex_kb.encoders.onnx_graph import Shape, bert_graph
from codex_kb.encoders.safetensors_file import Weights
from codex_kb.encoders.weights import read_json
from codex_kb.encoders.wordpiece import WordPiece

if TYPE_CHECKING:
    import numpy.typing as npt

    from codex_kb.ports import Vectors

    Tokens = npt.NDArray[np.int32]

_TOKENS_A_BATCH = 768


class Batch(NamedTuple):
    """Vectors that are ready, and how far the work is."""

    positions: list[int]
    """Where the texts of the rows stood in the input."""
    vectors: Vectors
    """float32 of shape (len(positions), dimension), rows of length 1."""
    tokens_done: int
    """Tokens of all batches up to this one; the time for a token hardly depends on the text."""
    tokens_total: int


def available() -> bool:
    """Whether ONNX Runtime is installed; nothing is imported."""
    return importlib.util.find_spec("onnxruntime") is not None


def _processors() -> int:
    """How many processors to use; the environment may say so, as Ray does for what shares a machine."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isascii() and told.isdigit() and int(told):
        return int(told)
    return processors.usable()


class OnnxEncoder:
    """A sentence-transformers folder that `bert.uncovered` finds nothing against; loaded when it is first needed."""

    def __init__(self, folder: Path, threads: int = 0) -> None:
        """`threads` batches run at a time, by default one for each processor.

        Raises:
            UsageError: a file is missing or not whole (when it is first needed).
        """
        self._folder = folder
        self._threads = threads or _processors()

    @cached_property
    def _shape(self) -> Shape:
        config = read_json(self._folder / "config.json")
        return Shape(config["num_hidden_layers"], config["num_attention_heads"], config["hidden_size"],
                     config["layer_norm_eps"], bert.first_token(self._folder))  # fmt: skip

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._shape.width

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; float32 of shape (len(texts), dimension), rows of length 1."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for batch in self.encode_many(texts):
            vectors[batch.positions] = batch.vectors
        return vectors

    def encode_many(self, texts: Sequence[str]) -> Iterator[Batch]:
        """Embed texts batch by batch, the longest first; each text is in exactly one batch.

        Abandoning the iterator stops the work after the batches that have begun.
        """
        run = self._run
        tokens = self._tokens(texts)
        total = sum(len(row) for row in tokens)
        done = 0
        for positions, vectors in _in_order(lambda batch: run([tokens[i] for i in batch]), _batches(tokens),
                                            self._threads):  # fmt: skip
            done += sum(len(tokens[i]) for i in positions)
            yield Batch(positions, vectors, done, total)

    def _tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """The token numbers of each text, cut at the model's length."""
        return [np.array(self._tokenizer.encode(text), np.int32) for text in texts]

    @cached_property
    def _tokenizer(self) -> WordPiece:
        return WordPiece.load(self._folder)

    @cached_property
    def _run(self) -> Callable[[Sequence[Tokens]], Vectors]:
        """Token numbers of texts of one length to their vectors; may be called from several threads."""
        # From 1.29 on, ONNX Runtime reports to its makers on the models that it loads, unless told otherwise by now.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime  # noqa: PLC0415

        weights = _weights(self._folder / "model.safetensors", self._shape)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        # The graph is as it should be: the optimizer would join Add and LayerNormalization into
        # SkipLayerNormalization, which takes six times as long. Weights are packed at every level.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in weights.values()]
        options.add_external_initializers(list(weights), values)
        graph = bert_graph(self._shape, {name: array.shape for name, array in weights.items()})
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        return lambda rows: session.run(None, {"ids": np.stack(rows)})[0]


def _batches(tokens: Sequence[Tokens]) -> Iterator[list[int]]:
    """Positions of texts of one length, the longest first, about `_TOKENS_A_BATCH` tokens at a time."""
    of_length: dict[int, list[int]] = {}
    for position, row in enumerate(tokens):
        of_length.setdefault(len(row), []).append(position)
    for length in sorted(of_length, reverse=True):
        positions = of_length[length]
        size = max(1, _TOKENS_A_BATCH // length)
        for start in range(0, len(positions), size):
            yield positions[start : start + size]


def _in_order(
    work: Callable[[list[int]], Vectors], batches: Iterable[list[int]], threads: int
) -> Iterator[tuple[list[int], Vectors]]:
    """Each batch with what `work` made of it, `threads` at a time and a few ahead of the reader."""
    waiting: deque[tuple[list[int], Future[Vectors]]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="onnx")
    try:
        for batch in batches:
            waiting.append((batch, pool.submit(work, batch)))
            if len(waiting) > 2 * threads:
                first, result = waiting.popleft()
                yield first, result.result()
        for first, result in waiting:
            yield first, result.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _weights(path: Path, shape: Shape) -> dict[str, Vectors]:
    """The weights under the graph's names: matrices of shape (from, to), and three biases folded away.

    Folded: the token type (always 0) into the positions, the bias of the values into that of the attention's output
    (the probabilities of a row sum to 1); the bias of the keys adds the same to every score of a row and is left out.

    Raises:
        UsageError: a weight is missing.
    """
    stored = Weights.open(path)
    prefix = bert.prefix(stored)

    def get(name: str) -> Vectors:
        return stored[prefix + name]

    found = {
        "words": get("embeddings.word_embeddings.weight"),
        "positions": get("embeddings.position_embeddings.weight") + get("embeddings.token_type_embeddings.weight")[0],
        "norm.scale": get("embeddings.LayerNorm.weight"),
        "norm.bias": get("embeddings.LayerNorm.bias"),
    }
    for layer in range(shape.layers):
        here = f"encoder.layer.{layer}."
        parts = {
            "query": "attention.self.query",
            "key": "attention.self.key",
            "value": "attention.self.value",
            "attended": "attention.output.dense",
            "inner": "intermediate.dense",
            "outer": "output.dense",
        }
        for name, part in parts.items():
            found[f"{layer}.{name}"] = np.ascontiguousarray(get(f"{here}{part}.weight").T)
        for name in ("query", "attended", "inner", "outer"):
            found[f"{layer}.{name}.bias"] = get(f"{here}{parts[name]}.bias")
        from_values = get(f"{here}attention.self.value.bias") @ found[f"{layer}.attended"]
        found[f"{layer}.attended.bias"] = found[f"{layer}.attended.bias"] + from_values
        for name, part in {"norm1": "attention.output", "norm2": "output"}.items():
            found[f"{layer}.{name}.scale"] = get(f"{here}{part}.LayerNorm.weight")
            found[f"{layer}.{name}.bias"] = get(f"{here}{part}.LayerNorm.bias")
    return found
