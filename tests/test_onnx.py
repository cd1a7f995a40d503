"""Bulk embedding by ONNX Runtime: the same vectors as sentence-transformers, the same bits in every batch."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from codex_kb.encoders import onnx, weights
from codex_kb.errors import UsageError
from small_model import WORDS, small

pytestmark = pytest.mark.skipif(not onnx.available(), reason="ONNX Runtime is not installed")

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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small(tmp_path / "model")


def test_the_bits_of_a_vector_depend_on_nothing_but_its_text(folder: Path) -> None:
    texts = mixed()
    encoder = onnx.OnnxEncoder(folder)
    together = encoder.encode(texts)
    order = random.Random(3).sample(range(len(texts)), len(texts))
    assert np.concatenate([encoder.encode([text]) for text in texts]).tobytes() == together.tobytes()
    assert encoder.encode([texts[i] for i in order]).tobytes() == together[order].tobytes()
    assert onnx.OnnxEncoder(folder, threads=3).encode(texts).tobytes() == together.tobytes()
    assert (together.dtype, together.shape) == (np.float32, (len(texts), encoder.dimension))
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


def test_nothing_is_embedded_as_no_rows(folder: Path) -> None:
    assert onnx.OnnxEncoder(folder).encode([]).shape == (0, 32)


def test_batches_tell_how_far_the_work_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx, "_TOKENS_A_BATCH", 40)
    texts = mixed()
    encoder = onnx.OnnxEncoder(folder)
    batches = list(encoder.encode_many(texts))
    assert sorted(i for batch in batches for i in batch.positions) == list(range(len(texts)))
    done = [batch.tokens_done for batch in batches]
    assert done == sorted(set(done))
    assert {batch.tokens_total for batch in batches} == {done[-1]}
    assert len(next(encoder.encode_many(texts)).vectors) == len(batches[0].positions)


def test_a_failure_in_a_batch_reaches_the_caller(folder: Path) -> None:
    encoder = onnx.OnnxEncoder(folder)
    encoder._tokens = lambda texts: [np.array([2, 9999, 3], dtype=np.int32) for _ in texts]  # type: ignore[method-assign]
    with pytest.raises(Exception, match="out of range"):
        encoder.encode(["a", "b"])


def test_weights_that_lack_one_are_refused(folder: Path) -> None:
    stored = load_file(folder / "model.safetensors")
    del stored["encoder.layer.1.output.dense.bias"]
    save_file(stored, folder / "model.safetensors")
    with pytest.raises(UsageError, match=r"no float32 array encoder\.layer\.1\.output\.dense\.bias"):
        onnx.OnnxEncoder(folder).encode(["a"])


def reference(folder: Path, texts: list[str]) -> np.ndarray:
    """What sentence-transformers makes of the texts."""
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    return np.asarray(SentenceTransformer(str(folder), device="cpu").encode(texts, normalize_embeddings=True))


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(os.environ.get("CODEX_FAST") == "1", reason="loads torch")
@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token"])
def test_a_small_model_equals_sentence_transformers(tmp_path: Path, pooling: str) -> None:
    folder = small(tmp_path / "model", pooling)
    difference = np.abs(onnx.OnnxEncoder(folder).encode(mixed()) - reference(folder, mixed()))
    assert difference.max() < 1e-5


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(os.environ.get("CODEX_FAST") == "1", reason="loads the real model")
def test_the_real_model_equals_sentence_transformers() -> None:
    folder = weights.embedded()
    texts = mixed()
    encoder = onnx.OnnxEncoder(folder)
    vectors = encoder.encode(texts)
    assert np.abs(vectors - reference(folder, texts)).max() < 1e-5
    assert np.concatenate([encoder.encode([text]) for text in texts]).tobytes() == vectors.tobytes()
