"""A kind of proposer is one module, found by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from codex_kb.errors import UsageError
from codex_kb.propose import kinds
from conftest import Base


@pytest.mark.parametrize(("model", "asks"), [
    ("extractive", False), ("openai:gpt-5-mini", True), ("local:m.gguf", True),
])  # fmt: skip
def test_each_model_has_one_kind(model: str, asks: bool) -> None:
    assert kinds.asks(model) is asks


@pytest.mark.parametrize("model", ["extractiv", "gpt-5-mini", "", "nobody:x"])
def test_a_model_that_no_kind_serves_is_named_with_those_that_are_served(model: str) -> None:
    with pytest.raises(UsageError) as error:
        kinds.require(model)
    assert "known: extractive, anthropic:NAME" in error.value.hint


PARROT = """
from codex_kb.records import Draft, Drafted, Plan

FORM = "parrot"
ASKS = False


def takes(model):
    return model == FORM


def build(briefing):
    return Parrot(briefing)


class Parrot:
    def __init__(self, briefing):
        self.name, self.model = briefing.agent, ""
        self.told = f"{briefing.instructions}, {briefing.preference.begun}, {briefing.background.claims} claims"

    def propose(self, source, limit):
        return Drafted((Draft(source.body[:30].strip(), ((0, 30),)),), (self.told,))

    def plan(self, source, limit):
        return Plan()

    def close(self):
        pass
"""


def test_a_module_in_the_folder_is_a_kind_and_is_told_what_it_needs(
    kb: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "parrot.py").write_text(PARROT)
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path / "kinds")])
    kb.claim("harbours", "Harbours are dear")
    kb.write("codex.toml", '[agents.polly]\ndomains = ["economics"]\nmodel = "parrot"\ninstructions = "Say it again"\n')
    kb.source(head="---\ntype: source\ndomain: economics\n---\n")
    assert kb.run("ingest", "inbox").code == 0
    packet = kb.read("inbox/proposals/notes.md")
    assert "Say it again, False, 1 claims" in packet
    assert kb.run("proposals", "--json").json[0]["proposer"] == "polly"


def test_folders_and_decisions_are_read_a_few_times_a_run_however_many_sources_there_are(
    kb: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    from codex_kb.disk.store import Store  # noqa: PLC0415

    counts: dict[str, int] = {}
    for name in ("markdown_files", "decisions", "packets"):
        real = getattr(Store, name)

        def counted(self: Store, *args: object, _name: str = name, _real: object = real) -> object:
            counts[_name] = counts.get(_name, 0) + 1
            return _real(self, *args)  # type: ignore[operator]

        monkeypatch.setattr(Store, name, counted)

    def run(first: int, number: int) -> dict[str, int]:
        for each in range(first, first + number):
            kb.source(f"s{each}", [f"Harbours of the kind {each} stay open in every winter that was measured."])
        counts.clear()
        assert kb.run("ingest", "inbox").code == 0
        return dict(counts)

    few, many = run(0, 2), run(2, 9)
    assert few == many
    assert (many["packets"], many["decisions"]) == (1, 1)
