"""Bulk work by an engine: which one, what its workers get of a knowledge base, and the base that they open on it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from codex_kb import wants
from codex_kb.config import ENGINE, ENGINES, FILE_NAME, LOCAL_ENGINE
from codex_kb.disk import gate, trust
from codex_kb.disk.generations import EVENTS, Generations
from codex_kb.disk.transaction import prepare_local
from codex_kb.errors import CodexError, UsageError
from codex_kb.index import local
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import DECISIONS, GENERATIONS, LOCAL
from codex_kb.learn.generation import DIRECTION, DIRECTIONS, FACTS
from codex_kb.run.cluster import Cluster
from codex_kb.text import toml_edit

if TYPE_CHECKING:
    from codex_kb.index.writer import Writing
    from codex_kb.ports import Vectors

#: Where the folder of `[index] model` is put.
_MODEL = "model"
#: What is known of how exact a model's quick ways are, so that no worker measures it anew.
_PROOFS = f"{LOCAL}/models/proofs.json"
#: Claims whose texts go out at a time.
_CHUNK = 2048
#: Texts that a worker embeds at a time; so few are embedded here.
_PIECE = 32


@dataclass(frozen=True, eq=False)
class Shipped:
    """Files of a knowledge base by their paths: settings, the generation that is asked, a model's own folder.

    With `claims` also decisions and the local copy of the index.
    """

    files: dict[str, bytes]
    claims: bool


def pack(kb: KnowledgeBase, claims: bool) -> Shipped:
    """What workers need of a knowledge base; `claims` where they look at claims and decisions too.

    The index was opened before, so that its local copy is there.

    Raises:
        UsageError: the settings are written so that a model's folder cannot be named in them.
        RefusedFile: the generations cannot be read.
    """
    root = kb.layout.root
    course = Generations(root).course
    wanted = [EVENTS]
    for name in filter(None, {course.in_force, course.trial}):
        wanted += [f"{GENERATIONS}/{name}/{each}" for each in (FACTS, DIRECTION, DIRECTIONS)]
    if claims:
        wanted += [f"{DECISIONS}/{each.name}" for each in (root / DECISIONS).glob("*.jsonl")]
    found = _readable(root, wanted)
    proofs = gate.local(root, _PROOFS)
    if proofs.is_file():
        found[_PROOFS] = proofs.read_bytes()
    if claims:
        copy = local.folder(root)
        found |= {f"{local.FOLDER}/{name}": (copy / name).read_bytes() for name in local.names(copy)}
    settings = (root / FILE_NAME).read_text(encoding="utf-8")
    folder = root / os.path.expanduser(kb.settings.index.model)
    if kb.settings.index.model and folder.is_dir():
        here = f"{_MODEL}/{folder.name}"
        files = (path for path in folder.rglob("*") if path.is_file())
        found |= {f"{here}/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in files}
        settings = _with_model(settings, here)
    return Shipped(found | {FILE_NAME: settings.encode()}, claims)


def _readable(root: Path, paths: Iterable[str]) -> dict[str, bytes]:
    """The files of these that can be read; who reads them here says what is wrong with the others."""
    found = {}
    for path in paths:
        with contextlib.suppress(CodexError):
            found[path] = gate.read(root, path)
    return found


def _with_model(settings: str, folder: str) -> str:
    found = toml_edit.with_texts(settings, ["index"], {"model": folder})
    if found is None:
        raise UsageError("[index] model cannot be sent to workers", path=FILE_NAME,
                         hint='write it as a line of its own: model = "FOLDER"')  # fmt: skip
    return found


# -- in a worker ------------------------------------------------------------------------------------


def unpacked(shipped: Shipped) -> KnowledgeBase:
    """A knowledge base in a temporary folder of this process, which must do nothing else.

    What its settings want was granted where it comes from, or nothing would have been sent.
    """
    home = tempfile.TemporaryDirectory(prefix="codex-kb-")
    _KEPT.append(home)
    root = Path(home.name, "kb")
    # What is known of this base, and granted to it, ends with this process.
    os.environ["XDG_STATE_HOME"] = str(Path(home.name, "state"))
    root.mkdir()
    prepare_local(root)
    for name, data in shipped.files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if shipped.claims:
        copy = root / local.FOLDER
        local.seal(copy, [each.name for each in copy.iterdir()], ())
    kb = KnowledgeBase(root)
    trust.grant(root, kb.wants())
    return kb


#: Folders that end with the process.
_KEPT: list[Any] = []


def encoding(shipped: Shipped, _: object) -> Callable[[Sequence[str]], Vectors]:
    """What a worker that embeds does: texts to float32 of shape (len(texts), dimension)."""
    return unpacked(shipped).encoder.encode


# -- where they are called -------------------------------------------------------------------------


def named(kb: KnowledgeBase, engine: str | None) -> str:
    """The engine of that name, None for the settings'. Raises UsageError where there is none."""
    found = kb.settings.run.engine if engine is None else engine
    if not ENGINE.fullmatch(found):
        raise UsageError(f"there is no engine {found!r}", hint=ENGINES)
    return found


@contextlib.contextmanager
def opened(kb: KnowledgeBase, engine: str | None) -> Iterator[Cluster | None]:
    """The cluster of that engine, in which nothing runs before it is given work; None for this process.

    Raises:
        UsageError: there is no such engine, it is not installed, or the settings' own was not granted.
    """
    name = named(kb, engine)
    if name == LOCAL_ENGINE:
        yield None
        return
    if engine is None:
        kb.require(wants.of_engine(name))
    kb.require(wants.of_files(kb.settings.run.files))
    with contextlib.closing(Cluster(name, kb.settings.run.patience)) as cluster:
        yield cluster


def spread(kb: KnowledgeBase, given: Writing, cluster: Cluster) -> Writing:
    """What the local copy of the index is written from, with workers that embed."""
    return dataclasses.replace(given, encoder=Spread(kb, cluster), chunk=_CHUNK)


class Spread:
    """An encoder whose many texts are embedded by workers: the same bits, since a row depends on its text alone."""

    def __init__(self, kb: KnowledgeBase, cluster: Cluster) -> None:
        self._encoder = kb.encoder
        self._cluster = cluster
        self._shipped = pack(kb, claims=False)
        self.name = kb.encoder.name

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._encoder.dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; float32 of shape (len(texts), dimension), rows of length 1."""
        if len(texts) <= _PIECE:
            return self._encoder.encode(texts)
        return np.concatenate([*self._pieces(texts)])

    def _pieces(self, texts: Sequence[str]) -> Iterator[Vectors]:
        starts = range(0, len(texts), _PIECE)
        for _, rows in self._cluster.in_order(encoding, self._shipped, starts, lambda at: texts[at : at + _PIECE]):
            yield rows()

    def query(self, text: str) -> Vectors:
        """Embed a question here; float32 of shape (dimension)."""
        return self._encoder.query(text)

    def quick(self) -> str:
        """As of the model itself."""
        return self._encoder.quick()

    def prove(self, texts: Sequence[str]) -> str:
        """As of the model itself: measured here."""
        return self._encoder.prove(texts)
