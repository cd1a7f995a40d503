"""`codex distill --suggest`: reasons of rejections become instructions, which are tried on half of the sources."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("pydantic_ai", reason="the extra llm is not installed")

from codex_kb.learn.halves import half_of, name_of
from conftest import Base, Run
from fake_model import answer, blocks
from model_server import ModelServer, Reply, ok

TRIVIAL = "Leave out what is trivial: what nobody would dispute."
COSTS = "Prefer costs."


def said(body: dict[str, Any]) -> tuple[str, str]:
    """The instructions and the question."""
    return str(body["messages"][0]["content"]), str(body["messages"][-1]["content"])


def play(body: dict[str, Any], number: int) -> Reply:
    """A model that leaves out what tar costs where it is told to leave out what is trivial."""
    system, user = said(body)
    claims = json.loads(answer(user))
    if "claims" in claims and TRIVIAL in system:
        claims["claims"] = [each for each in claims["claims"] if "tar" not in each["title"]]
    return ok(json.dumps(claims), 100, 10)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    monkeypatch.setenv("CODEX_MODEL_KEY", "sk-0123456789")
    with ModelServer(play) as running:
        yield running


@pytest.fixture
def mariner(kb: Base, server: ModelServer) -> Base:
    """A knowledge base with an agent; its model is granted."""
    text = f"""# settings of a harbour
[git]

[agents.mariner]
domains = ["economics"]   # and harbours
model = "openai:m@{server.url}"
instructions = "{COSTS}"

# the end
"""
    kb.write("codex.toml", text)
    kb.commit_all()
    assert kb.run("trust", "--yes").code == 0
    return kb


def propose(kb: Base, first: int, count: int, subject: str = "Boat") -> None:
    for n in range(first, first + count):
        kb.source(f"s{n:03d}", [f"{subject} {n} of yard {n * 7} turns slowly in harbour {n * 3} near town {n * 11}.",
                                f"The price of tar {n} doubled in winter {n * 5}."])  # fmt: skip
    done = kb.run("ingest", "inbox")
    assert done.code == 0, done.err


def review(kb: Base, reason: str = "trivial") -> None:
    """Approve what is of boats, reject what tar costs."""
    options = []
    for each in kb.run("proposals", "--json").json:
        options += ["--reject", f"{each['id']}={reason}"] if " tar " in each["title"] else ["--approve", each["id"]]
    done = kb.run("review", *options, "--anyway", "--yes")
    assert done.code in (0, 1), done.err
    assert kb.run("proposals", "--json").json == []


def suggest(kb: Base) -> Run:
    before = kb.snapshot(), kb.git("rev-parse", "HEAD")
    done = kb.run("distill", "--suggest")
    assert done.code == 0, done.err
    assert (kb.snapshot(), kb.git("rev-parse", "HEAD")) == before
    return done


def apply(kb: Base, done: Run) -> None:
    subprocess.run(["git", "apply"], cwd=kb.root, input=done.out.encode(), check=True)


def agents(kb: Base) -> list[dict[str, Any]]:
    return list(kb.run("distill", "--suggest", "--json").json["agents"])


def test_too_few_rejections_suggest_nothing(mariner: Base) -> None:
    propose(mariner, 0, 4)
    review(mariner)
    done = suggest(mariner)
    assert (done.out, done.err) == ("", "nothing to suggest: 4 decisions with reasons\n")
    (told,) = agents(mariner)
    assert (told["agent"], told["decisions"], told["reasons"], told["sentences"]) == ("mariner", 8, 4, [])
    assert [(group["reason"], group["count"], group["enough"]) for group in told["groups"]] == [("trivial", 4, False)]


def test_a_reason_that_comes_up_becomes_a_sentence_on_trial(mariner: Base, server: ModelServer) -> None:
    propose(mariner, 0, 6)
    review(mariner)
    asked = server.count
    done = suggest(mariner)
    assert server.count == asked
    text = mariner.read("codex.toml")
    changed = [row for row in done.out.splitlines() if row.startswith(("+", "-"))]
    assert changed == ["--- a/codex.toml", "+++ b/codex.toml", f'+trying = "{COSTS} {TRIVIAL}"']
    assert f"#   {TRIVIAL}\n#     6 of 12 decisions: trivial\n#     such as: The price of tar" in done.out
    assert "codex distill --suggest | git apply" in done.out
    apply(mariner, done)
    assert mariner.read("codex.toml") == text.replace(f'"{COSTS}"\n', f'"{COSTS}"\ntrying = "{COSTS} {TRIVIAL}"\n')
    assert mariner.run("distill", "--check").code in (0, 1), "the settings can be read"


def test_sources_are_told_either_and_decisions_say_which(mariner: Base, server: ModelServer) -> None:
    mariner.edit(f'"{COSTS}"\n', f'"{COSTS}"\ntrying = "{TRIVIAL}"\n', "codex.toml")
    propose(mariner, 0, 8)
    trial = name_of(COSTS, TRIVIAL)
    half = {n: half_of(trial, f"inbox/s{n:03d}.md") for n in range(8)}
    assert set(half.values()) == {"old", "new"}
    told = {}
    for request in server.requests:
        system, user = said(request["body"])
        part = next((each for name, each in blocks(user).items() if name.startswith("part ")), None)
        if part:
            which = {(True, False): "new", (False, True): "old"}
            told[int(part.split()[1])] = which[TRIVIAL in system, COSTS in system]
    assert told == half
    waiting = mariner.run("proposals", "--json").json
    assert not {"instructions", "tried"} & waiting[0].keys(), "a reviewer is not told"
    assert "instructions" not in mariner.read("inbox/proposals/s000.md")
    record = json.loads(mariner.read("inbox/proposals/s000.json"))["proposals"][0]
    assert (record["instructions"], record["tried"]) == (half[0], trial)
    review(mariner)
    for n in range(8):
        assert {(each["shown"]["instructions"], each["shown"]["tried"]) for each in mariner.decisions(f"s{n:03d}")} == {
            (half[n], trial)
        }


def test_what_is_better_is_taken_over_as_a_diff(mariner: Base) -> None:
    """The model finds a second claim where it leaves out tar."""
    mariner.edit(f'"{COSTS}"\n', f'"{COSTS}"\ntrying = """\n{COSTS}\n{TRIVIAL}""" # half\n', "codex.toml")
    trial = name_of(COSTS, f"{COSTS}\n{TRIVIAL}")
    for n in range(24):
        half = half_of(trial, f"inbox/s{n:03d}.md")
        decided(mariner, n, trial, half, 3 - n % 2 if half == "new" else n % 2)
    (told,) = agents(mariner)
    tried = told["trial"]
    assert tried["old"]["sources"] + tried["new"]["sources"] == 24
    assert tried["advice"] == "take over"
    assert 1 < tried["a_source"]["low"] < tried["a_source"]["value"] < tried["a_source"]["high"]
    text = mariner.read("codex.toml")
    done = suggest(mariner)
    assert "take over: the new ones bring more approvals" in done.out
    apply(mariner, done)
    kept, _, rest = text.partition(f'instructions = "{COSTS}"\n')
    taken = f'instructions = """\n{COSTS}\n{TRIVIAL}"""\n'
    assert mariner.read("codex.toml") == kept + taken + rest.partition("half\n")[2]
    (told,) = agents(mariner)
    assert (told["trial"], told["sentences"]) == (None, []), "what is told already is not suggested again"


def decided(kb: Base, n: int, trial: str, half: str, approved: int) -> None:
    """A log of four decisions about one source."""
    rows = [
        {"id": f"{n:06d}{at:06d}", "time": f"2026-01-01T00:00:{at:02d}+00:00", "reviewer": "Ann <a@b.c>",
         "verdict": "approved" if at < approved else "rejected", "reason": "" if at < approved else "trivial",
         "title": f"Title {n} {at}", "proposal": {"title": f"Title {n} {at}", "domain": "economics"},
         "claim": None, "source": f"inbox/s{n:03d}.md", "source_sha256": "0", "proposer": "mariner", "generation": 0,
         "shown": {"instructions": half, "tried": trial} if trial else {}}
        for at in range(4)
    ]  # fmt: skip
    kb.write(f"codex/decisions/s{n:03d}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def test_few_sources_say_how_many_more(mariner: Base) -> None:
    mariner.edit(f'"{COSTS}"\n', f'"{COSTS}"\ntrying = "{TRIVIAL}"\n', "codex.toml")
    propose(mariner, 0, 4)
    review(mariner)
    done = suggest(mariner)
    assert "mariner: new instructions on trial" in done.out
    assert "go on: about" in done.out
    assert "codex.toml" not in done.out, "nothing to apply"


def test_a_source_from_which_the_new_ones_proposed_nothing_counts(mariner: Base) -> None:
    mariner.edit(f'"{COSTS}"\n', f'"{COSTS}"\ntrying = "{TRIVIAL}"\n', "codex.toml")
    mariner.commit_all()
    trial = name_of(COSTS, TRIVIAL)
    empty = next(n for n in range(99) if half_of(trial, f"inbox/s{n:03d}.md") == "new")
    mariner.source(f"s{empty:03d}", ["The price of tar doubled in the winter of that year."])
    assert mariner.run("ingest", "inbox").code == 0
    mariner.mark("x", f"s{empty:03d}")
    assert mariner.run("review", "--apply").code == 0
    assert "null-result" in mariner.read(f"inbox/s{empty:03d}.md")
    propose(mariner, 100, 2)
    review(mariner)
    (told,) = agents(mariner)
    assert told["trial"]["old"]["sources"] + told["trial"]["new"]["sources"] == 3


def test_without_an_agent_it_is_said_that_one_is_needed(kb: Base) -> None:
    for n in range(3):
        decided(kb, n, "", "", 1)
    done = suggest(kb)
    assert "an agent is needed" in done.out
    assert TRIVIAL in done.out
    assert "codex.toml" not in done.out


def test_an_agent_whose_proposals_nobody_decided_is_told_at_once(mariner: Base) -> None:
    """What another proposer made of its domain says what people reject there; there is no old half to compare with."""
    for n in range(3):
        decided(mariner, n, "", "", 1)
        path = f"codex/decisions/s{n:03d}.jsonl"
        mariner.write(path, mariner.read(path).replace('"proposer": "mariner"', '"proposer": "extractive"'))
    assert f'+instructions = "{COSTS} {TRIVIAL}"' in suggest(mariner).out


def test_settings_that_are_not_edited_safely_are_printed_to_paste(mariner: Base) -> None:
    text = mariner.read("codex.toml").replace("[agents.mariner]", '[agents."mariner"]')
    mariner.write("codex.toml", text)
    mariner.commit_all()
    for n in range(3):
        decided(mariner, n, "", "", 1)
    done = suggest(mariner)
    assert "--- a/" not in done.out
    assert f'[agents.mariner]\ntrying = "{COSTS} {TRIVIAL}"' in done.out
    assert mariner.run("distill", "--suggest", "--json").json["paste"] in done.out + "\n"
