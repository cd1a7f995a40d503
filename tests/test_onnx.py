"""Bulk embedding by ONNX Runtime: the same vectors as sentence-transformers, the same bits in every batch."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from codex_kb.encoders import onnx, weights
from codex_kb.encoders.onnx import OnnxEncoder
from codex_kb.errors import UsageError
from small_model import TEXTS, WIDTH, WORDS, change, reference, small

pytestmark = pytest.mark.skipif(not onnx.available(), reason="ONNX Runtime is not installed")

REAL = weights.embedded()


def mixed() -> list[str]:
    """Texts of many lengths, several of each."""
    draw = random.Random(7)
    return TEXTS + [" ".join(draw.choices(WORDS, k=1 + i % 17)) + "." for i in range(52)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small model's folder."""
    return small(tmp_path / "model")


@pytest.fixture
def one_text_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches as small as they can be."""
    monkeypatch.setattr(onnx, "_TOKENS_A_BATCH", 1)


# -- vectors ---------------------------------------------------------------------------------------


def test_the_bits_of_a_vector_depend_on_nothing_but_its_text(folder: Path) -> None:
    texts = mixed()
    encoder = OnnxEncoder(folder)
    together = encoder.encode(texts)
    order = random.Random(3).sample(range(len(texts)), len(texts))
    assert np.concatenate([encoder.encode([text]) for text in texts]).tobytes() == together.tobytes()
    assert encoder.encode([texts[i] for i in order]).tobytes() == together[order].tobytes()
    for threads in (1, 2, 5):
        assert OnnxEncoder(folder, threads).encode(texts).tobytes() == together.tobytes()
    assert (together.dtype, together.shape) == (np.float32, (len(texts), encoder.dimension))
    assert np.abs(np.linalg.norm(together, axis=1) - 1).max() < 1e-6


def test_the_size_of_batches_changes_no_bit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = OnnxEncoder(folder).encode(mixed())
    for size in (1, 40, 100_000):
        monkeypatch.setattr(onnx, "_TOKENS_A_BATCH", size)
        assert OnnxEncoder(folder).encode(mixed()).tobytes() == vectors.tobytes()


def test_the_real_model_gives_the_same_bits_in_every_batch() -> None:
    texts = mixed()[4:40:3]
    encoder = OnnxEncoder(REAL)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert encoder.encode(texts).tobytes() == alone.tobytes()


@pytest.mark.parametrize("threads", [0, 3])
def test_no_texts_are_no_rows(folder: Path, threads: int) -> None:
    assert OnnxEncoder(folder, threads).encode([]).shape == (0, WIDTH)
    assert list(OnnxEncoder(folder, threads).encode_many([])) == []


def test_names_may_begin_with_the_model_s(tmp_path: Path) -> None:
    plain, named = small(tmp_path / "plain"), small(tmp_path / "named", prefix="bert.")
    assert OnnxEncoder(named).encode(WORDS).tobytes() == OnnxEncoder(plain).encode(WORDS).tobytes()


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(os.environ.get("CODEX_FAST") == "1", reason="loads torch")
@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token"])
def test_a_small_model_equals_sentence_transformers(tmp_path: Path, pooling: str) -> None:
    path = small(tmp_path / "model", pooling)
    assert np.abs(OnnxEncoder(path).encode(TEXTS + WORDS) - reference(path, TEXTS + WORDS)).max() < 1e-5


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(os.environ.get("CODEX_FAST") == "1", reason="loads the real model")
def test_the_real_model_equals_sentence_transformers() -> None:
    assert np.abs(OnnxEncoder(REAL).encode(TEXTS) - reference(REAL, TEXTS)).max() < 1e-5


@pytest.mark.filterwarnings("default")
def test_nothing_is_reported_to_anyone(tmp_path: Path) -> None:
    code = "import sys; from codex_kb.encoders.onnx import OnnxEncoder; from pathlib import Path; "
    code += "OnnxEncoder(Path(sys.argv[1])).encode(['a text'])"
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith(("ORT_", "XDG_"))}
    command = [sys.executable, "-c", code, str(small(tmp_path / "model"))]
    subprocess.run(command, check=True, env={**kept, "HOME": str(home)})
    assert not [path for path in home.rglob("*") if "microsoft" in path.as_posix().lower()]


# -- batches ---------------------------------------------------------------------------------------


def test_batches_tell_how_far_the_work_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx, "_TOKENS_A_BATCH", 40)
    texts = mixed()
    encoder = OnnxEncoder(folder)
    batches = list(encoder.encode_many(texts))
    assert sorted(i for batch in batches for i in batch.positions) == list(range(len(texts)))
    done = [batch.tokens_done for batch in batches]
    assert done == sorted(set(done))
    assert {batch.tokens_total for batch in batches} == {done[-1]}
    lengths = [[len(encoder._tokens([texts[i]])[0]) for i in batch.positions] for batch in batches]
    assert all(len(set(batch)) == 1 and sum(batch) <= 40 for batch in lengths)
    assert [batch[0] for batch in lengths] == sorted((batch[0] for batch in lengths), reverse=True)


@pytest.mark.usefixtures("one_text_a_batch")
def test_a_failure_in_a_batch_reaches_the_caller(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = OnnxEncoder(folder, threads=2)
    good, bad = np.array([2, 5, 3], np.int32), np.array([2, 9999, 3], np.int32)
    monkeypatch.setattr(encoder, "_tokens", lambda texts: [good, good, bad, *[good] * len(texts)])
    with pytest.raises(Exception, match="out of range"):
        list(encoder.encode_many(mixed()))


@pytest.mark.usefixtures("one_text_a_batch")
def test_an_abandoned_iterator_stops_the_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []

    def run(rows: Sequence[np.ndarray]) -> np.ndarray:
        begun.append(len(rows))
        return np.zeros((len(rows), WIDTH), np.float32)

    encoder = OnnxEncoder(folder, threads=2)
    monkeypatch.setattr(encoder, "_run", run)
    batches = encoder.encode_many(mixed())
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert len(begun) <= 5
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("onnx")]


# -- folders that are damaged ----------------------------------------------------------------------


@pytest.mark.parametrize("file", ["model.safetensors", "vocab.txt"])
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(UsageError) as caught:
        OnnxEncoder(folder).encode(["boats"])
    assert (caught.value.path, bool(caught.value.hint)) == (str(folder / file), True)


@pytest.mark.parametrize("size", [0, 100, -1])
def test_truncated_weights_are_refused(folder: Path, size: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(UsageError, match="not a whole safetensors file"):
        OnnxEncoder(folder).encode(["boats"])


def test_weights_that_lack_one_are_refused(folder: Path) -> None:
    arrays = load_file(folder / "model.safetensors")
    del arrays["encoder.layer.1.output.dense.bias"]
    save_file(arrays, folder / "model.safetensors")
    with pytest.raises(UsageError, match=r"no float32 array encoder\.layer\.1\.output\.dense\.bias"):
        OnnxEncoder(folder).encode(["boats"])


def test_more_layers_than_there_are_weights_for_are_refused(folder: Path) -> None:
    change(folder / "config.json", num_hidden_layers=3)
    with pytest.raises(UsageError, match=r"no float32 array encoder\.layer\.2\."):
        OnnxEncoder(folder).encode(["boats"])


@pytest.mark.parametrize(("told", "threads"), [("3", 3), ("0", None), ("many", None)])
def test_who_shares_a_machine_says_how_many_threads(
    folder: Path, monkeypatch: pytest.MonkeyPatch, told: str, threads: int | None
) -> None:  # fmt: skip
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert OnnxEncoder(folder)._threads == (threads or len(os.sched_getaffinity(0)))
