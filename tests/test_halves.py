"""New instructions are tried on half of the sources, and the halves are compared by sources."""

from __future__ import annotations

import random
from typing import Any

import pytest

from codex_kb.learn import halves
from codex_kb.learn.halves import Compared, Half, compared, half_of, told
from codex_kb.records import Decision

TRIAL = halves.name_of("Prefer costs.", "Prefer costs. Leave out history.")


def decisions(source: str, approved: int, rejected: int, **shown: Any) -> list[Decision]:
    verdicts: list[Any] = ["approved"] * approved + ["rejected"] * rejected
    return [Decision(f"{source}{n}", "2026-01-01", "Ann <a@b.c>", verdict, "", "T", {}, None, source, "0", "mariner", 0,
                     {"instructions": half_of(TRIAL, source), "tried": TRIAL, **shown})
            for n, verdict in enumerate(verdicts)]  # fmt: skip


def sources(half: str, count: int) -> list[str]:
    named = (f"inbox/s{n}.md" for n in range(10_000))
    return [name for name in named if half_of(TRIAL, name) == half][:count]


def run(old: int, new: int, chances: tuple[float, float] = (0.2, 0.8), seed: int = 0, **more: Any) -> Compared:
    """So many sources of either half, ten proposals each, approved by these chances."""
    rng = random.Random(seed)
    found: list[Decision] = []
    for half, count, chance in (("old", old, chances[0]), ("new", new, chances[1])):
        for source in sources(half, count):
            approved = sum(rng.random() < chance for _ in range(10))
            found += decisions(source, approved, 10 - approved)
    return compared(found, TRIAL, **more)


def test_half_of_the_sources_are_told_the_new_ones_and_the_same_ones_again() -> None:
    given = [told("old words", "new words", f"inbox/{n}.md") for n in range(400)]
    assert 160 < sum(each.half == "new" for each in given) < 240
    assert {(each.half, each.instructions) for each in given} == {("old", "old words"), ("new", "new words")}
    assert given == [told("old words", "new words", f"inbox/{n}.md") for n in range(400)]


def test_without_new_ones_there_are_no_halves_and_other_words_are_another_trial() -> None:
    assert told("words", "", "inbox/a.md") == ("words", "", "")
    names = {halves.name_of(old, new) for old, new in (("a", "b"), ("b", "a"), ("", "ab"), ("a", "c"))}
    assert len(names) == 4


def test_what_is_better_is_taken_over_and_what_is_worse_is_not() -> None:
    better, worse = run(12, 12), run(12, 12, (0.8, 0.2))
    assert better.a_source.between
    assert worse.a_source.between
    assert (better.advice, better.needed, worse.advice) == ("take over", 0, "keep")
    assert 0 < better.a_source.between[0] < (better.a_source.value or 0) < better.a_source.between[1]
    assert better.share.value == pytest.approx((better.a_source.value or 0) / 10)


def test_too_few_sources_say_nothing_but_how_many_are_missing() -> None:
    found = run(12, 3)
    assert (found.advice, found.needed, found.a_source.between) == ("wait", 10, None)
    assert compared([], TRIAL).a_source.value is None


def test_a_small_difference_takes_more_sources() -> None:
    few = next(found for found in (run(10, 10, (0.4, 0.5), seed) for seed in range(20)) if found.advice == "wait")
    assert few.needed > 0
    assert run(400, 400, (0.4, 0.5)).advice == "take over"


def test_halves_that_do_not_vary_are_told_apart_all_the_same() -> None:
    assert run(8, 8, (0, 1)).advice == "take over"
    assert run(8, 8, (1, 1)).advice == "keep"


def test_what_was_not_told_does_not_count() -> None:
    name = sources("new", 1)[0]
    some = decisions(name, 2, 1)
    for shown in ({"explored": True}, {"repeat_of": "a"}, {"tried": "00000000"}, {"bulk": True}):
        some += decisions(name, 5, 5, **shown)
    assert compared(some, TRIAL).new == Half(1, 2, 3)


def test_a_source_that_gave_nothing_counts_and_one_that_waits_does_not() -> None:
    first, second, third = sources("new", 3)
    some = [*decisions(first, 2, 0), *decisions(second, 1, 0)]
    assert compared(some, TRIAL, empty={third}, waiting={second}).new == Half(2, 2, 2)


def test_a_difference_that_is_not_there_is_seldom_taken_over() -> None:
    wrong = sum(run(12, 12, (0.4, 0.4), seed).advice == "take over" for seed in range(200))
    assert wrong <= 20
