"""The Python face: what the command line answers, as records; nothing of it goes stale while it stays open."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import OpenBLASController, threadpool_info, threadpool_limits

from codex_kb import api, views
from codex_kb.encoders import threads
from codex_kb.errors import NotFound, UsageError
from codex_kb.index import opened
from codex_kb.kb import KnowledgeBase
from conftest import Base, FakeEncoder, Run, make_base

CODEX = Path(sys.executable).with_name("codex")
ADA = "Ada Archer <ada@example.org>"


def same(value: Any) -> Any:
    """A value as JSON has it: no tuples."""
    return json.loads(json.dumps(value))


def test_every_answer_is_that_of_the_command_line(kb: Base) -> None:
    kb.source()
    kb.claim("towns", "Towns raise the wages of workers", body="[[boats]]")
    kb.claim("boats", "Wide boats turn slowly in harbours", domain="ships")
    kb.commit_all()
    with api.open(kb.root) as base:
        would = base.ingest("inbox", max_claims=3, dry_run=True)
        assert same(views.ingested(would)) == kb.run("ingest", "inbox", "--max-claims", "3", "--dry-run", "--json").json
        assert base.ingest("inbox", max_claims=3).proposals == 3
        first, second, third = base.proposals()
        assert same(views.proposals(base.proposals("notes"))) == kb.run("proposals", "--json").json
        done = base.decide(approve=[first.id[:8]], reject={second.id: "vague"}, reviewer=ADA)
        assert (len(done.approved), len(done.rejected), done.waiting, done.faults) == (1, 1, 1, [])
        assert base.decide(add=[third.id]).faults, "it names no claim that it could be added to"
        assert {d["reviewer"] for d in kb.decisions()} == {ADA}
        assert base.distill().embedded == 2
        assert kb.git("status", "--porcelain") == ""
        question = "wages of workers in towns"
        for options in ({}, {"mode": "lexical"}, {"domain": "ships", "mode": "dense"}):
            typed = [f"--{name}={value}" for name, value in options.items()]
            found = base.search(question, **options)
            assert found
            assert same(views.hits(found)) == kb.run("search", question, *typed, "--json").json
        assert same(views.related({"towns": base.related("towns")})) == kb.run("related", "towns", "--json").json
        for name in (first.id, third.id, "towns", "inbox/notes.md"):
            assert same(views.shown(base.show(name))) == kb.run("show", name, "--json").json
        assert same(views.problems(base.check("codex"))) == kb.run("check", "codex", "--json").json
        assert same(views.status(base.status())) == kb.run("status", "--json").json


def test_what_cannot_be_done_is_one_of_our_errors(kb: Base, tmp_path: Path) -> None:
    kb.claim("towns", "Towns raise the wages of workers")
    with pytest.raises(NotFound):
        api.open(tmp_path)
    with api.open(kb.root) as base:
        for wrong in (
            lambda: base.search(" "), lambda: base.search("towns", 0), lambda: base.search("towns", mode="psychic"),
            lambda: base.decide(approve=["x"], reviewer=" "),
        ):  # fmt: skip
            with pytest.raises(UsageError):
                wrong()
        for missing in (
            lambda: base.show("nothing"), lambda: base.related("nothing"),
            lambda: base.ingest("nowhere"), lambda: base.check("nowhere"), lambda: base.proposals("nothing"),
        ):  # fmt: skip
            with pytest.raises(NotFound):
                missing()


# -- nothing goes stale ----------------------------------------------------------------------------


def codex(kb: Base, *arguments: str) -> str:
    """The command line in a process of its own."""
    done = subprocess.run([CODEX, *arguments], cwd=kb.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(os.environ.get("CODEX_FAST") == "1", reason="loads the real model")
def test_what_another_process_does_is_found_by_the_next_question(tmp_path: Path, run: Callable[..., Run]) -> None:
    kb = make_base(tmp_path / "kb", run)
    kb.source()
    kb.claim("boats", "Wide boats turn slowly in narrow harbours")
    kb.commit_all()

    def titles(question: str) -> list[str]:
        return [hit.card.title for hit in base.search(question)]

    with api.open(kb.root) as base:
        base.ingest("inbox")
        chosen = next(each for each in base.proposals() if "cities" in each.title)
        assert titles("cities and wages") == ["Wide boats turn slowly in narrow harbours"]
        assert base.related("boats") == []
        codex(kb, "review", "--approve", chosen.id)
        assert titles("cities and wages")[0] == chosen.title
        assert [each.card.title for each in base.related("boats")] == [chosen.title]
        by_hand = kb.claim("tar", "Tar is dear in winter")
        assert titles("the price of tar")[0] == "Tar is dear in winter"
        kb.edit("# Tar is dear", "# Pitch is cheap", by_hand)
        assert titles("the price of tar")[0] == "Pitch is cheap in winter"
        kb.path(by_hand).unlink()
        assert "Pitch is cheap in winter" not in titles("the price of tar")


def test_a_local_copy_that_another_process_brought_up_to_date_is_opened_anew(kb: Base) -> None:
    kb.claim("boats", "Wide boats turn slowly")
    with api.open(kb.root) as base:
        assert len(base.search("boats")) == 1
        kb.claim("ships", "Narrow boats turn quickly")
        time.sleep(2.1)  # files as young as this are read again by everybody
        assert len(kb.run("search", "boats", "--json").json) == 2
        assert len(base.search("boats")) == 2
        assert len(base.related("boats")) == 1


def test_files_are_looked_at_once_for_an_answer(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.claim("boats", "Wide boats turn slowly")
    time.sleep(2.1)
    assert kb.run("search", "boats").code == 0
    looks = []
    current = opened.ClaimIndex.current
    monkeypatch.setattr(opened.ClaimIndex, "current", lambda *args: looks.append(args) or current(*args))
    opens = []
    load = opened.load
    monkeypatch.setattr(opened, "load", lambda *args, **more: opens.append(args) or load(*args, **more))
    with api.open(kb.root) as base:
        for number in range(1, 4):
            assert base.search("boats")
            assert (len(looks), len(opens)) == (number, 1)


def test_a_run_that_lasts_past_midnight_knows_the_day(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    opened_kb = KnowledgeBase(kb.root)
    days = iter(["2026-01-31", "2026-02-01"])

    class Calendar(datetime.date):
        @classmethod
        def today(cls) -> Calendar:
            return cls.fromisoformat(next(days))

    monkeypatch.setattr(datetime, "date", Calendar)
    assert [opened_kb.today(), opened_kb.today()] == ["2026-01-31", "2026-02-01"]


# -- threads ---------------------------------------------------------------------------------------


def blas_threads() -> set[int]:
    """NumPy's; other packages may have brought a BLAS of their own into this process."""
    numpy = Path(np.__file__).resolve().parent.parent
    return {each["num_threads"] for each in threadpool_info()
            if each["user_api"] == "blas" and Path(each["filepath"]).is_relative_to(numpy / "numpy.libs")}  # fmt: skip


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A program that gave NumPy three threads, and not by the environment."""
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with threadpool_limits(limits=3, user_api="blas"):
        OpenBLASController.clear_controlling_thread(force=True)  # as if it were no limit, but how NumPy was loaded
        assert blas_threads() == {3}
        yield


def test_a_question_takes_one_thread_of_a_program_that_has_more(
    kb: Base, encoder: type[FakeEncoder], many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kb.claim("boats", "Wide boats turn slowly")
    seen = []
    query = encoder.query
    monkeypatch.setattr(encoder, "query", lambda self, text: seen.append(blas_threads()) or query(self, text))
    with api.open(kb.root) as base:
        assert base.search("boats")
    assert seen == [{1}]
    assert blas_threads() == {3}


def test_threads_that_ask_at_once_leave_the_limit_as_it_was(many: None) -> None:
    def ask(_: int) -> set[int]:
        with threads.one():
            time.sleep(0.01)
            return blas_threads()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(8))) == [{1}] * 8
    assert blas_threads() == {3}


def test_what_the_environment_says_of_threads_stands(many: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    threads.one_from_the_start()
    with threads.one():
        assert blas_threads() == {3}
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"
