"""Triage: what would almost surely be rejected is set aside, as far as decisions allow, and comes back."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from codex_kb.learn import held_out, triage
from codex_kb.learn.ranker import Group
from conftest import Base, as_made_before
from test_generations import document


def group(rng: np.random.Generator, name: str, count: int = 12) -> Group:
    """A source whose reviewer wants the first feature."""
    plain = rng.normal(size=(count, 2))
    wanted = 1.5 * plain[:, 0] + rng.logistic(size=count) > 1
    return Group(name, rng.normal(size=count), plain, rng.normal(size=(count, 3)) / 5, wanted)


def test_scores_are_of_learners_that_did_not_see_them() -> None:
    rng = np.random.default_rng(1)
    groups = [group(rng, f"inbox/{n}.md") for n in range(20)]
    found, made = held_out.approved(groups), held_out.scorer(groups)
    assert found is not None
    assert made is not None
    assert len(found) == sum(int(g.approved.sum()) for g in groups)
    seen = np.concatenate([made.score(g.scores, g.plain, g.vectors)[g.approved] for g in groups])
    assert not np.isin(np.round(found, 6), np.round(seen, 6)).any()
    everything = np.concatenate([made.score(g.scores, g.plain, g.vectors) for g in groups])
    assert abs(everything.mean() - np.concatenate([g.scores for g in groups]).mean()) < 1e-9


def test_so_few_approvals_are_lost_as_is_said() -> None:
    lost, saved = [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        groups = [group(rng, f"inbox/{n}.md") for n in range(230)]
        scores, made = held_out.approved(groups[:30]), held_out.scorer(groups[:30])
        assert scores is not None
        assert made is not None
        limit = triage.threshold(scores, 0.1)
        assert limit is not None
        below = [made.score(g.scores, g.plain, g.vectors) < limit.below for g in groups[30:]]
        wanted = np.concatenate([g.approved for g in groups[30:]])
        lost.append(np.concatenate(below)[wanted].mean())
        saved.append(np.concatenate(below).mean())
    assert np.mean(np.array(lost) <= 0.1) >= 0.75
    assert np.mean(saved) > 0.15


def test_sources_that_say_nothing_give_no_scores() -> None:
    rng = np.random.default_rng(1)
    one = group(rng, "inbox/a.md")
    assert held_out.approved([one]) is None
    assert held_out.approved([]) is None
    assert held_out.scorer([one]) is None


def wanted(title: str) -> bool:
    """What this reviewer approves: figures, and what is said of the coast."""
    return any(each in title for each in ("percent", "years", "coast"))


@pytest.fixture
def decided(kb: Base, tmp_path_factory: pytest.TempPathFactory) -> Base:
    """A knowledge base where some eighty proposals were decided, and forty wait."""
    return as_made_before(kb, "decided", decide, tmp_path_factory)


def decide(kb: Base) -> None:
    """Ingest and decide eighty proposals, then ingest forty."""
    kb.write("codex.toml", "[review]\nblind = 0.0\nexplore = 0.0\nrepeat = 0.0\n")
    kb.commit_all()
    for number in range(20):
        kb.source(f"n{number}", document(number))
    assert kb.run("ingest", "inbox", "--max-claims", "4").code == 0
    options = [
        f"--approve={each['id']}" if wanted(each["title"]) else f"--reject={each['id']}=trivial"
        for each in kb.run("proposals", "--json").json
    ]  # fmt: skip
    assert kb.run("review", *options, "--anyway").code == 0
    for number in range(20, 30):
        kb.source(f"n{number}", document(number))
    kb.commit_all()
    assert kb.run("ingest", "inbox", "--max-claims", "4").code == 0


def listed(kb: Base) -> set[str]:
    return {line.split()[0] for line in kb.run("proposals").out.splitlines() if "(set aside" in line}


def test_what_is_set_aside_is_not_shown_stays_listed_and_comes_back(decided: Base) -> None:
    before = {each["id"]: each for each in decided.run("proposals", "--json").json}
    files = decided.snapshot()
    decisions = {name for name in files if name.startswith("codex/decisions")}
    done = decided.run("review", "--triage", "0.1")
    assert done.code == 0, done.err
    left = {each["id"] for each in decided.run("proposals", "--json").json}
    aside = before.keys() - left
    assert 3 < len(aside) < 36
    assert sum(wanted(before[each]["title"]) for each in aside) <= 1
    assert f"{len(aside)} set aside, {len(left)} wait" in done.err
    assert "with 90 % confidence at most" in done.err
    assert listed(decided) == aside
    assert decided.run("status", "--json").json["set_aside"] == len(aside)
    assert f"{len(aside)} set aside (codex review --set-aside" in decided.run("status").out
    assert all(decided.read(name).encode() == files[name] for name in decisions)
    assert decided.git("status", "--porcelain") == ""
    assert "Why: they would almost surely be rejected" in decided.git("log", "-1", "--format=%B")
    for path in decided.path("inbox/proposals").glob("*.md"):
        assert not any(each in path.read_text() for each in aside)
    assert decided.run("review", "--apply").code == 0
    assert decided.run("check", "--json").code == 0
    back = decided.run("review", "--set-aside")
    assert (back.code, f"{len(aside)} brought back, {len(before)} wait" in back.err) == (0, True)
    assert {each["id"]: each for each in decided.run("proposals", "--json").json} == before
    now = decided.snapshot()
    assert {name for name in now if name.endswith(".md")} == {name for name in files if name.endswith(".md")}
    assert all(now[name] == data for name, data in files.items() if name.endswith(".md"))
    assert listed(decided) == set()
    assert decided.git("status", "--porcelain") == ""


def test_it_keeps_no_packet_open_teaches_nothing_and_comes_back_to_a_source_that_was_closed(decided: Base) -> None:
    decided.run("review", "--triage", "0.1")
    aside = {each["source"]: each for each in map(json.loads, (
        path.read_text() for path in sorted(decided.path("inbox/proposals/set-aside").glob("*.json"))
    ))}  # fmt: skip
    name = sorted(aside)[0]
    options = [f"--reject={each['id']}=trivial" for each in decided.run("proposals", "--json").json]
    assert decided.run("review", *options).code == 0
    assert list(decided.path("inbox/proposals").glob("*.json")) == []
    assert "status: null-result" in decided.read(name)
    decisions = [row["id"] for n in range(30) for row in decided.decisions(f"n{n}")]
    ids = {each["id"] for packet in aside.values() for each in packet["proposals"]}
    assert not ids & {*decisions}
    assert decided.run("review", "--set-aside", name).code == 0
    back = {each["id"] for each in decided.run("proposals", "--json").json}
    assert back == {each["id"] for each in aside[name]["proposals"]}
    assert "status: processing" in decided.read(name)
    assert decided.git("status", "--porcelain") == ""
    decided.run("review", *(f"--reject={each['id']}=vague" for each in decided.run("proposals", "--json").json))
    assert "status: null-result" in decided.read(name)


def test_a_tenth_is_shown_anyway_and_one_of_each_packet_stays(decided: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triage, "shown_anyway", lambda each, share=0.1: int(each, 16) % 3 == 0)
    decided.run("review", "--triage", "0.1")
    records = [json.loads(path.read_text()) for path in decided.path("inbox/proposals").glob("*.json")]
    assert len(records) == 10
    assert all(record["proposals"] for record in records)
    shown = [each for record in records for each in record["proposals"]]
    assert {each["chance"] for each in shown} == {0.1, 1.0}
    assert all(int(each["id"], 16) % 3 == 0 for each in shown if each["chance"] < 1)
    assert not any(int(each, 16) % 3 == 0 for each in listed(decided))
    before = decided.snapshot()
    decided.run("review", "--triage", "0.1")
    assert decided.snapshot() == before


def test_what_somebody_began_to_mark_stays(decided: Base) -> None:
    name = sorted(decided.path("inbox/proposals").glob("*.md"))[0].stem
    decided.mark("-", name)
    before = decided.read(f"inbox/proposals/{name}.md")
    decided.run("review", "--triage", "0.1")
    assert decided.read(f"inbox/proposals/{name}.md") == before


def test_too_few_approvals_are_told_with_what_is_missing(decided: Base) -> None:
    approvals = sum(row["verdict"] == "approved" for n in range(20) for row in decided.decisions(f"n{n}"))
    assert 22 <= approvals < 45
    before = decided.snapshot()
    done = decided.run("review", "--triage", "0.05")
    assert done.code == 2
    assert f"a limit of 0.05 takes 45 approvals, and {approvals} are on record" in done.err
    assert decided.snapshot() == before
    assert decided.run("review", "--set-aside", "n20").code == 3
    assert decided.run("review", "--triage", "0.1", "--apply").code == 2
    assert decided.run("review", "--triage", "1.5").code == 2


def test_drift_switches_it_off(decided: Base) -> None:
    rng = random.Random(3)
    words = ("quasar", "nebula", "pulsar", "comet", "aurora", "corona", "meteor", "galaxy", "zenith", "orbit")
    decided.run("review", *(f"--reject={each['id']}" for each in decided.run("proposals", "--json").json))
    for number in range(40, 52):
        some = [f"Every {' '.join(rng.sample(words, 5))} shines because the {rng.choice(words)} burns." for _ in "1234"]
        decided.source(f"n{number}", some)
    assert decided.run("ingest", "inbox", "--max-claims", "4").code == 0
    done = decided.run("review", "--triage", "0.1")
    assert (done.code, "what waits is unlike what was decided (p = 0.0" in done.err) == (2, True), done.err


def test_what_was_shown_anyway_and_approved_too_often_switches_it_off(
    decided: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triage, "shown_anyway", lambda each, share=0.1: True)
    decided.run("review", "--triage", "0.1")
    records = [json.loads(path.read_text()) for path in decided.path("inbox/proposals").glob("*.json")]
    options = [f"--{'approve' if each['chance'] < 1 else 'reject'}={each['id']}"
               for record in records for each in record["proposals"]]  # fmt: skip
    assert any(each.startswith("--approve") for each in options)
    assert decided.run("review", *options, "--anyway").code == 0
    done = decided.run("review", "--triage", "0.1")
    assert (done.code, "shown anyway: more than 10% would be lost" in done.err) == (2, True), done.err


def test_a_damaged_record_is_named_by_check(decided: Base) -> None:
    decided.run("review", "--triage", "0.1")
    path = next(decided.path("inbox/proposals/set-aside").glob("*.json"))
    path.write_text("{")
    problems = decided.run("check", "--json").json
    assert [p["path"] for p in problems if p["severity"] == "error"] == [f"inbox/proposals/set-aside/{path.name}"]
    damaged = path.stem
    done = decided.run("review", "--set-aside")
    assert (done.code, f"set-aside/{path.name}" in done.err) == (1, True)
    assert (decided.run("review", "--set-aside", damaged).code, listed(decided)) == (1, set())


@pytest.mark.parametrize("named", ["codex.toml", "codex/decisions/n0.jsonl", ".env", "inbox/proposals/n20.md", "claim"])
def test_a_record_that_names_no_source_brings_nothing_back(decided: Base, named: str) -> None:
    decided.run("review", "--triage", "0.1")
    path = sorted(decided.path("inbox/proposals/set-aside").glob("*.json"))[0]
    named = decided.claims()[0] if named == "claim" else named
    decided.write(".env", "SECRET=1\n")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"source": named}))
    before = decided.path(named).read_bytes()
    done = decided.run("review", "--set-aside", path.stem)
    assert (done.code, "is no source" in done.err) == (1, True)
    assert decided.path(named).read_bytes() == before


def test_a_proposal_that_was_set_aside_says_how_it_comes_back(decided: Base) -> None:
    decided.run("review", "--triage", "0.1")
    some = sorted(listed(decided))[0]
    done = decided.run("review", "--approve", some)
    assert (done.code, f"{some} was set aside" in done.err, "--set-aside" in done.err) == (3, True, True)


@pytest.mark.parametrize("alpha", ["nan", "1e-320", "1", "inf"])
def test_a_limit_is_a_share(kb: Base, alpha: str) -> None:
    assert kb.run("review", "--triage", alpha).code == 2
