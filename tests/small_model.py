"""A little BERT with random weights, texts to try it with, and what sentence-transformers makes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

SENTENCE = "the harbour lends small boats and slow rivers carry grain while markets price risk under fog"
WORDS = SENTENCE.split()
WIDTH, INNER, LAYERS, POSITIONS, LIMIT = 32, 64, 2, 24, 16
#: Texts of every script and of many lengths, from nothing to more than a model reads.
TEXTS = [
    "", " \n\t ", "a", ".", "Boats turn slowly.", "how do prediction markets aggregate information",
    "Prediction markets aggregate dispersed information more accurately than committees of experts do.",
    "Übermäßige Größe, naïve façades, crème brûlée", "Ελληνικά: ὁ ἄνθρωπος", "Русский текст, ёлка",
    "النص العربي، مُحَمَّد؟",
    "שָׁלוֹם עֲלֵיכֶם", "हिन्दी का पाठ। क्षेत्र", "ข้อความภาษาไทย", "深度学习模型的可扩展监督", "日本語のテキストです。ガギグ",
    "한국어 문장입니다", "አማርኛ ቋንቋ።", "👩‍🔬🚀 👍🏽 🇫🇮",
    "a\x00b\x07\u200b\xad\ufffd", "e\u0301 a\u0308 Z\u0351\u036b\u0343",
    "[CLS] and [SEP] and [MASK]", "x" * 300, "3.14 1,000,000 50% $5 ½", "it's e-mail: a.b@example.org",
    "`code` ~tilde~ {x} [y] \\ / _ = +", "word " * 1000, "boats " * 254,
    " ".join(WORDS * 6),
]  # fmt: skip


def small(folder: Path, pooling: str = "mean_tokens", prefix: str = "") -> Path:
    """A folder as sentence-transformers saves it, with a BERT of two layers and random weights."""
    draw = np.random.default_rng(1)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(WORDS), "."]

    def weight(*shape: int) -> np.ndarray:
        return draw.normal(scale=0.3, size=shape).astype(np.float32)

    arrays: dict[str, np.ndarray] = {}
    tables = {"word": len(vocabulary), "position": POSITIONS, "token_type": 2}
    for name, size in tables.items():
        arrays[f"embeddings.{name}_embeddings.weight"] = weight(size, WIDTH)
    dense = {"attention.self.query": (WIDTH, WIDTH), "attention.self.key": (WIDTH, WIDTH),
             "attention.self.value": (WIDTH, WIDTH), "attention.output.dense": (WIDTH, WIDTH),
             "intermediate.dense": (INNER, WIDTH), "output.dense": (WIDTH, INNER)}  # fmt: skip
    norms = ["embeddings.LayerNorm"]
    for layer in (f"encoder.layer.{number}." for number in range(LAYERS)):
        for name, shape in dense.items():
            arrays |= {f"{layer}{name}.weight": weight(*shape), f"{layer}{name}.bias": weight(shape[0])}
        norms += [f"{layer}attention.output.LayerNorm", f"{layer}output.LayerNorm"]
    for name in norms:
        arrays |= {f"{name}.weight": 1 + weight(WIDTH), f"{name}.bias": weight(WIDTH)}
    files: dict[str, Any] = {
        "config.json": {"architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu",
                        "hidden_size": WIDTH, "intermediate_size": INNER, "layer_norm_eps": 1e-12,
                        "max_position_embeddings": POSITIONS, "num_attention_heads": 4, "num_hidden_layers": LAYERS,
                        "type_vocab_size": 2, "pad_token_id": 0, "vocab_size": len(vocabulary)},
        "modules.json": [{"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
                         for i, (path, kind) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling")])],
        "sentence_bert_config.json": {"max_seq_length": LIMIT},
        "tokenizer_config.json": {"tokenizer_class": "BertTokenizer", "do_lower_case": True},
        "1_Pooling/config.json": {"word_embedding_dimension": WIDTH}
        | {f"pooling_mode_{mode}": mode == pooling for mode in ("mean_tokens", "cls_token", "max_tokens")},
    }  # fmt: skip
    (folder / "1_Pooling").mkdir(parents=True)
    for file, data in files.items():
        (folder / file).write_text(json.dumps(data))
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    save_file({prefix + name: array for name, array in arrays.items()}, folder / "model.safetensors", {"format": "pt"})
    return folder


def change(path: Path, **values: object) -> None:
    """Set values of a JSON file, made where there is none."""
    path.write_text(json.dumps((json.loads(path.read_text()) if path.exists() else {}) | values))


def reference(folder: Path, texts: Sequence[str]) -> np.ndarray:
    """What sentence-transformers makes of the texts."""
    return _reference(folder, tuple(texts))


@cache
def _reference(folder: Path, texts: tuple[str, ...]) -> np.ndarray:
    import torch  # noqa: PLC0415
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # on a busy machine many take far longer
    try:
        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        return np.asarray(model.encode(list(texts), batch_size=4, normalize_embeddings=True, show_progress_bar=False))
    finally:
        torch.set_num_threads(threads)
