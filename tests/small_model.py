"""A little BERT with random weights, as sentence-transformers saves a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

SENTENCE = "the harbour lends small boats and slow rivers carry grain while markets price risk under fog"
WORDS = SENTENCE.split()
WIDTH, INNER, LAYERS, POSITIONS = 32, 64, 2, 24


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
        "sentence_bert_config.json": {"max_seq_length": 16},
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
