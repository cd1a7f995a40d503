"""What a repository's settings want that reaches out or runs: one sentence each, which the user grants or not.

The sentence is the whole of what is granted: another address, another file, and the user is asked again.
"""

from __future__ import annotations

import os
from pathlib import Path

from codex_kb import language
from codex_kb.config import FILE_NAME, Settings
from codex_kb.encoders import weights
from codex_kb.errors import UsageError

#: Files of a model's folder, at most.
_MOST_FILES = 1000


def of(settings: Settings, root: Path, local: Path) -> tuple[str, ...]:
    """All that the settings of the knowledge base at a root want; `local` is where hashes are kept.

    Raises:
        UsageError: a model's folder is none that can be looked through.
    """
    models = dict.fromkeys([settings.propose.model, *(agent.model for agent in settings.agents.values())])
    found = [*(of_language(model, root, local) for model in models), of_encoder(settings.index.model, root, local),
             of_engine(settings.run.engine), of_files(settings.run.files)]  # fmt: skip
    return tuple(filter(None, found))


def of_language(model: str, root: Path, local: Path) -> str:
    """What a proposer's model wants; empty where it is no language model."""
    if not language.knows(model):
        return ""
    address = language.address(model)
    if address:
        return f"send sources to {address} (model {model}), with the key {language.key_of(model)} where it is set"
    path = root / model.partition(":")[2]
    real, base = path.resolve(), root.resolve()
    if not (real.is_relative_to(base) and real.is_file()):
        return f"run the model {real}"
    return f"run the model {real.relative_to(base).as_posix()} (sha256 {weights.sha256_of(real, local)})"


def of_encoder(model: str, root: Path, local: Path) -> str:
    """What `[index] model` wants; empty for the embedded default.

    Raises:
        UsageError: its folder holds a link out of the knowledge base, or too much.
    """
    if not model:
        return ""
    folder = root / os.path.expanduser(model)
    if not os.path.isdir(folder):
        return f"fetch the model {model} from huggingface.co, and run it"
    real, base = folder.resolve(), root.resolve()
    if not real.is_relative_to(base):
        return f"run the model in {real}"
    return f"run the model in {real.relative_to(base).as_posix()} (sha256 {_fingerprint(real, base, local)})"


def of_engine(engine: str) -> str:
    """What an engine of the settings wants; empty for this process."""
    address = engine.partition("://")[2]
    if address:
        return f"send sources to the Ray cluster at {address}, whose machines can run code here"
    return "" if engine == "local" else "start a Ray cluster on this machine"


def of_files(files: str) -> str:
    """What `[run] files` wants; empty where sources are sent."""
    return f"have workers of a cluster read sources at {files}" if files else ""


def _fingerprint(folder: Path, root: Path, local: Path) -> str:
    """A hash of every file of a folder by its name, so that a changed one asks again."""
    import hashlib  # noqa: PLC0415 (the embedded default needs none)

    lines: list[str] = []
    for at, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted([*names, *(each for each in folders if os.path.islink(os.path.join(at, each)))]):
            path = Path(at, name)
            real = path.resolve()
            if not (real.is_relative_to(root) and real.is_file()):
                raise _no_model(folder, root, f"{name} is no file of this knowledge base")
            lines.append(f"{path.relative_to(folder).as_posix()}\0{weights.sha256_of(real, local)}")
            if len(lines) > _MOST_FILES:
                raise _no_model(folder, root, f"more than {_MOST_FILES} files")
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


def _no_model(folder: Path, root: Path, why: str) -> UsageError:
    return UsageError(f"[index] model: {folder.relative_to(root).as_posix()} is no model's folder: {why}",
                      path=FILE_NAME, hint="name a folder that holds the model and nothing else")  # fmt: skip
