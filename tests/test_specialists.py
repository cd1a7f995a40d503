"""Domains that prefer different things get an order of their own, and no other does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from codex_kb.learn import generation, ranker, specialists, trial
from codex_kb.learn.generation import Generation
from codex_kb.learn.ranker import Group, Ranker


def group(seed: int, specialty: str, sign: int = 1) -> Group:
    """A source of ten proposals, approved where a feature is high, or low, beside noise."""
    rng = np.random.default_rng(seed)
    plain, vectors = rng.normal(size=(10, 3)), rng.normal(size=(10, 8))
    told = sign * plain[:, 0] + rng.normal(size=10)
    return Group(f"s{seed}", rng.normal(size=10), plain, vectors, told > np.median(told), specialty)


def found(order: Ranker, groups: list[Group]) -> float:
    return float(np.mean([trial.auc(order.score(g.scores, g.plain, g.vectors), g.approved) for g in groups]))


def test_domains_of_opposite_tastes_are_told_apart() -> None:
    learned = specialists.fit([group(n, "a") for n in range(10)] + [group(100 + n, "b", -1) for n in range(10)])
    assert learned is not None
    assert sorted(learned.specialists) == ["a", "b"]
    for name, sign in (("a", 1), ("b", -1)):
        others = [group(1000 + n, name, sign) for n in range(30)]
        assert found(learned.of(name), others) > found(learned.general, others) + 0.15


def test_a_domain_of_few_decisions_stays_near_the_others() -> None:
    many = [group(n, "a") for n in range(20)] + [group(100 + n, "b", -1) for n in range(20)]
    learned = specialists.fit([*many, group(300, "c"), group(301, "c")])
    assert learned is not None
    moved = {
        name: float(np.abs(each.plain - learned.general.plain).sum()) for name, each in learned.specialists.items()
    }
    assert moved["c"] < min(moved["a"], moved["b"])


@pytest.mark.parametrize(
    "groups",
    [
        [group(n, "a") for n in range(20)],
        [group(n, "") for n in range(20)],
        [group(n, "ab"[n % 2]) for n in range(40)],
        [group(n, f"only {n}") for n in range(20)],
    ],
    ids=["one domain", "none", "two of one taste", "one source each"],
)
def test_where_nothing_tells_domains_apart_the_order_is_the_general_one(groups: list[Group]) -> None:
    learned, general = specialists.fit(groups), ranker.fit(groups)
    assert learned is not None
    assert general is not None
    assert not learned.specialists
    assert learned.of("a").plain.tolist() == general.plain.tolist()


def test_it_is_a_minimum() -> None:
    groups = [group(n, "ab"[n % 2], 1 - 2 * (n % 2)) for n in range(12)] + [group(n, "") for n in range(50, 54)]
    space = ranker.Space.of(groups)
    stiff, loose = ranker.precision(space, 0.3, 0.3), ranker.precision(space, 1.0, 0.3)
    parts = [ranker.Pairs.of([g for g in groups if g.specialty == name], space) for name in "ab"]
    shared = [ranker.Pairs.of([g for g in groups if not g.specialty], space)]
    solved = specialists._solve(shared, parts, stiff, loose)
    step, steps, _ = specialists._newton(shared, parts, solved.general, solved.own, stiff, loose)
    assert max(np.abs(step).max(), np.abs(steps).max()) < 1e-4
    slope = stiff * solved.general + sum(
        p.derivatives(solved.general + u)[0]
        for p, u in zip([*shared, *parts], [0 * solved.general, *solved.own], strict=True)
    )
    assert np.abs(slope).max() < 1e-4


def test_a_generation_keeps_its_specialists() -> None:
    general = Ranker(np.array([0.5, -0.25]), np.arange(4.0), 0.1, 0.3)
    own = dataclasses.replace(general, plain=np.array([1.5, 0.25]), direction=np.arange(4.0) + 1)
    made = Generation(1, "1-00000000", (), ("a+",), (), 1, "e", ("digit", "words"), general, {"law": own})
    files = generation.to_files(made)
    again = generation.from_files(made.name, files)
    assert again.specialists["law"].plain.tolist() == [1.5, 0.25]
    assert again.specialists["law"].direction.tolist() == [1, 2, 3, 4]
    with pytest.raises(ValueError, match=r"it has no 'specialists\.npy'"):
        generation.from_files(made.name, {k: v for k, v in files.items() if k != generation.DIRECTIONS})
    fewer = {**files, generation.DIRECTIONS: files[generation.DIRECTION]}
    with pytest.raises(ValueError, match="its direction is not one"):
        generation.from_files(made.name, fewer)
