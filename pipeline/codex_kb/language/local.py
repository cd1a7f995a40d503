"""A language model that runs in this process: a GGUF file and llama.cpp. Nothing leaves the machine."""

from __future__ import annotations

import importlib.util
import threading
from functools import cache
from pathlib import Path
from typing import Any

from codex_kb.disk import processors
from codex_kb.errors import ModelError, UsageError
from codex_kb.records import Answer, Prompt

_INSTALL = "pip install 'codex-kb[local]' (it needs a C++ compiler and takes minutes)"
_MAGIC = b"GGUF"
#: Tokens of context at most: each takes memory.
_MOST = 8192
_SEED = 0


class LocalModel:
    """A GGUF file; answers one question at a time, the same question with the same answer."""

    at_once = 1

    def __init__(self, path: Path, *, most: int = _MOST) -> None:
        """`most` is how many tokens of context are used at most.

        Raises:
            UsageError: llama.cpp is not installed, or the file is not a model that it runs.
        """
        _check(path)
        self.name = f"local:{path.stem}"
        self._lock = threading.Lock()
        self._llama = _opened(path, most)
        self.context_tokens: int = self._llama.n_ctx()

    def ask(self, prompt: Prompt) -> Answer:
        """One answer that fits the schema, as far as it goes.

        Raises:
            ModelError: the question is too long, the answer is cut off or empty.
        """
        with self._lock:
            needed = len(self._llama.tokenize(f"{prompt.system}\n{prompt.user}".encode()))
            if needed >= self.context_tokens:
                raise self._too_long(needed)
            # What was computed for the question before would change the numbers, and with them the answer.
            self._llama.reset()
            try:
                said = self._llama.create_chat_completion(
                    messages=[
                        {"role": "system", "content": prompt.system},
                        {"role": "user", "content": prompt.user},
                    ],
                    response_format={"type": "json_object", "schema": dict(prompt.schema)},
                    max_tokens=prompt.max_tokens, temperature=0.0, seed=_SEED,
                )  # fmt: skip
            except Exception as error:  # llama.cpp and a model's chat format raise what they like
                failure = str(error)
                if "context window" in failure:
                    raise self._too_long(needed) from None
                raise ModelError("rejected", f"{self.name} cannot be asked this way: {failure[:200]}",
                                 hint="choose another model") from None  # fmt: skip
        tokens = (int(said["usage"]["prompt_tokens"]), int(said["usage"]["completion_tokens"]))
        choice = said["choices"][0]
        if choice["finish_reason"] == "length":
            raise ModelError("truncated", f"the answer is longer than {tokens[1]} tokens", tokens=tokens)
        text = choice["message"]["content"] or ""
        if not text.strip():
            raise ModelError("invalid", "the answer is empty", tokens=tokens)
        return Answer(text, *tokens, 0.0)

    def price(self, input_tokens: int, output_tokens: int) -> float | None:
        """Nothing: it runs here."""
        return 0.0

    def _too_long(self, tokens: int) -> ModelError:
        return ModelError("rejected", f"the question has more tokens ({tokens}) than {self.name} reads at once "
                          f"({self.context_tokens})", hint="choose a model that reads more at once")  # fmt: skip


def _check(path: Path) -> None:
    if importlib.util.find_spec("llama_cpp") is None:
        raise UsageError("local models need more packages", hint=_INSTALL)
    try:
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
    except OSError as error:
        raise UsageError(f"the model cannot be read: {error.strerror}", path=str(path)) from error
    if start != _MAGIC:
        raise UsageError("this is not a GGUF file", path=str(path), hint="local:PATH.gguf")


def _opened(path: Path, most: int) -> Any:
    llama = _llama(path, most)
    trained = next((int(value) for key, value in llama.metadata.items() if key.endswith(".context_length")), most)
    if 0 < trained < most:
        llama.close()
        llama = _llama(path, trained)
    return llama


def _llama(path: Path, context: int) -> Any:
    try:
        _silence()
        from llama_cpp import Llama  # noqa: PLC0415
    except (ImportError, OSError, RuntimeError):
        # From None: it is a library's path and a linker's words.
        raise UsageError("llama.cpp cannot be loaded; install it again", hint=_INSTALL) from None
    try:
        return Llama(str(path), n_ctx=context, n_threads=processors.usable(), seed=_SEED, verbose=False)
    except (ValueError, RuntimeError, AssertionError):
        # From None: it says no more than that, and repeats the path.
        raise UsageError("the model is damaged, or llama.cpp does not run its kind", path=str(path),
                         hint="download it again") from None  # fmt: skip


@cache
def _silence() -> Any:
    """llama.cpp writes to the terminal; kept for as long as the process lives, as C holds on to it."""
    import llama_cpp  # noqa: PLC0415

    nothing = llama_cpp.llama_log_callback(lambda level, text, data: None)
    llama_cpp.llama_log_set(nothing, None)
    return nothing
