"""People: how far they agree with themselves, with each other, and with how they decided before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from codex_kb.learn import limits, people


@settings(deadline=None)
@given(st.floats(0, 0.5))
def test_error_is_told_from_how_often_two_answers_agree(error: float) -> None:
    assert people.error_of((1 - error) ** 2 + error**2) == pytest.approx(error, abs=1e-7)


def test_repeats_that_agree_less_than_by_chance_have_an_error_of_a_half() -> None:
    assert people.error_of(0.3) == 0.5


def test_repeats_give_the_error_of_an_answer_with_its_interval() -> None:
    found = people.repeats([True] * 20, [True] * 18 + [False] * 2)
    assert (found.same, found.asked, found.agreement) == (18, 20, 0.9)
    assert found.error == pytest.approx((1 - 0.8**0.5) / 2)
    low, high = limits.interval(18, 20)
    assert found.agreement_between == (low, high)
    assert found.error_between == (people.error_of(high), people.error_of(low))
    assert found.error_between[0] < found.error < found.error_between[1]


def test_without_repeats_nothing_is_known() -> None:
    found = people.repeats([], [])
    assert (found.agreement, found.error, found.error_between) == (None, None, (0.0, 0.5))


def test_answers_that_are_not_of_the_same_proposals_are_refused() -> None:
    with pytest.raises(ValueError, match="2 answers beside 1"):
        people.repeats([True, False], [True])


def test_four_of_the_last_nineteen_repeats_name_a_careless_reviewer() -> None:
    even = [False] * 40
    assert people.careless(even + [True] * 3 + [False] * 16) is None
    found = people.careless(even + [True] * 4 + [False] * 15)
    assert found is not None
    assert (found.differ, found.asked) == (4, people.WINDOW)
    assert found.p == pytest.approx(binom.sf(3, 19, 2 * 0.03 * 0.97))
    assert found.p <= people.FALSE_ALARMS


def test_what_lies_before_the_last_repeats_names_nobody() -> None:
    assert people.careless([True] * 10 + [False] * 19) is None
    assert people.careless([True] * 10) is not None
    assert people.careless([]) is None


def test_a_reviewer_who_always_differed_as_much_did_not_become_careless() -> None:
    late = [True] * 4 + [False] * 15
    assert people.careless(late) is not None
    assert people.careless([True, False, False, False, False] * 20 + late) is None


def test_a_careless_reviewer_is_found_and_a_careful_one_seldom_named() -> None:
    rng = np.random.default_rng(0)
    named = {error: np.mean([people.careless(rng.random(20) < error) is not None for _ in range(1_000)])
             for error in (2 * 0.03 * 0.97, 0.36)}  # fmt: skip
    assert named[0.36] >= 0.92
    assert named[2 * 0.03 * 0.97] <= 0.035


def test_a_taste_that_turned_is_found_where_it_turned() -> None:
    rng = np.random.default_rng(0)
    found = people.turned([*rng.normal(0.8, 0.15, 20), *rng.normal(0.3, 0.15, 20)])
    assert found is not None
    assert abs(found.at - 20) <= 2
    assert found.before == pytest.approx(0.8, abs=0.1)
    assert found.after == pytest.approx(0.3, abs=0.1)


def test_only_a_fall_is_a_turn() -> None:
    rng = np.random.default_rng(0)
    assert people.turned([*rng.normal(0.3, 0.15, 20), *rng.normal(0.8, 0.15, 20)]) is None
    assert people.turned([1.0] * 5 + [0.0] * 4) is None  # too few on one side
    assert people.turned([0.5] * 40) is None


def test_values_that_are_even_seldom_turn() -> None:
    rng = np.random.default_rng(1)
    assert np.mean([people.turned(rng.random(20)) is not None for _ in range(150)]) <= 0.07


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=10, max_size=60))
def test_kappa_lies_in_its_interval_and_names_where_they_disagree(pairs: list[tuple[bool, bool]]) -> None:
    one, other = zip(*pairs, strict=True)
    found = people.between(one, other)
    assert found.disagree == tuple(at for at, (left, right) in enumerate(pairs) if left != right)
    cells = np.array([[left and right, left and not right, right and not left, not left and not right]
                      for left, right in pairs])  # fmt: skip
    if found.kappa is None:
        assert len({answer for pair in pairs for answer in pair}) == 1
    else:
        assert people._kappa(cells.sum(axis=0)[None].astype(float))[0] == pytest.approx(found.kappa)


def test_kappa_of_two_reviewers_has_an_interval() -> None:
    one = [True] * 20 + [False] * 30
    other = [True] * 15 + [False] * 30 + [True] * 5
    found = people.between(one, other)
    assert found.kappa == pytest.approx(1 - 0.2 / 0.48)
    assert found.between is not None
    assert found.between[0] < 0.58 < found.between[1]
    assert len(found.disagree) == 10
