"""A language model proposes part by part; what fails costs its part, what it invents is shown as such."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codex_kb.config import Settings
from codex_kb.errors import ModelError
from codex_kb.index import opened as indexes
from codex_kb.kb import KnowledgeBase
from codex_kb.language.paid import Answers, Ledger
from codex_kb.learn.generation import Generation
from codex_kb.learn.ranker import Ranker
from codex_kb.propose.background import Background
from codex_kb.propose.kinds.language import Amplifier
from codex_kb.propose.preference import Preference
from codex_kb.records import Answer, Decision, Drafted, Prompt, Source
from conftest import Base
from fake_model import answer, blocks

BODY = (
    "# Boats\n\nWide boats turn slowly in every harbour that was measured. Tar is dear in the winter months of the "
    "year. Narrow boats save fuel when the winter storms come.\n"
)


class Model:
    """Plays a language model; `say` may answer in its place."""

    name = "test:model"
    context_tokens = 8192
    at_once = 0

    def __init__(self, say: Callable[[Prompt], str | None] = lambda prompt: None) -> None:
        self.say = say
        self.prompts: list[Prompt] = []
        self._lock = threading.Lock()

    def ask(self, prompt: Prompt) -> Answer:
        with self._lock:
            self.prompts.append(prompt)
        said = self.say(prompt)
        return Answer(answer(prompt.user) if said is None else said, 100, 20, 0.001)

    def price(self, input_tokens: int, output_tokens: int) -> float | None:
        return (input_tokens + 5 * output_tokens) / 1e6


def source(body: str = BODY) -> Source:
    return Source("inbox/boats.md", {}, body, "0" * 64, "Boats", "Ann", "", "2026", "ships", "unprocessed")


def amplifier(kb: Base, model: Model, decisions: list[Decision] | None = None, **more: Any) -> Amplifier:
    opened = KnowledgeBase(kb.root)
    assert opened.settings == Settings()
    background = Background(opened, indexes.load(opened), decisions or [])
    answers = Answers(model, kb.root / ".codex-kb/answers", Ledger(more.pop("budget", 0.0)), (), "test", again=False)
    return Amplifier(answers, background, more.pop("preference", Preference()), jobs=4, **more)


def propose(kb: Base, model: Model, body: str = BODY, limit: int = 10, **more: Any) -> Drafted:
    return amplifier(kb, model, **more).propose(source(body), limit)


def test_quotes_stand_where_they_are_said_to_stand(kb: Base) -> None:
    done = propose(kb, Model())
    assert [BODY[start:end] for draft in done.drafts for start, end in draft.spans] == [
        "Wide boats turn slowly in every harbour that was measured.",
        "Tar is dear in the winter months of the year.",
        "Narrow boats save fuel when the winter storms come.",
    ]
    assert {draft.domain for draft in done.drafts} == {"ships"}
    assert done.report == ("test:model: 1 question, 100 tokens asked, 20 answered, $0.0010",)


def test_a_quote_that_stands_nowhere_is_shown_and_ranked_last(kb: Base) -> None:
    claims = [
        {"title": "Boats sink", "quotes": ["Boats sink in every storm."], "confidence": "proven"},
        {"title": "Tar is dear", "quotes": ["Wide boats turn slowly ... in the winter months"], "confidence": "likely"},
        {"title": "Boats turn", "quotes": ["Wide  boats turn\nslowly"], "confidence": "likely"},
    ]
    done = propose(kb, Model(lambda prompt: json.dumps({"claims": claims})))
    assert [(draft.title, bool(draft.unlocated)) for draft in done.drafts] == [
        ("Boats turn", False), ("Boats sink", True), ("Tar is dear", True)
    ]  # fmt: skip
    assert done.drafts[1].unlocated == ("Boats sink in every storm.",)


def test_what_was_learned_corrects_the_models_order(kb: Base) -> None:
    plain = propose(kb, Model())
    assert [draft.features["score"] for draft in plain.drafts] == [0, -0.6931, -1.0986]
    assert all("taught" not in draft.features and draft.features["position"] > 0 for draft in plain.drafts)
    ranker = Ranker(np.array([-90.0]), np.zeros(64))
    taught = Generation(1, "1-00000000", (), (), (), 9, "e", ("words",), ranker)
    done = propose(kb, Model(), preference=Preference(taught))
    words = [len(draft.title.split()) for draft in done.drafts]
    assert words == sorted(words) != [len(draft.title.split()) for draft in plain.drafts]
    assert {draft.title for draft in done.drafts} == {draft.title for draft in plain.drafts}
    assert done.drafts[0].features["taught"] > done.drafts[2].features["taught"]


LONG = "\n\n".join(
    f"# Part {n}\n\n" + " ".join(f"Sentence {n}-{m} says that boat {m} turns slowly in harbour {n}." for m in range(90))
    for n in range(5)
)


def test_a_long_source_is_read_in_parts_and_then_as_a_whole(kb: Base) -> None:
    model = Model()
    done = propose(kb, model, LONG, 4)
    parts = [name for prompt in model.prompts for name in blocks(prompt.user) if name.startswith("part ")]
    assert len(parts) == len(set(parts)) > 1
    whole = [prompt for prompt in model.prompts if "proposed claims" in blocks(prompt.user)]
    assert len(whole) == 1
    assert len(done.drafts) == 4
    assert all(draft.spans and not draft.unlocated for draft in done.drafts)
    read = [text for prompt in model.prompts for name, text in blocks(prompt.user).items() if name.startswith("part ")]
    assert sum(text.count("Sentence") for text in read) == 450


def test_a_bad_part_costs_that_part_only(kb: Base) -> None:
    def fail(prompt: Prompt) -> str | None:
        if any(name.startswith("part 1 ") for name in blocks(prompt.user)):
            raise ModelError("refusal", "the model refused")
        return None

    done = propose(kb, Model(fail), LONG)
    assert len(done.drafts) == 10
    assert done.report[0].startswith("part 1 of ")
    assert "refused" in done.report[0]


def test_where_every_part_fails_the_source_says_why(kb: Base) -> None:
    with pytest.raises(ModelError, match="cannot be read: there is no JSON"):
        propose(kb, Model(lambda prompt: "I'd rather not."))


def test_an_answer_that_cannot_be_read_is_asked_for_once_more(kb: Base) -> None:
    model = Model(lambda prompt: None if "could not be used" in prompt.user else "{broken")
    assert len(propose(kb, model).drafts) == 3
    assert len(model.prompts) == 2


def test_a_budget_stops_the_source_and_what_was_paid_is_not_paid_again(kb: Base) -> None:
    model = Model()
    proposer = amplifier(kb, model, budget=0.025)
    with pytest.raises(ModelError) as stopped:
        proposer.propose(source(LONG), 10)
    proposer.close()  # questions under way are asked to their end
    assert stopped.value.kind == "budget"
    before = len(model.prompts)
    assert before >= 1
    assert len(propose(kb, model, LONG).drafts) == 10
    assert len({prompt.user for prompt in model.prompts}) == len(model.prompts)


def test_what_is_near_is_told_and_the_judgement_carried(kb: Base) -> None:
    path = kb.claim("wide", "Wide boats turn slowly in every harbour that was measured")
    kb.commit_all()
    model = Model()
    done = propose(kb, model)
    assert "Wide boats turn slowly" in blocks(model.prompts[0].user)["known claims"]
    assert path not in model.prompts[0].user
    drafts = {draft.title: draft for draft in done.drafts}
    judged = drafts["Wide boats turn slowly in every harbour that was measured"]
    assert (judged.relation, judged.target, judged.why) == ("enriches", path, "it adds to what is known")


def decision(title: str, verdict: Any, reason: str = "") -> Decision:
    return Decision(title, "2026-01-01", "Ann <a@b.c>", verdict, reason, title, {}, None, "inbox/x.md", "0", "x", 0)


def test_what_people_decided_is_remembered(kb: Base) -> None:
    model = Model()
    decided = [decision(f"Boats are slow {n}", "rejected", "trivial") for n in range(30)]
    decided += [decision("Tar is dear", "approved"), decision("Cities grow", "approved")]
    propose(kb, model, decisions=decided)
    told = blocks(model.prompts[0].user)["what people decided before"]
    assert "approved: Tar is dear" in told
    assert told.count("rejected (trivial)") == 4
    assert "a@b.c" not in model.prompts[0].user


def test_what_was_not_foreseen_is_told_first_and_what_measures_is_not_told(kb: Base) -> None:
    model = Model()
    decided = [decision(f"Boats are slow {n}", "rejected") for n in range(9)]
    decided = [dataclasses.replace(each, features={"score": n}) for n, each in enumerate(decided)]
    blind = dataclasses.replace(decision("Wide boats turn slowly", "rejected"), shown={"blind": True})
    propose(kb, model, decisions=[*decided, blind])
    told = blocks(model.prompts[0].user)["what people decided before"]
    assert sorted(line[-1] for line in told.splitlines()) == ["5", "6", "7", "8"]


def test_an_agent_gives_its_name_and_instructions(kb: Base) -> None:
    model = Model()
    made = amplifier(kb, model, name="mariner", instructions="Care for keels.")
    made.propose(source(), 3)
    assert (made.name, made.model) == ("mariner", "test:model")
    assert "Care for keels." in model.prompts[0].system


def test_a_plan_asks_nobody_and_knows_what_is_paid_for(kb: Base) -> None:
    model = Model()
    made = amplifier(kb, model)
    plan = made.plan(source(LONG), 5)
    assert not model.prompts
    assert plan.calls > 5
    assert plan.input_tokens > len(LONG) // 5
    assert plan.cost
    made.propose(source(LONG), 5)
    assert made.plan(source(LONG), 5).calls < plan.calls - 2


def test_answers_are_on_disk_before_the_source_is_done(kb: Base) -> None:
    kept: list[int] = []

    def count(prompt: Prompt) -> None:
        kept.append(len(list(Path(kb.root / ".codex-kb/answers").rglob("*.json"))))

    propose(kb, Model(count), LONG)
    assert kept[-1] >= 2
