"""BERT in NumPy: the vectors of sentence-transformers, and what is said of folders that it cannot run."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from codex_kb.encoders import bert, weights
from codex_kb.encoders.bert import BertEncoder
from codex_kb.encoders.onnx import OnnxEncoder
from codex_kb.encoders.safetensors_file import Weights
from codex_kb.errors import UsageError
from small_model import POSITIONS, TEXTS, WIDTH, WORDS, change, reference, small

REAL = weights.embedded()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small model's folder."""
    return small(tmp_path / "model")


@cache
def real() -> BertEncoder:
    """The embedded model."""
    return BertEncoder(REAL)


# -- vectors ---------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(os.environ.get("CODEX_FAST") == "1", reason="loads the real model")
def test_the_real_model_equals_sentence_transformers() -> None:
    assert np.abs(real().encode(TEXTS) - reference(REAL, TEXTS)).max() < 1e-6


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(os.environ.get("CODEX_FAST") == "1", reason="loads torch")
@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token"])
def test_a_small_model_equals_sentence_transformers(tmp_path: Path, pooling: str) -> None:
    path = small(tmp_path / "model", pooling)
    texts = [" ".join(WORDS[:count]) for count in range(len(WORDS) + 1)]
    assert np.abs(BertEncoder(path).encode(texts) - reference(path, texts)).max() < 1e-6


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(os.environ.get("CODEX_FAST") == "1", reason="loads torch")
@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token"])
def test_a_model_as_it_is_saved_today_is_covered(tmp_path: Path, pooling: str) -> None:
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    path = small(tmp_path / "old", pooling)
    new = tmp_path / "new"
    SentenceTransformer(str(path), device="cpu").save(str(new))
    assert not (new / "vocab.txt").exists()
    assert bert.uncovered(new) == ""
    texts = [" ".join(WORDS[:count]) for count in range(len(WORDS) + 1)]
    assert np.abs(BertEncoder(new).encode(texts) - BertEncoder(path).encode(texts)).max() < 1e-6


def test_a_vector_depends_on_nothing_but_its_text() -> None:
    together = real().encode(TEXTS[:7])
    assert np.concatenate([real().encode([text]) for text in reversed(TEXTS[:7])])[::-1].tobytes() == together.tobytes()
    assert (together.dtype, together.shape) == (np.float32, (7, real().dimension))
    assert np.abs(np.linalg.norm(together, axis=1) - 1).max() < 1e-6


def test_no_texts_are_no_rows(folder: Path) -> None:
    assert BertEncoder(folder).encode([]).shape == (0, WIDTH)


def test_names_may_begin_with_the_model_s(tmp_path: Path) -> None:
    plain, named = small(tmp_path / "plain"), small(tmp_path / "named", prefix="bert.")
    assert BertEncoder(named).encode(WORDS).tobytes() == BertEncoder(plain).encode(WORDS).tobytes()


def test_gelu_is_the_exact_one() -> None:
    x = np.linspace(-12, 12, 20_001, dtype=np.float32)
    exact = np.array([v * 0.5 * math.erfc(-v / math.sqrt(2)) for v in x.astype(float)])
    assert np.abs(bert._gelu(x) - exact).max() < 1e-6
    assert np.isfinite(bert._gelu(np.array([-1e5, -1e3, 0, 1e3, 1e5], np.float32))).all()


def test_a_fresh_process_loads_nothing_heavy() -> None:
    heavy = {"torch", "transformers", "tokenizers", "onnxruntime", "sentence_transformers", "safetensors", "faiss",
             "numpy.testing", "numpy.f2py", "click", "yaml", "re"}  # fmt: skip
    code = """if True:
        import sys, numpy
        before = set(sys.modules)
        from pathlib import Path
        from codex_kb.encoders.bert import BertEncoder
        BertEncoder(Path(sys.argv[1])).encode(["boats turn slowly"])
        print(*(set(sys.modules) - before))
    """
    done = subprocess.run([sys.executable, "-c", code, str(REAL)], check=True, capture_output=True, text=True)
    assert "codex_kb.encoders.wordpiece" in done.stdout.split()
    assert not heavy & set(done.stdout.split())


@pytest.mark.parametrize("limits", [{}, {"model_max_length": 10**30}, {"model_max_length": POSITIONS}], ids=str)
@pytest.mark.parametrize("encoder", [BertEncoder, OnnxEncoder])
def test_a_folder_that_sets_no_limit_reads_as_many_tokens_as_it_has_positions(
    folder: Path, encoder: type[BertEncoder | OnnxEncoder], limits: dict[str, int]
) -> None:
    (folder / "sentence_bert_config.json").unlink()
    change(folder / "tokenizer_config.json", **limits)
    fitting = "boats " * (POSITIONS - 2)
    long, cut = encoder(folder).encode([fitting * 3, fitting])
    assert long.tobytes() == cut.tobytes()


# -- folders that are damaged ----------------------------------------------------------------------


@pytest.mark.parametrize("file", ["model.safetensors", "vocab.txt"])
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(UsageError) as caught:
        BertEncoder(folder).encode(["boats"])
    assert (caught.value.path, bool(caught.value.hint)) == (str(folder / file), True)


@pytest.mark.parametrize("size", [0, 3, 8, 100, -4, -1])
def test_truncated_weights_are_refused(folder: Path, size: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(UsageError, match="not a whole safetensors file") as caught:
        BertEncoder(folder).encode(["boats"])
    assert (caught.value.path, bool(caught.value.hint)) == (str(path), True)
    assert "not a whole safetensors file" in bert.uncovered(folder)


def test_weights_that_lack_one_are_refused(folder: Path) -> None:
    arrays = load_file(folder / "model.safetensors")
    del arrays["encoder.layer.1.output.dense.bias"]
    save_file(arrays, folder / "model.safetensors")
    with pytest.raises(UsageError, match=r"no float32 array encoder\.layer\.1\.output\.dense\.bias"):
        BertEncoder(folder).encode(["boats"])


# -- the file of weights ---------------------------------------------------------------------------

ENTRY = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}


def stored(path: Path, header: object, data: bytes = bytes(16), length: int | None = None) -> Path:
    """A file in the safetensors format, or nearly so."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def test_arrays_are_views_of_the_mapped_file(folder: Path) -> None:
    ours = Weights.open(folder / "model.safetensors")
    for name, array in load_file(folder / "model.safetensors").items():
        assert ours[name].tobytes() == array.tobytes()
        assert (ours[name].shape, ours[name].dtype) == (array.shape, np.float32)
        assert not ours[name].flags.writeable
        assert not ours[name].flags.owndata
    assert sorted(ours.names()) == sorted(load_file(folder / "model.safetensors"))


def test_other_types_are_refused_when_asked_for(tmp_path: Path) -> None:
    header = {"__metadata__": {"format": "pt"}, "half": {**ENTRY, "dtype": "F16", "data_offsets": [0, 8]},
              "ids": {**ENTRY, "dtype": "I32", "data_offsets": [8, 24]}}  # fmt: skip
    ours = Weights.open(stored(tmp_path / "x", header, bytes(24)))
    assert (sorted(ours.names()), ours.kinds()) == (["half", "ids"], {"F16"})
    for name in ("half", "ids", "none"):
        with pytest.raises(UsageError, match=f"no float32 array {name}"):
            ours[name]


@pytest.mark.parametrize(
    ("header", "data", "length"),
    [
        ({"a": ENTRY}, bytes(15), None),
        ({"a": ENTRY}, bytes(17), None),
        ({"a": ENTRY}, bytes(16), 2**63),
        ({"a": ENTRY}, bytes(16), 10),
        (b"{not json", b"", None),
        (b'{"\xff": 1}', b"", None),
        ([ENTRY], b"", None),
        ({"a": [0, 16]}, bytes(16), None),
        ({"a": {"dtype": "F32"}}, bytes(16), None),
        ({"a": {**ENTRY, "data_offsets": ["0", "16"]}}, bytes(16), None),
        ({"a": {"shape": [2, 2], "data_offsets": [0, 16]}}, bytes(16), None),
        ({"a": {"dtype": "F32", "data_offsets": [0, 16]}}, bytes(16), None),
        ({"a": {**ENTRY, "shape": [3, 3]}}, bytes(16), None),
    ],
    ids=["short", "long", "huge header", "cut header", "no JSON", "no UTF-8", "list", "no entry", "no place", "text",
         "no type", "no shape", "other shape"],
)  # fmt: skip
def test_a_wrong_header_is_refused(tmp_path: Path, header: object, data: bytes, length: int | None) -> None:
    path = stored(tmp_path / "x", header, data, length)
    with pytest.raises(UsageError, match="not a whole safetensors file") as caught:
        Weights.open(path)
    assert (caught.value.path, bool(caught.value.hint)) == (str(path), True)


# -- folders that are not covered ------------------------------------------------------------------


def dense(folder: Path) -> None:
    """A module more than there should be."""
    modules = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(json.dumps([*modules, {"path": "2_Dense", "type": "x.models.Dense"}]))


def half(folder: Path) -> None:
    """Weights of half the size."""
    path = folder / "model.safetensors"
    save_file({name: array.astype(np.float16) for name, array in load_file(path).items()}, path)


REASONS: list[tuple[Callable[[Path], None], str]] = [
    (lambda f: change(f / "config.json", model_type="mpnet"), "its model is mpnet"),
    (lambda f: (f / "config.json").write_text("{"), "its model is unknown"),
    (lambda f: change(f / "config.json", hidden_act="gelu_new"), "its activation is gelu_new"),
    (lambda f: change(f / "config.json", position_embedding_type="relative_key"), "its positions are relative"),
    (lambda f: (f / "model.safetensors").unlink(), "it has no model.safetensors"),
    (lambda f: (f / "vocab.txt").unlink(), "it has no vocabulary"),
    (lambda f: (f / "modules.json").unlink(), "its modules are"),
    (dense, "its modules are ['Transformer', 'Pooling', 'Dense']"),
    (half, "its weights are F16"),
    (lambda f: change(f / "1_Pooling" / "config.json", pooling_mode_max_tokens=True), "its pooling"),
    (lambda f: (f / "1_Pooling" / "config.json").unlink(), "its pooling"),
    (lambda f: change(f / "sentence_bert_config.json", do_lower_case=True), "its text is lowered"),
    (lambda f: change(f / "config_sentence_transformers.json", prompts={"q": "find: "}, default_prompt_name="q"),
     "it puts a prompt before a text"),
    (lambda f: change(f / "tokenizer_config.json", tokenizer_class="XLMRobertaTokenizer"), "its tokenizer"),
    (lambda f: change(f / "tokenizer_config.json", strip_accents=False), "its tokenizer"),
    (lambda f: change(f / "tokenizer_config.json", tokenize_chinese_chars=False), "its tokenizer"),
]  # fmt: skip


@pytest.mark.parametrize(("harm", "reason"), REASONS, ids=[str(i) for i in range(len(REASONS))])
def test_a_folder_that_is_not_covered_says_why(folder: Path, harm: Callable[[Path], None], reason: str) -> None:
    assert bert.uncovered(folder) == ""
    harm(folder)
    assert bert.uncovered(folder).startswith(reason)


@pytest.mark.parametrize("key", ["hidden_size", "num_hidden_layers", "num_attention_heads", "layer_norm_eps"])
def test_a_config_that_lacks_a_number_is_not_covered(folder: Path, key: str) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    del config[key]
    path.write_text(json.dumps(config))
    assert bert.uncovered(folder)


def test_what_changes_no_vector_is_covered(folder: Path, tmp_path: Path) -> None:
    assert bert.uncovered(REAL) == ""
    modules = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(json.dumps([*modules, {"path": "2_Normalize", "type": "x.models.Normalize"}]))
    change(
        folder / "config_sentence_transformers.json", prompts={"query": "", "document": ""}, default_prompt_name=None
    )
    assert bert.uncovered(folder) == ""
    shutil.rmtree(folder)
    assert bert.uncovered(folder)


@pytest.mark.parametrize("shape", [(1536, 384), (384, 1536), (7, 5), (512, 2048)])
@pytest.mark.parametrize("tokens", [1, 12, 20, 21, 60])
def test_a_product_is_the_same_a_few_rows_at_a_time(shape: tuple[int, int], tokens: int) -> None:
    draw = np.random.default_rng(5)
    matrix, states = draw.standard_normal(shape), draw.standard_normal((shape[1], tokens))
    found = bert._product(matrix.astype(np.float32), states.astype(np.float32))
    assert (found.dtype, found.shape) == (np.float32, (shape[0], tokens))
    assert np.abs(found - matrix @ states).max() < 1e-3
