"""Limits: true as often as they say, and as wide as they must be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from codex_kb.learn import limits

COUNTS = st.integers(1, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@settings(deadline=None)
@given(COUNTS, st.sampled_from([0.1, 0.061, 0.0017]))
def test_upper_limit_is_where_so_few_hits_have_a_chance_of_delta(counts: tuple[int, int], delta: float) -> None:
    hits, of = counts
    limit = limits.at_most(hits, of, delta)
    if hits == of:
        assert limit == 1
    else:
        assert binom.cdf(hits, of, limit) == pytest.approx(delta, rel=1e-6)
    assert limits.at_least(of - hits, of, delta) == pytest.approx(1 - limit)


@pytest.mark.parametrize("share", [0.02, 0.12, 0.5, 0.9])
@pytest.mark.parametrize("of", [10, 60, 300])
def test_interval_holds_the_share_in_at_least_nine_of_ten_cases(share: float, of: int) -> None:
    held = [low <= share <= high for low, high in (limits.interval(hits, of) for hits in range(of + 1))]
    assert binom.pmf(np.flatnonzero(held), of, share).sum() >= 0.9


def test_without_a_decision_everything_is_possible() -> None:
    assert limits.interval(0, 0) == (0, 1)


@pytest.mark.parametrize(("hits", "of"), [(3, 2), (-1, 2)])
def test_counts_that_cannot_be_are_refused(hits: int, of: int) -> None:
    with pytest.raises(ValueError, match=f"{hits} of {of}"):
        limits.at_most(hits, of)


def test_all_looks_together_spend_delta() -> None:
    looks = sum(limits.spent(0.1, look) for look in range(1, 100_000))
    assert 0.0999 < looks < 0.1
    assert limits.spent(0.1, 1) == pytest.approx(0.0607927)
    with pytest.raises(ValueError, match="look 0"):
        limits.spent(0.1, 0)


def test_twenty_looks_without_spending_are_wrong_more_often_than_said() -> None:
    counts = np.random.default_rng(0).binomial(1, 0.1, (2_000, 20, 20)).sum(axis=2).cumsum(axis=1)
    of = 20 * np.arange(1, 21)
    known = {(look, hits): limits.at_most(hits, of[look], limits.spent(0.1, look + 1))
             for look in range(20) for hits in range(counts.max() + 1) if hits <= of[look]}  # fmt: skip
    plain = {key: limits.at_most(key[1], of[key[0]]) for key in known}
    wrong = {name: np.mean([any(found[look, hits] < 0.1 for look, hits in enumerate(row)) for row in counts.tolist()])
             for name, found in (("spent", known), ("plain", plain))}  # fmt: skip
    assert wrong["spent"] <= 0.1
    assert wrong["plain"] > 0.2


@settings(deadline=None)
@given(COUNTS, st.sampled_from([0.03, 0.12, 0.5]))
def test_missing_decisions_are_just_enough(counts: tuple[int, int], most: float) -> None:
    hits, of = counts
    more = limits.missing(hits, of, most)
    assert limits.at_most(hits, of + more) <= most
    assert more == 0 or limits.at_most(hits, of + more - 1) > most


def test_missing_for_a_limit_of_nothing_is_refused() -> None:
    assert limits.missing(0, 0, 0.05) == 45
    with pytest.raises(ValueError, match="a limit of 0"):
        limits.missing(0, 10, 0)


@pytest.mark.parametrize(("hits", "of"), [(0, 30), (3, 30), (12, 60)])
def test_weighted_limit_of_items_that_are_all_shown_is_the_exact_one(hits: int, of: int) -> None:
    told = [at < hits for at in range(of)]
    found = limits.weighted_at_most(told, [True] * of, [1.0] * of, [str(at) for at in range(of)])
    assert found.share == pytest.approx(hits / of)
    assert found.limit == pytest.approx(limits.at_most(hits, of), abs=0.01)


def test_a_sentence_that_stands_for_a_hundred_weighs_as_a_hundred() -> None:
    hits = [True, *[False] * 99]
    chances = [0.01, *[1.0] * 99]
    found = limits.weighted_at_most(hits, [True] * 100, chances, [str(at) for at in range(100)])
    assert found.share == pytest.approx(100 / 199)
    assert found.limit > found.share > limits.at_most(1, 100)


def test_a_heavy_item_that_is_no_hit_keeps_the_limit_wide() -> None:
    counted, sources = [True] * 50, [str(at) for at in range(51)]
    light = limits.weighted_at_most([False] * 51, [*counted, False], [1.0] * 51, sources)
    heavy = limits.weighted_at_most([False] * 51, [*counted, False], [1.0] * 50 + [0.01], sources)
    assert (light.share, heavy.share) == (0, 0)
    assert light.limit < 0.06
    assert heavy.limit > 0.7


def test_hits_of_one_source_say_less_than_those_of_many() -> None:
    hits, counted, chances = [True] * 10 + [False] * 90, [True] * 100, [1.0] * 100
    apart = limits.weighted_at_most(hits, counted, chances, [str(at) for at in range(100)])
    together = limits.weighted_at_most(hits, counted, chances, [str(at // 10) for at in range(100)])
    assert together.share == apart.share
    assert together.limit > apart.limit + 0.1


def test_without_anything_counted_the_weighted_limit_is_one() -> None:
    found = limits.weighted_at_most([False], [False], [0.1], ["a"])
    assert np.isnan(found.share)
    assert found.limit == 1


@pytest.mark.parametrize(("hit", "counted", "chance"), [(True, False, 0.5), (True, True, 0.0), (True, True, 1.5)])
def test_weights_that_cannot_be_are_refused(hit: bool, counted: bool, chance: float) -> None:
    with pytest.raises(ValueError, match="chance is not in"):
        limits.weighted_at_most([hit], [counted], [chance], ["a"])


def _mean(sums: limits.Floats) -> limits.Floats:
    return np.asarray(sums[:, 0] / sums[:, 1])


def test_drawing_sources_again_holds_the_mean_in_nine_of_ten_cases() -> None:
    rng = np.random.default_rng(1)
    held = []
    for _ in range(200):
        totals = np.stack([rng.gamma(4, 0.25, 12), np.ones(12)], axis=1)
        low, high = limits.bootstrap(totals, _mean) or (0, 0)
        held.append(low <= 1 <= high)
    assert 0.86 <= np.mean(held) <= 0.96


def test_drawing_sources_again_is_the_same_each_time() -> None:
    totals = np.arange(40.0).reshape(20, 2) + 1
    assert limits.bootstrap(totals, _mean) == limits.bootstrap(totals, _mean)


@pytest.mark.parametrize("totals", [np.ones((7, 2)) * [[1], [2], [3], [4], [5], [6], [7]], np.ones((20, 2)),
                                    np.zeros((20, 2))])  # fmt: skip
def test_too_few_or_equal_or_empty_sources_have_no_interval(totals: limits.Floats) -> None:
    assert limits.bootstrap(totals, _mean) is None
