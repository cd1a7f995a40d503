"""A kind of proposer is one module, found by its name."""

from __future__ import annotations

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
