"""Nearest rows by inner product: exact over a mapped file, or approximate; only this module knows FAISS."""

from __future__ import annotations

import bisect
import contextlib
import functools
import mmap
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from codex_kb.ports import Vectors

    Rows = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float32]

_FLOAT = 4
#: Rows that are scanned at once, so that memory stays small: 30 MB of 384 dimensions.
_BLOCK = 20_000
#: Rows from which the approximate index pays: an exact scan of 384 dimensions takes 30 ms here.
APPROXIMATE_FROM = 200_000
#: Scans after which the rows are kept in 8 bits too: to make these takes as long as they save in so many.
_OFTEN = 50
#: Of how many times as many rows the 8 bits are asked; 2 do for most questions.
_WIDER = 4
#: What scores may differ by for being summed in another order.
_ROUNDING = 1e-5
_TRAINED_ON = 64
_SAMPLE = 500
_RECALL = 0.985


def append(path: Path, vectors: Vectors) -> None:
    """Put rows at the end of a file of float32 rows."""
    with path.open("ab") as file:
        file.write(np.ascontiguousarray(vectors, np.float32).tobytes())


def mapped(path: Path, rows: int, dimension: int) -> Vectors:
    """The first rows of a file as float32 of shape (rows, dimension), mapped, not read.

    Raises:
        ValueError: the file is too short.
    """
    if not rows:
        return np.zeros((0, dimension), np.float32)
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < rows * dimension * _FLOAT:
            raise ValueError(f"{path.name} is too short")
        view = mmap.mmap(file.fileno(), rows * dimension * _FLOAT, access=mmap.ACCESS_READ)
    return np.frombuffer(view, np.float32).reshape(rows, dimension)


def top(scores: Vectors, k: int) -> Rows:
    """The places of the k largest scores, largest first; equal ones in the order of their places."""
    if k < len(scores):
        # Those that equal the k-th belong to the question of order too.
        least = scores[np.argpartition(scores, -k)[-k:]].min()
        found = np.flatnonzero(scores >= least)
    else:
        found = np.arange(len(scores))
    return found[np.argsort(-scores[found], kind="stable")][:k]


def top_above_zero(scores: Vectors, k: int) -> Rows:
    """The places of the k largest scores above 0; quick where most are 0, which a partition is not."""
    some = np.flatnonzero(scores > 0)
    return np.asarray(some[top(scores[some], k)], np.int64)


def scan(matrix: Vectors, query: Vectors, k: int, only: Rows | None = None, hidden: Rows | None = None) -> Rows:
    """The k nearest rows to a query, exactly; of `only` these, without the `hidden` ones."""
    if only is None:
        scores = matrix @ query
        if hidden is not None and len(hidden):
            scores[hidden] = -np.inf
            k = min(k, len(scores) - len(hidden))
        return top(scores, k)
    scores = scores_of(matrix, query, only)
    return np.asarray(only[top(scores, min(k, len(only)))], np.int64)


def scores_of(matrix: Vectors, query: Vectors, rows: Rows) -> Vectors:
    """The inner products of some rows with a query, float32 of shape (rows)."""
    parts = [matrix[rows[at : at + _BLOCK]] @ query for at in range(0, len(rows), _BLOCK)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


class Exact:
    """The nearest of all rows of a matrix, exactly, without the hidden ones; quicker once it was asked often."""

    def __init__(self, matrix: Vectors, hidden: Rows) -> None:
        self._matrix = matrix
        self._hidden = hidden
        self._asked = 0

    def nearest(self, query: Vectors, k: int) -> Rows:
        """The k nearest rows to a query of length 1, best first."""
        self._asked += 1
        if self._asked > _OFTEN and len(self._matrix) >= _BLOCK:
            rows = self._coarse.around(query, k + len(self._hidden))
            if rows is not None:
                rows = np.sort(np.setdiff1d(rows, self._hidden))
                return scan(self._matrix, query, k, rows)
        return scan(self._matrix, query, k, None, self._hidden)

    @cached_property
    def _coarse(self) -> _Coarse:
        return _Coarse(self._matrix)


class _Coarse:
    """All rows in 8 bits a coordinate, in memory: a quarter of what an exact scan reads.

    No row lies farther than `error` from its 8 bits, so by Cauchy and Schwarz no score of a query of length 1 either.
    """

    def __init__(self, matrix: Vectors) -> None:
        import faiss  # noqa: PLC0415

        self._matrix = matrix
        dimension = matrix.shape[1]
        uniform = faiss.ScalarQuantizer.QT_8bit_uniform
        self._index = faiss.IndexScalarQuantizer(dimension, uniform, faiss.METRIC_INNER_PRODUCT)
        most = np.float32(max(np.abs(matrix[at : at + _BLOCK]).max() for at in range(0, len(matrix), _BLOCK)))
        self._index.train(np.full((2, dimension), [[-most], [most]], np.float32))
        self._error = _ROUNDING
        for at in range(0, len(matrix), _BLOCK):
            rows = np.ascontiguousarray(matrix[at : at + _BLOCK])
            self._index.add(rows)
            away = self._index.reconstruct_n(at, len(rows)) - rows
            self._error = max(self._error, _ROUNDING + float(np.linalg.norm(away, axis=1).max()))

    def around(self, query: Vectors, k: int) -> Rows | None:
        """Rows among which the k nearest are, proved; None where there is no proof."""
        with _one_thread():
            scores, rows = self._index.search(query[None, :], _WIDER * k)
        if rows[0][-1] < 0:  # there are no others
            return np.asarray(rows[0][rows[0] >= 0], np.int64)
        least = scores_of(self._matrix, query, rows[0][:k]).min()
        return np.asarray(rows[0], np.int64) if scores[0][-1] + self._error < least else None


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for FAISS in here: others would have nothing to do but to wait, which they do at full speed."""
    import faiss  # noqa: PLC0415

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


class Approximate:
    """Inverted lists of 8-bit rows (Douze et al. 2024, arXiv:2401.08281), opened from a mapped file."""

    def __init__(self, path: Path, probes: int) -> None:
        self._index = _read(path, mapped=True)
        self._index.nprobe = probes

    def nearest(self, query: Vectors, k: int) -> Rows:
        """The rows that are probably the k nearest."""
        _, rows = self._index.search(np.ascontiguousarray(query[None, :], np.float32), k)
        return np.asarray(rows[0][rows[0] >= 0], np.int64)


def _read(path: Path, mapped: bool) -> Any:
    import faiss  # noqa: PLC0415

    # Only this flag maps flat lists too; IO_FLAG_MMAP reads them.
    return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC if mapped else 0)


def build(path: Path, matrix: Vectors, alive: Rows) -> tuple[int, float]:
    """Make the approximate index of the alive rows; (lists to probe, recall@10 against exact search).

    Trained on a sample; the fewest probes that reach the recall on rows that are
    taken for queries, each left out of its own answer.
    """
    import faiss  # noqa: PLC0415

    lists = int(4 * len(alive) ** 0.5)
    dimension = matrix.shape[1]
    quantizer = faiss.IndexFlatIP(dimension)
    index = faiss.IndexIVFScalarQuantizer(
        quantizer, dimension, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    random = np.random.default_rng(0)
    sample = np.sort(random.choice(alive, min(len(alive), _TRAINED_ON * lists), replace=False))
    index.cp.niter = 10
    index.train(np.ascontiguousarray(matrix[sample]))
    for at in range(0, len(alive), _BLOCK):
        rows = alive[at : at + _BLOCK]
        index.add_with_ids(np.ascontiguousarray(matrix[rows]), rows)
    faiss.write_index(index, str(path))
    return _probes(index, matrix, alive, random, lists)


def _probes(index: Any, matrix: Vectors, alive: Rows, random: np.random.Generator, lists: int) -> tuple[int, float]:
    queries = random.choice(alive, min(_SAMPLE, len(alive)), replace=False)
    wanted = _exact(matrix, queries, alive)

    @functools.cache
    def recall(probes: int) -> float:
        index.nprobe = probes
        _, found = index.search(np.ascontiguousarray(matrix[queries]), 4 * 10 + 1)
        return float(np.mean([_recall(matrix, q, f, w) for q, f, w in zip(queries, found, wanted, strict=True)]))

    most = 4
    while most < lists and recall(most) < _RECALL:
        most = min(2 * most, lists)
    probes = bisect.bisect_left(range(most), _RECALL, most // 2, key=recall)
    return probes, recall(probes)


def _recall(matrix: Vectors, query: int, found: Rows, wanted: Sequence[int]) -> float:
    """Recall@10 after the candidates are scored exactly, as a search does it."""
    rows = found[(found >= 0) & (found != query)]
    best = rows[top(scores_of(matrix, matrix[query], rows), 10)]
    return len(set(best.tolist()) & set(wanted)) / max(1, len(wanted))


def _exact(matrix: Vectors, queries: Rows, alive: Rows) -> list[list[int]]:
    """The ten nearest rows of each query, itself left out; block by block."""
    kept = [(np.zeros(0, np.int64), np.zeros(0, np.float32)) for _ in queries]
    for at in range(0, len(alive), _BLOCK):
        rows = alive[at : at + _BLOCK]
        scores = np.ascontiguousarray(matrix[queries]) @ matrix[rows].T
        for number, query in enumerate(queries):
            scores[number][rows == query] = -np.inf
            best = top(scores[number], 10)
            ids = np.concatenate([kept[number][0], rows[best]])
            values = np.concatenate([kept[number][1], scores[number][best]])
            order = top(values, 10)
            kept[number] = ids[order], values[order]
    return [ids.tolist() for ids, _ in kept]


def renew(path: Path, new: Path, matrix: Vectors, gone: Rows, come: Rows) -> None:
    """The approximate index at `path`, without the rows that went and with those that came, at `new`."""
    import faiss  # noqa: PLC0415

    index = _read(path, mapped=False)
    if len(gone):
        index.remove_ids(np.ascontiguousarray(gone, np.int64))
    for at in range(0, len(come), _BLOCK):
        rows = come[at : at + _BLOCK]
        index.add_with_ids(np.ascontiguousarray(matrix[rows]), rows)
    faiss.write_index(index, str(new))
