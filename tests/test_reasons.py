"""Reasons of rejections are grouped; one that comes up often enough becomes a sentence."""

from __future__ import annotations

from typing import Any

from codex_kb.learn.reasons import counts, groups, with_sentences
from codex_kb.records import Decision


def decision(reason: str, verdict: Any = "rejected", title: str = "T", **more: Any) -> Decision:
    return Decision(title, "2026-01-01", "Ann <a@b.c>", verdict, reason, title, {}, None, "inbox/x.md", "0", "x", 0,
                    **more)  # fmt: skip


def test_reasons_are_grouped_whatever_their_case_and_the_latest_titles_are_shown() -> None:
    said = ("Trivial", "trivial.", "vague", "trivial")
    some = [decision(reason, title=f"Title {n}") for n, reason in enumerate(said)]
    first, second = groups(some)
    assert (first.reason, first.count, first.titles) == ("trivial", 3, ("Title 1", "Title 3"))
    assert (second.reason, second.count, second.enough) == ("vague", 1, False)


def test_five_and_a_tenth_are_enough() -> None:
    five = [decision("trivial")] * 5
    approved = decision("trivial", "approved")
    assert not groups(five[1:])[0].enough
    assert groups([*five, *[approved] * 45])[0].enough
    assert not groups([*five, *[approved] * 46])[0].enough


def test_words_of_their_own_are_repeated_on_one_line() -> None:
    (group,) = groups([decision("Only about\nParis\u202e!")] * 5)
    assert group.sentence == "People reject claims with the reason “Only about Paris”: leave such claims out."


def test_no_reason_and_removed_are_no_reasons() -> None:
    assert groups([decision(""), decision("removed"), decision(" . ")]) == []


def test_what_measures_and_what_people_added_does_not_count() -> None:
    assert counts(decision("trivial"))
    assert not any(counts(decision("trivial", shown={name: True})) for name in ("blind", "explored", "repeat_of"))
    assert not counts(decision("", "approved", missed=True))


def test_sentences_follow_as_the_others_stand() -> None:
    assert with_sentences("", ["A.", "B."]) == "A. B."
    assert with_sentences("Prefer costs.\n", ["A."]) == "Prefer costs. A."
    assert with_sentences("Prefer costs.\nNo history.\n", ["A.", "B."]) == "Prefer costs.\nNo history.\nA.\nB."
