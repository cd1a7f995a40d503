"""What is learned from pairs within a source, and when it is believed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_kb.learn import course, generation, ranker, trial
from codex_kb.learn.course import CLOSED, IN_FORCE, PINNED, ROLLED_BACK, Event
from codex_kb.learn.generation import Generation
from codex_kb.propose import choice, mixing
from codex_kb.records import Decision


def group(seed: int, want: int = 0, size: int = 10) -> ranker.Group:
    """A source whose proposals are approved where a feature, or one direction of the vector, is high."""
    rng = np.random.default_rng(seed)
    plain, vectors = rng.normal(size=(size, 3)), rng.normal(size=(size, 8))
    told = np.hstack([plain, vectors])[:, want]
    return ranker.Group(f"s{seed}", rng.normal(size=size), plain, vectors, told > np.median(told))


@pytest.mark.parametrize("want", [0, 2, 3, 10])
def test_it_finds_what_is_preferred_and_orders_other_sources_by_it(want: int) -> None:
    learned = ranker.fit([group(seed, want) for seed in range(30)])
    assert learned is not None
    gains = []
    for each in (group(seed, want) for seed in range(100, 130)):
        taught = learned.score(each.scores, each.plain, each.vectors)
        gains.append(trial.auc(taught, each.approved) - trial.auc(each.scores, each.approved))
    assert np.mean(gains) > 0.25


def test_without_evidence_nothing_is_learned() -> None:
    one = group(1)
    assert ranker.fit([]) is None
    assert ranker.fit([one]) is None
    assert ranker.fit([dataclasses.replace(group(n), approved=np.ones(10, bool)) for n in range(5)]) is None


def test_it_is_anchored_at_the_untaught_order() -> None:
    rng = np.random.default_rng(0)
    groups = [dataclasses.replace(group(n), approved=rng.random(10) < 0.3) for n in range(40)]
    learned = ranker.fit(groups)
    assert learned is not None
    each = group(200)
    assert np.corrcoef(learned.score(each.scores, each.plain, each.vectors), each.scores)[0, 1] > 0.9


def test_it_is_the_minimum_of_what_it_says_it_minimises() -> None:
    groups = [group(seed) for seed in range(6)]
    space = ranker.Space.of(groups)
    pairs, precision = ranker.Pairs.of(groups, space), ranker.precision(space, 0.3, 0.3)
    v = ranker.solve(pairs, precision)
    margins = ranker.SCALE * pairs.scores + pairs.rows @ v
    gradient = precision * v - pairs.rows.T @ (pairs.weights / (1 + np.exp(margins)))
    assert np.abs(gradient).max() < 1e-4


def test_the_same_decisions_in_another_order_teach_the_same() -> None:
    groups = [group(seed) for seed in range(8)]
    one, other = ranker.fit(groups), ranker.fit(groups[::-1])
    assert one is not None
    assert other is not None
    assert np.allclose(one.plain, other.plain, atol=1e-6)
    assert np.allclose(one.direction, other.direction, atol=1e-6)


def test_a_generation_is_read_as_it_was_written() -> None:
    made = Generation(3, "3-0123abcd", ("2-00000000",), ("a+", "b-"), ("c+",), 12, "m@1", ("digit", "words"),
                      ranker.Ranker(np.array([0.5, -0.25]), np.arange(4.0), 0.1, 0.3))  # fmt: skip
    again = generation.from_files(made.name, generation.to_files(made))
    assert dataclasses.replace(again, ranker=made.ranker) == made
    assert (again.ranker.plain.tolist(), again.ranker.direction.tolist()) == ([0.5, -0.25], [0, 1, 2, 3])


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_what_is_no_generation_is_a_value_error(facts: bytes, direction: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        generation.from_files("1-00000000", {generation.FACTS: facts, generation.DIRECTION: direction})


def decided(source: str, rows: list[tuple[bool, float, float]]) -> list[Decision]:
    return [
        Decision(str(n), "", "", "approved" if yes else "rejected", "" if yes else "trivial", "", {}, None, source, "",
                 "", 0, {"trial": "1-00000000"}, {"score": untaught, "taught": taught})
        for n, (yes, untaught, taught) in enumerate(rows)
    ]  # fmt: skip


def test_a_learner_is_relied_on_when_enough_packets_say_so() -> None:
    better = [(True, 0.0, 2.0), (False, 1.0, 1.0), (False, 2.0, 0.0)]
    some = [each for n in range(4) for each in decided(str(n), better)]
    assert not trial.record(some).relied_on
    assert trial.record([*some, *decided("4", better)]).relied_on
    worse = [(yes, taught, untaught) for yes, untaught, taught in better]
    mixed = [each for n in range(20) for each in decided(str(n), better if n % 2 else worse)]
    assert not trial.record(mixed).relied_on
    assert trial.record(decided("0", [(True, 1.0, 2.0)])).packets == 0


@pytest.mark.parametrize(
    ("happened", "in_force", "on_trial", "relied_on"),
    [
        ([], "", "", False),
        ([(CLOSED, "1-a")], "", "1-a", False),
        ([(CLOSED, "1-a"), (CLOSED, "2-b"), (IN_FORCE, "2-b")], "2-b", "", True),
        ([(CLOSED, "1-a"), (IN_FORCE, "1-a"), (ROLLED_BACK, "")], "", "", False),
        ([(CLOSED, "1-a"), (IN_FORCE, "1-a"), (ROLLED_BACK, ""), (CLOSED, "2-b")], "", "2-b", False),
        ([(CLOSED, "1-a"), (PINNED, "1-a"), (CLOSED, "2-b")], "1-a", "", False),
    ],
)
def test_where_events_lead(happened: list[tuple[str, str]], in_force: str, on_trial: str, relied_on: bool) -> None:
    events = [Event(f"2026-01-{day:02}", kind, name) for day, (kind, name) in enumerate(happened, 1)]
    now = course.course(reversed(events))
    assert (now.in_force, now.trial, now.relied_on) == (in_force, on_trial, relied_on)


def test_turns_are_the_same_each_time_and_fair() -> None:
    rng = np.random.default_rng(3)
    vectors = np.eye(40, dtype=np.float32)
    places = [(n, n) for n in range(40)]
    one, other = rng.normal(size=40), rng.normal(size=40)
    first = [choice.by_turns(vectors, one, other, 10, places, str(seed)) for seed in range(40)]
    assert first == [choice.by_turns(vectors, one, other, 10, places, str(seed)) for seed in range(40)]
    assert all(len(set(rows)) == 10 for rows in first)
    tops = {int(np.argmax(one)), int(np.argmax(other))}
    assert all(tops <= {*rows} for rows in first)
    assert 8 < sum(rows[0] == int(np.argmax(one)) for rows in first) < 32


@given(st.integers(0, 50), st.integers(0, 50), st.floats(0, 1))
def test_how_many_are_mixed_in(left: int, chosen: int, part: float) -> None:
    count = mixing.explored(left, chosen, part)
    assert 0 <= count <= left
    assert (count == 0) == (left == 0 or part == 0)
