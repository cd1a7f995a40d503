"""A sentence encoder of the BERT family in NumPy: answers in a fresh process before torch would have loaded.

Devlin et al. 2019 (arXiv:1810.04805) with the pooling of Reimers & Gurevych 2019 (arXiv:1908.10084).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from codex_kb.encoders.safetensors_file import Weights
from codex_kb.encoders.weights import read_json
from codex_kb.encoders.wordpiece import TOKENIZER, WordPiece
from codex_kb.errors import UsageError
from codex_kb.text import json_of_others

if TYPE_CHECKING:
    from codex_kb.ports import Vectors

_WEIGHTS = "model.safetensors"
#: Abramowitz & Stegun 1964, 7.1.26: the error function within 1.5e-7.
_ERF = tuple(np.float32(x) for x in (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429))
_ERF_P = np.float32(0.3275911)
_ROOT_HALF = np.float32(0.5**0.5)
#: Up to so many tokens products are taken a few rows at a time; above, the copy pays.
_FEW = 20
#: Multiplications up to which OpenBLAS copies nothing.
_SMALL = 1_000_000
_NUMBERS = ("hidden_size", "num_hidden_layers", "num_attention_heads", "layer_norm_eps")
_SWITCH = "pooling_mode_"
_MODULES = ("Transformer", "Pooling", "Normalize")


class BertEncoder:
    """A folder of sentence-transformers whose model is BERT; each text is embedded alone."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read before the first text.

        Raises:
            UsageError: a file is missing or not whole (when it is first needed).
        """
        self._folder = folder

    @cached_property
    def _config(self) -> dict[str, Any]:
        return read_json(self._folder / "config.json")

    @cached_property
    def _weights(self) -> Weights:
        return Weights.open(self._folder / _WEIGHTS)

    @cached_property
    def _tokens(self) -> WordPiece:
        return WordPiece.load(self._folder)

    @cached_property
    def _first_token(self) -> bool:
        return first_token(self._folder)

    @cached_property
    def _prefix(self) -> str:
        return prefix(self._weights)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._config["hidden_size"])

    def tokens(self, text: str) -> list[int]:
        """The numbers of the tokens that the model reads of a text."""
        return self._tokens.encode(text)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; float32 of shape (len(texts), dimension), rows of length 1."""
        rows = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(rows, texts, strict=True):
            states = self._states(self._tokens.encode(text))
            pooled = states[:, 0] if self._first_token else states.mean(axis=1)
            row[:] = pooled / max(np.sqrt(pooled @ pooled), np.float32(1e-12))
        return rows

    def _states(self, tokens: list[int]) -> Vectors:
        """The last layer's states, float32 of shape (dimension, tokens): for few tokens BLAS is faster this way."""
        name = self._prefix + "embeddings"
        rows = self._array(f"{name}.word_embeddings.weight")[tokens]
        rows = rows + self._array(f"{name}.position_embeddings.weight")[: len(tokens)]
        rows += self._array(f"{name}.token_type_embeddings.weight")[0]
        states = self._normal(np.ascontiguousarray(rows.T), f"{name}.LayerNorm")
        for number in range(int(self._config["num_hidden_layers"])):
            layer = f"{self._prefix}encoder.layer.{number}"
            mixed = self._dense(self._attention(states, f"{layer}.attention.self"), f"{layer}.attention.output.dense")
            states = self._normal(states + mixed, f"{layer}.attention.output.LayerNorm")
            inner = _gelu(self._dense(states, f"{layer}.intermediate.dense"))
            states = self._normal(states + self._dense(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        return states

    def _attention(self, states: Vectors, name: str) -> Vectors:
        heads = int(self._config["num_attention_heads"])
        width, tokens = states.shape
        query, key, value = (
            self._dense(states, f"{name}.{part}").reshape(heads, width // heads, tokens)
            for part in ("query", "key", "value")
        )
        scores = key.transpose(0, 2, 1) @ query * np.float32((width // heads) ** -0.5)  # (heads, of, by)
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
        return np.asarray((value @ scores).reshape(width, tokens), np.float32)

    def _dense(self, states: Vectors, name: str) -> Vectors:
        return _product(self._array(f"{name}.weight"), states) + self._array(f"{name}.bias")[:, None]

    def _normal(self, states: Vectors, name: str) -> Vectors:
        centred = states - states.mean(axis=0)
        variance = (centred * centred).mean(axis=0)
        centred /= np.sqrt(variance + np.float32(self._config["layer_norm_eps"]))
        scale, bias = self._array(f"{name}.weight"), self._array(f"{name}.bias")
        return np.asarray(centred * scale[:, None] + bias[:, None], np.float32)

    def _array(self, name: str) -> Vectors:
        return self._weights[name]


def _product(matrix: Vectors, states: Vectors) -> Vectors:
    """matrix @ states; for few tokens a few rows at a time, since OpenBLAS copies the matrix where it is not small."""
    rows, inner = matrix.shape
    tokens = states.shape[1]
    size = rows
    while tokens <= _FEW and size % 2 == 0 and size * inner * tokens > _SMALL:
        size //= 2
    return np.asarray((matrix.reshape(-1, size, inner) @ states).reshape(rows, tokens), np.float32)


def _gelu(x: Vectors) -> Vectors:
    """x · Φ(x) (Hendrycks & Gimpel 2016), by the error function and not by its tanh approximation."""
    size = np.abs(x) * _ROOT_HALF
    t = np.float32(1) / (np.float32(1) + _ERF_P * size)
    poly = np.full_like(t, _ERF[4])
    for factor in _ERF[3::-1]:
        poly = poly * t + factor
    tail = poly * t * np.exp(-size * size)  # 1 - erf(size)
    half = np.float32(0.5) * x
    return np.asarray(half + np.abs(half) * (np.float32(1) - tail), np.float32)


def first_token(folder: Path) -> bool:
    """Does the first token stand for a text, and not the mean of all?"""
    return _pooled(folder) == {"cls"}


def prefix(weights: Weights) -> str:
    """What the names of the arrays begin with."""
    return "bert." if "bert.embeddings.word_embeddings.weight" in weights.names() else ""


def uncovered(folder: Path) -> str:
    """Why a model's folder is not covered, in a few words; empty where it is."""
    config = read_json(folder / "config.json")
    kinds = [str(module.get("type", "")).rsplit(".", 1)[-1] for module in _modules(folder)]
    lower = read_json(folder / "sentence_bert_config.json").get("do_lower_case")
    tests = (
        (config.get("model_type") != "bert", f"its model is {config.get('model_type') or 'unknown'}, not BERT"),
        (config.get("hidden_act") != "gelu", f"its activation is {config.get('hidden_act')}"),
        (config.get("position_embedding_type", "absolute") != "absolute", "its positions are relative"),
        (not (folder / _WEIGHTS).is_file(), f"it has no {_WEIGHTS}"),
        (not any((folder / name).is_file() for name in ("vocab.txt", TOKENIZER)), "it has no vocabulary"),
        (not kinds or kinds[0] != _MODULES[0] or not set(kinds) <= set(_MODULES), f"its modules are {kinds}"),
        (_pooled(folder) not in ({"cls"}, {"mean"}), "its pooling"),
        (not all(isinstance(config.get(key), (int, float)) for key in _NUMBERS), "its config.json lacks a number"),
        (lower is True, "its text is lowered before the tokenizer"),
        (_prompted(folder), "it puts a prompt before a text"),
        (not _usual_tokenizer(folder), "its tokenizer is not BERT's usual one"),
    )
    for failed, reason in tests:
        if failed:
            return reason
    try:
        kinds_ = Weights.open(folder / _WEIGHTS).kinds()
    except UsageError as error:
        return error.message
    return "" if kinds_ == {"F32"} else f"its weights are {', '.join(sorted(kinds_))}"


def _pooled(folder: Path) -> set[str]:
    """The ways in which the vectors of tokens become one; newer folders name one, older ones switch each on or off."""
    found = _pooling(folder)
    switched = {name.removeprefix(_SWITCH) for name, on in found.items() if name.startswith(_SWITCH) and on is True}
    ways = {{"cls_token": "cls", "mean_tokens": "mean"}.get(way, way) for way in switched}
    return ways | {str(found["pooling_mode"])} if found.get("pooling_mode") else ways


def _prompted(folder: Path) -> bool:
    settings = read_json(folder / "config_sentence_transformers.json")
    prompts = settings.get("prompts")
    named = settings.get("default_prompt_name")
    return bool(named and isinstance(prompts, dict) and prompts.get(named))


def _usual_tokenizer(folder: Path) -> bool:
    settings = read_json(folder / "tokenizer_config.json")
    return (
        settings.get("tokenizer_class", "BertTokenizer") in ("BertTokenizer", "BertTokenizerFast")
        and settings.get("strip_accents") in (None, settings.get("do_lower_case", True))
        and settings.get("tokenize_chinese_chars", True) is True
    )


def _modules(folder: Path) -> list[dict[str, Any]]:
    try:
        value = json_of_others.read((folder / "modules.json").read_bytes())
    except (OSError, ValueError):
        return []
    return [module for module in value if isinstance(module, dict)] if isinstance(value, list) else []


def _pooling(folder: Path) -> dict[str, Any]:
    for module in _modules(folder):
        if str(module.get("type", "")).endswith(".Pooling"):
            return read_json(folder / str(module.get("path", "")) / "config.json")
    return {}
