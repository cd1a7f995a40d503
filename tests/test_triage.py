"""Triage: what is set aside holds at most the said share of approvals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from codex_kb.learn import triage


@pytest.mark.parametrize(("alpha", "least"), [(0.05, 45), (0.1, 22)])
def test_too_few_approvals_are_refused(alpha: float, least: int) -> None:
    assert triage.needed(alpha) == least
    assert triage.threshold(np.arange(least - 1.0), alpha) is None
    found = triage.threshold(np.arange(float(least)), alpha)
    assert found == triage.Threshold(0.0, 0, least, pytest.approx(alpha, rel=0.02))


@settings(deadline=None)
@given(st.integers(45, 600))
def test_rank_is_the_largest_whose_loss_is_at_most_alpha(approvals: int) -> None:
    found = triage.threshold(np.arange(float(approvals)), 0.05)
    assert found is not None
    assert found.below == found.rank  # scores are 0, 1, …: as many lie strictly below
    # Beta(k+1, n-k) ≤ alpha as often as more than k of n fall below alpha
    assert binom.sf(found.rank, approvals, 0.05) >= 0.9 > binom.sf(found.rank + 1, approvals, 0.05)


def test_at_most_alpha_is_lost_in_nine_of_ten_cases() -> None:
    rng = np.random.default_rng(0)
    lost = []
    for _ in range(1_000):
        found = triage.threshold(rng.random(200), 0.05)
        assert found is not None
        lost.append(found.below)  # of uniform scores as much lies below
    assert 0.88 <= np.mean(np.array(lost) <= 0.05) <= 0.98
    assert np.mean(lost) > 0.02


def test_equal_scores_are_not_set_aside() -> None:
    found = triage.threshold([0.3] * 200, 0.05)
    assert found is not None
    assert (np.array([0.3] * 200) < found.below).sum() == 0


def test_looks_that_spend_less_need_more_approvals() -> None:
    assert triage.needed(0.05, 0.01) == 90
    assert triage.threshold(np.arange(89.0), 0.05, 0.01) is None
    assert triage.threshold(np.arange(90.0), 0.05, 0.01) is not None


@pytest.mark.parametrize(("scores", "alpha"), [([0.1, float("nan")] * 50, 0.05), ([0.1] * 50, 0.0), ([0.1] * 50, 1.0)])
def test_what_is_no_score_or_no_share_is_refused(scores: list[float], alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha lies between 0 and 1"):
        triage.threshold(scores, alpha)


def test_a_tenth_is_shown_anyway_and_always_the_same() -> None:
    ids = [f"proposal-{number}" for number in range(5_000)]
    shown = [triage.shown_anyway(name) for name in ids]
    assert shown == [triage.shown_anyway(name) for name in ids]
    assert 0.08 < np.mean(shown) < 0.12
    assert all(triage.shown_anyway(name, 1.0) for name in ids)
    assert not any(triage.shown_anyway(name, 0.0) for name in ids)


def test_a_promise_is_broken_only_where_decisions_prove_it() -> None:
    assert not triage.broken(0, 0, 0.05)
    assert not triage.broken(0, 100, 0.05)
    assert not triage.broken(1, 100, 0.05)
    assert triage.broken(3, 100, 0.05)
    rng = np.random.default_rng(0)
    share = 0.1 * 0.05 / (0.1 * 0.05 + 0.95)
    assert np.mean([triage.broken(int(rng.binomial(200, share)), 200, 0.05) for _ in range(2000)]) <= 0.1
