"""Of the decisions near a source those are shown to a model that it would not have expected."""

from __future__ import annotations

from typing import Any

from codex_kb.propose.telling import chosen, unforeseen
from codex_kb.records import Decision


def decision(
    name: str, verdict: Any = "rejected", score: float | None = None, reason: str = "", **more: Any
) -> Decision:
    features = {} if score is None else {"score": score}
    given = {"source": "inbox/x.md", "proposer": "extractive", "features": features, **more}
    return Decision(name, "2026-01-01", "Ann <a@b.c>", verdict, reason, name, {}, None,
                    source_sha256="0", generation=0, **given)  # fmt: skip


def names(found: list[Decision]) -> list[str]:
    return [each.id for each in found]


def test_a_low_approval_and_a_high_rejection_were_not_foreseen() -> None:
    some = [decision("high", "rejected", 3), decision("good", "approved", 2.9), decision("middle", "rejected", 2),
            decision("late", "approved", 1), decision("low", "rejected", 0.5)]  # fmt: skip
    assert unforeseen(some) == {"high", "late"}


def test_scores_of_other_sources_and_proposers_are_not_compared() -> None:
    some = [decision("a", "approved", -5), decision("b", "rejected", 9, source="inbox/y.md"),
            decision("c", "rejected", 8, proposer="openai:m")]  # fmt: skip
    assert unforeseen(some) == set()


def test_a_claim_that_nobody_proposed_was_not_foreseen_and_one_without_a_score_says_nothing() -> None:
    assert unforeseen([decision("m", "approved", missed=True), decision("old"), decision("older")]) == {"m"}


def test_what_tells_most_comes_first_and_else_what_is_nearest() -> None:
    near = [decision("plain"), decision("words", reason="says what the author says, not what is so"),
            decision("odd"), decision("both", reason="only for Paris"), decision("vague", reason="vague")]  # fmt: skip
    assert names(chosen(near, {"odd", "both"}, 5, 99, lambda _: 1)) == ["both", "words", "odd", "plain", "vague"]
    assert names(chosen(near, set(), 2, 99, lambda _: 1)) == ["words", "both"]


def test_what_is_far_is_not_shown_however_telling() -> None:
    near = [decision(str(n)) for n in range(9)]
    assert names(chosen(near, {"7", "8"}, 2, 99, lambda _: 1)) == ["7", "0"]


def test_what_does_not_fit_is_left_out_and_what_does_is_not() -> None:
    near = [decision("long", reason="x" * 90), decision("a"), decision("b"), decision("c")]
    assert names(chosen(near, {"long"}, 3, 2, lambda each: len(each.id))) == ["a", "b"]
