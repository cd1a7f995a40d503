"""Drift: sets of vectors that differ are told from sources that differ anyway."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from codex_kb.learn import drift


def _sources(seed: int, count: int = 12, shift: float = 0.0) -> tuple[np.ndarray, list[str]]:
    """Vectors of some sources, seven each, that lie together by source."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 1, 8)) + 0.3 * rng.normal(size=(count, 7, 8)) + shift
    return vectors.reshape(-1, 8), [str(at // 7) for at in range(7 * count)]


def _energy(one: np.ndarray, other: np.ndarray, size: int = 7) -> float:
    """The energy distance from pairs of different sources of `size` vectors."""
    within = []
    for side in (one, other):
        source = np.arange(len(side)) // size
        within.append(cdist(side, side)[source[:, None] != source].mean())
    return float(2 * cdist(one, other).mean() - sum(within))


def test_distance_is_the_energy_distance_of_pairs_of_sources() -> None:
    (one, names), (other, others) = _sources(0, shift=1.0), _sources(1, 9)
    found = drift.drift(one, names, other, others)
    assert found is not None
    assert found.distance == pytest.approx(_energy(one, other))


def test_order_of_vectors_means_nothing() -> None:
    (one, names), (other, others) = _sources(0), _sources(1)
    order = np.random.default_rng(0).permutation(len(one))
    mixed = drift.drift(one[order], [names[at] for at in order], other, others)
    found = drift.drift(one, names, other, others)
    assert mixed is not None
    assert found is not None
    assert mixed.distance == pytest.approx(found.distance)
    assert mixed.p == found.p


def test_a_shift_is_said() -> None:
    found = drift.drift(*_sources(0), *_sources(1, shift=1.0))
    assert found is not None
    assert found.drifted
    assert found.p < 0.005


def test_sources_that_differ_anyway_have_not_drifted() -> None:
    """Had each vector changed places alone, nearly all of these would be said to drift."""
    told = [drift.drift(*_sources(2 * seed), *_sources(2 * seed + 1)) for seed in range(40)]
    assert np.mean([found.p < 0.1 for found in told if found]) <= 0.25
    assert np.mean([found.p for found in told if found]) > 0.35


def test_one_source_changes_places_whole() -> None:
    """Two thousand sentences of two new sources say no more than two sources can."""
    one, names = _sources(0, 6)
    found = drift.drift(one, names, np.full((2_000, 8), 9.0), ["new"] * 1_000 + ["newer"] * 1_000)
    assert found is not None
    assert found.p > 0.02


@pytest.mark.parametrize(("long", "short"), [(21, 3), (3, 21)])
def test_longer_sources_than_before_are_no_drift(long: int, short: int) -> None:
    def side(seed: int, size: int) -> tuple[np.ndarray, list[str]]:
        rng = np.random.default_rng(seed)
        vectors = rng.normal(size=(12, 1, 8)) + rng.normal(size=(12, size, 8))
        return vectors.reshape(-1, 8), [str(at // size) for at in range(12 * size)]

    told = [drift.drift(*side(2 * seed, long), *side(2 * seed + 1, short)) for seed in range(40)]
    chances = [found.p for found in told if found]
    assert np.mean(np.array(chances) < 0.1) <= 0.25
    assert 0.35 < np.mean(chances) < 0.65


def test_the_same_set_has_no_distance() -> None:
    found = drift.drift(*_sources(0), *_sources(0))
    assert found is not None
    assert found.distance == 0
    assert found.p > 0.9


def test_a_side_of_one_source_cannot_be_compared() -> None:
    assert drift.drift(np.empty((0, 8)), [], *_sources(0)) is None
    assert drift.drift(*_sources(0), np.empty((0, 8)), []) is None
    assert drift.drift(*_sources(0), *_sources(1, 1)) is None


def test_a_vector_without_a_source_is_refused() -> None:
    with pytest.raises(ValueError, match="84 vectors beside 1 sources"):
        drift.drift(_sources(0)[0], ["a"], *_sources(1))


def test_more_vectors_than_can_be_compared_are_chosen_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "_MOST", 42)
    found = drift.drift(*_sources(0), *_sources(1, shift=1.0))
    assert found is not None
    alone = drift.drift(_sources(0)[0][::2], _sources(0)[1][::2], _sources(1, shift=1.0)[0][::2], _sources(1)[1][::2])
    assert found == alone
    monkeypatch.undo()
    assert found != drift.drift(*_sources(0), *_sources(1, shift=1.0))
