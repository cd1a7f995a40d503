"""Calibration: a chance is shown only where it says more than the past rate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from codex_kb.learn import calibration

SCORES = st.lists(st.floats(-100, 100), min_size=2, max_size=40)


def _decided(seed: int, slope: float, count: int = 600) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Scores, approvals whose logit rises by `slope` a score, and sources of ten."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=count)
    return scores, rng.random(count) < expit(slope * scores - 1), [str(at // 10) for at in range(count)]


@settings(deadline=None)
@given(SCORES, st.floats(0.01, 0.99), st.floats(0, 10))
def test_chances_are_the_rate_on_average_and_rise_with_scores(scores: list[float], rate: float, slope: float) -> None:
    chances = calibration.Chance(slope, 0.0, 1.0).at(scores, rate)
    assert chances.mean() == pytest.approx(rate, abs=1e-6)
    assert (np.diff(chances[np.argsort(scores, kind="stable")]) >= 0).all()


def test_the_slope_is_found() -> None:
    scores, approved, _ = _decided(0, 1.5, 4_000)
    found = calibration.learned(scores, approved)
    assert found is not None
    assert found.slope / found.deviation == pytest.approx(1.5, abs=0.15)


def test_scores_that_point_the_wrong_way_give_the_rate() -> None:
    scores, approved, _ = _decided(0, -1.5)
    found = calibration.learned(scores, approved)
    assert found is not None
    assert found.slope == pytest.approx(0, abs=1e-3)
    assert found.at(scores, 0.2) == pytest.approx(np.full(len(scores), 0.2), abs=0.01)


def test_verdicts_that_scores_part_wholly_give_no_certainty() -> None:
    found = calibration.learned([-2, -1, 1, 2], [False, False, True, True])
    assert found is not None
    assert 0.5 < found.slope < 5


@pytest.mark.parametrize(("scores", "approved"), [([], []), ([1.0, 2.0], [True, True]), ([1.0, 1.0], [True, False])])
def test_nothing_is_learned_from_one_verdict_or_one_score(scores: list[float], approved: list[bool]) -> None:
    assert calibration.learned(scores, approved) is None


def test_past_rate_is_never_certain() -> None:
    assert calibration.past_rate(0, 0) == 0.5
    assert calibration.past_rate(0, 8) == 0.1
    assert calibration.past_rate(8, 8) == 0.9


@pytest.mark.parametrize(("slope", "shown"), [(1.5, True), (0.0, False)])
def test_chances_are_shown_only_where_they_beat_the_rate(slope: float, shown: bool) -> None:
    scores, approved, sources = _decided(1, slope)
    curve = calibration.learned(scores[:300], approved[:300])
    assert curve is not None
    rate = calibration.past_rate(int(approved[:300].sum()), 300)
    found = calibration.beside_rate(curve.at(scores[300:], rate), rate, approved[300:], sources[300:])
    assert found is not None
    assert found.shown is shown
    assert (found.brier < found.of_rate - 0.01) is shown


def test_brier_is_the_mean_squared_error() -> None:
    found = calibration.beside_rate([0.8, 0.3], 0.5, [True, False], ["a", "b"])
    assert found is not None
    assert found.brier == pytest.approx((0.04 + 0.09) / 2)
    assert found.of_rate == 0.25
    assert found.gain is None  # of two sources
    assert not found.shown


def test_without_decisions_there_is_no_score() -> None:
    assert calibration.beside_rate([], 0.5, [], []) is None
