"""Nearest rows: exact with ties in place order, approximate with the recall that was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_kb.index import vectors
from codex_kb.index.vectors import Approximate


def clustered(rows: int, dimension: int = 16) -> np.ndarray:
    draw = np.random.default_rng(3)
    centres = draw.normal(size=(60, dimension))
    matrix = centres[draw.integers(0, 60, rows)] + 0.5 * draw.normal(size=(rows, dimension))
    return (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(1, 50))
@settings(deadline=None)
def test_the_largest_come_first_and_ties_in_their_order(values: list[int], k: int) -> None:
    scores = np.array(values, np.float32)
    expected = sorted(range(len(values)), key=lambda place: (-values[place], place))[:k]
    assert vectors.top(scores, k).tolist() == expected


def test_a_scan_leaves_out_what_is_hidden_and_keeps_to_what_is_asked() -> None:
    matrix = clustered(100)
    query = matrix[7]
    order = np.argsort(-(matrix @ query), kind="stable")
    assert vectors.scan(matrix, query, 5).tolist() == order[:5].tolist()
    hidden = np.sort(order[:3])
    assert vectors.scan(matrix, query, 5, None, hidden).tolist() == order[3:8].tolist()
    assert set(vectors.scan(matrix, query, 100, None, hidden)) == set(range(100)) - set(hidden.tolist())
    only = np.sort(order[10:20])
    assert vectors.scan(matrix, query, 3, only).tolist() == order[10:13].tolist()
    assert vectors.scan(matrix, query, 3, only[:0]).tolist() == []


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight bits from the first question on, of however few rows."""
    monkeypatch.setattr(vectors, "_OFTEN", 0)
    monkeypatch.setattr(vectors, "_BLOCK", 300)


@pytest.mark.usefixtures("at_once")
def test_asked_often_the_nearest_are_the_same_and_hidden_ones_stay_out() -> None:
    matrix = clustered(1000)
    for hidden in (np.zeros(0, np.int64), np.arange(0, 1000, 7)):
        exact = vectors.Exact(matrix, hidden)
        for query in matrix[::50]:
            for k in (1, 10, 400, 1000):
                assert exact.nearest(query, k).tolist() == vectors.scan(matrix, query, k, None, hidden).tolist()


@pytest.mark.usefixtures("at_once")
def test_eight_bits_prove_what_they_leave_out_or_say_that_they_cannot() -> None:
    matrix = clustered(1000)
    coarse = vectors._Coarse(matrix)
    found = [coarse.around(query, 5) for query in matrix]
    proved = [(query, rows) for query, rows in zip(matrix, found, strict=True) if rows is not None]
    assert all(set(vectors.scan(matrix, query, 5)) <= set(rows) and len(rows) == 20 for query, rows in proved)
    assert len(proved) > 500
    # Rows that are all the same leave no doubt about none.
    assert vectors._Coarse(np.repeat(matrix[:1], 1000, axis=0)).around(matrix[0], 5) is None


def test_rows_are_appended_and_mapped_and_a_short_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    matrix = clustered(10)
    vectors.append(path, matrix[:4])
    vectors.append(path, matrix[4:])
    assert np.array_equal(vectors.mapped(path, 10, 16), matrix)
    assert not vectors.mapped(path, 10, 16).flags.writeable
    with pytest.raises(ValueError, match="too short"):
        vectors.mapped(path, 11, 16)
    assert vectors.mapped(tmp_path / "none", 0, 16).shape == (0, 16)


def recall(index: Approximate, matrix: np.ndarray, alive: np.ndarray) -> float:
    queries = alive[::25]
    found = []
    for row in queries:
        near = index.nearest(matrix[row], 50)
        assert set(near.tolist()) <= set(alive.tolist())
        best = near[vectors.top(vectors.scores_of(matrix, matrix[row], near), 10)]
        exact = vectors.scan(matrix, matrix[row], 10, alive)
        found.append(len(set(best.tolist()) & set(exact.tolist())) / 10)
    return float(np.mean(found))


def test_the_approximate_index_finds_what_it_was_measured_to_find(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    matrix = clustered(5_000)
    alive = np.arange(4_000)
    probes, measured = vectors.build(tmp_path / "near", matrix, alive)
    assert measured >= 0.985
    assert recall(Approximate(tmp_path / "near", probes), matrix, alive) == pytest.approx(measured, abs=0.02)
    gone, come = np.arange(0, 4_000, 7), np.arange(4_000, 5_000)
    vectors.renew(tmp_path / "near", tmp_path / "newer", matrix, gone, come)
    alive = np.setdiff1d(np.arange(5_000), gone)
    assert recall(Approximate(tmp_path / "newer", probes), matrix, alive) > 0.95
    capfd.readouterr()


def test_no_more_lists_are_probed_than_are_needed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    matrix = np.random.default_rng(3).standard_normal((4_000, 24), np.float32)  # no clusters: each list counts little
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    _, measured = vectors.build(tmp_path / "near", matrix, np.arange(4_000))
    assert 0.985 <= measured < 0.988
    capfd.readouterr()


def test_the_approximate_index_is_mapped_not_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    probes, _ = vectors.build(tmp_path / "near", clustered(3_000), np.arange(3_000))
    index = Approximate(tmp_path / "near", probes)
    assert len(index.nearest(clustered(1)[0], 5)) == 5
    assert "near" in Path("/proc/self/maps").read_text() or not Path("/proc/self/maps").exists()
    capfd.readouterr()


def test_scores_of_nothing_are_never_among_the_best() -> None:
    scores = np.array([0, 2, 0, -1, 2, 1], np.float32)
    assert vectors.top_above_zero(scores, 2).tolist() == [1, 4]
    assert vectors.top_above_zero(scores, 9).tolist() == [1, 4, 5]
    assert vectors.top_above_zero(scores[:1], 9).tolist() == []
