"""Answers are paid for once, kept at once, and never beyond the budget."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from codex_kb.errors import ModelError, UsageError
from codex_kb.language.paid import Answers, Ledger, Spent
from codex_kb.records import Answer, Prompt
from codex_kb.run.local import in_order

TOKENS = 1000


class Model:
    """Answers with what it was asked; counts its answers."""

    name = "fake"
    context_tokens = 8192
    at_once = 0

    def __init__(self, answer: Callable[[Prompt], Answer] | None = None, dollars: float | None = 1.0) -> None:
        self.answer = answer or (lambda prompt: Answer(prompt.user.upper(), 100, 10))
        self.dollars = dollars
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def ask(self, prompt: Prompt) -> Answer:
        with self._lock:
            self.asked.append(prompt.user)
        return self.answer(prompt)

    def price(self, input_tokens: int, output_tokens: int) -> float | None:
        return None if self.dollars is None else (input_tokens + output_tokens) * self.dollars / 1e6


def prompt(user: str = "question", most: int = 1000) -> Prompt:
    return Prompt("system", user, {"type": "object"}, most)


def answers(model: Model, folder: Path, budget: float = 0.0, price: tuple[float, ...] = (), **more: object) -> Answers:
    return Answers(model, folder, Ledger(budget), price, str(more.get("identity", "one")), bool(more.get("again")))


def test_the_same_question_is_paid_once_in_every_run(tmp_path: Path) -> None:
    model = Model()
    spent = Spent()
    for _ in range(2):
        desk = answers(model, tmp_path)
        assert [desk.ask(prompt("a"), TOKENS, spent) for _ in range(3)] == ["A"] * 3
    assert model.asked == ["a"]
    assert (spent.asked, spent.known, spent.input_tokens, spent.output_tokens) == (1, 5, 100, 10)
    assert spent.cost == pytest.approx(110 / 1e6)


def test_another_model_or_question_is_another_answer(tmp_path: Path) -> None:
    model = Model()
    for identity in ("one", "two"):
        desk = answers(model, tmp_path, identity=identity)
        for asked in (prompt("a"), prompt("b"), prompt("a", 500)):
            desk.ask(asked, TOKENS, Spent())
    assert len(model.asked) == 6


def test_the_same_question_at_once_is_paid_once(tmp_path: Path) -> None:
    together = threading.Barrier(8)
    release = threading.Event()

    def slow(asked: Prompt) -> Answer:
        release.wait(10)
        return Answer("x", 1, 1)

    model = Model(slow)
    desk = answers(model, tmp_path)

    def ask(_: int) -> str:
        together.wait(10)
        return desk.ask(prompt(), TOKENS, Spent())

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(ask, number) for number in range(8)]
        threading.Timer(0.2, release.set).start()
        assert [future.result(10) for future in running] == ["x"] * 8
    assert len(model.asked) == 1


def test_a_budget_is_never_passed_even_by_many_at_once(tmp_path: Path) -> None:
    model = Model(lambda asked: Answer("x", TOKENS, 1000))
    desk = answers(model, tmp_path, budget=0.0105)

    def ask(number: int) -> bool:
        try:
            return bool(desk.ask(prompt(str(number)), TOKENS, Spent()))
        except ModelError as error:
            return error.kind != "budget"

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(ask, range(20)))
    assert 1 <= sum(done) <= 5
    assert sum(done) == len(model.asked)
    assert not ask(99)
    assert answers(model, tmp_path, budget=0.0001).ask(prompt(model.asked[0]), TOKENS, Spent()) == "x"


def test_a_budget_needs_a_price(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="price of fake is not known"):
        answers(Model(dollars=None), tmp_path, budget=1.0)
    desk = answers(Model(dollars=None), tmp_path, budget=1.0, price=(10.0, 100.0))
    spent = Spent()
    desk.ask(prompt(), TOKENS, spent)
    assert spent.cost == pytest.approx((100 * 10 + 10 * 100) / 1e6)
    free = Spent()
    answers(Model(dollars=None), tmp_path / "other").ask(prompt(), TOKENS, free)
    assert "unknown price" in str(free)


@pytest.mark.parametrize(("kind", "asked"), [("refusal", 1), ("truncated", 1), ("unavailable", 3), ("rejected", 3)])
def test_failures_that_were_paid_for_are_kept(tmp_path: Path, kind: str, asked: int) -> None:
    def fail(_: Prompt) -> Answer:
        raise ModelError(kind, "no", tokens=(7, 1))

    model = Model(fail)
    spent = Spent()
    for _ in range(3):
        with pytest.raises(ModelError, match="no"):
            answers(model, tmp_path).ask(prompt(), TOKENS, spent)
    assert (len(model.asked), spent.failed, spent.input_tokens) == (asked, 3, 7 * asked)
    with pytest.raises(ModelError):
        answers(model, tmp_path, again=True).ask(prompt(), TOKENS, spent)
    assert len(model.asked) == asked + 1


@pytest.mark.parametrize("damage", [b"", b"junk", b"[]", b'{"text": 1}', b'{"text": "x"}'])
def test_a_damaged_answer_is_asked_for_again(tmp_path: Path, damage: bytes) -> None:
    model = Model()
    answers(model, tmp_path).ask(prompt(), TOKENS, Spent())
    (kept,) = tmp_path.rglob("*.json")
    assert json.loads(kept.read_bytes())["text"] == "QUESTION"
    kept.write_bytes(damage)
    assert answers(model, tmp_path).ask(prompt(), TOKENS, Spent()) == "QUESTION"
    assert len(model.asked) == 2


def test_results_come_in_order_and_several_are_worked_on() -> None:
    both = threading.Barrier(2)

    def work(item: int) -> int:
        both.wait(10)
        if item == 3:
            raise ValueError("three")
        return item * item

    found = []
    for item, result in in_order(work, range(6), 2):
        try:
            found.append((item, result()))
        except ValueError as error:
            found.append((item, str(error)))
    assert found == [(0, 0), (1, 1), (2, 4), (3, "three"), (4, 16), (5, 25)]


def test_one_at_a_time_is_worked_on_when_it_is_asked_for() -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        return item

    for item, result in in_order(work, range(5), 1):
        assert begun == list(range(item))
        assert result() == item


def test_no_more_is_begun_than_is_asked_for() -> None:
    begun: list[int] = []
    for item, result in in_order(begun.append, range(100), 3):
        result()
        if item == 4:
            break
    assert len(begun) <= 5 + 6
