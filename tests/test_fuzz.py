"""A little of `make fuzz`: all holds, and where the program is broken on purpose, that is seen."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from benchmarks.fuzz import fields, packets
from benchmarks.fuzz.__main__ import PARTS, SEED, run

from codex_kb.disk import transaction
from codex_kb.disk.transaction import Transactions
from codex_kb.text import ground
from codex_kb.text.markdown_file import set_fields

CASES = {"frontmatter": 200, "packets": 150, "journals": 10, "answers": 100}


def remark_lost(*args: Any) -> bytes:
    return set_fields(*args).replace(b"  # why", b"")


def all_approved(*args: Any) -> Any:
    outcome = real_decide(*args)
    return dataclasses.replace(outcome, waiting=outcome.waiting[1:])


def words_lost(*args: Any) -> Any:
    return [dataclasses.replace(row, reason="") for row in real_decisions(*args)]


def beside(quote: str, body: str, near: int = 0) -> Any:
    place = real_locate(quote, body, near)
    return place and (place[0] + 1, place[1] + 1)


def everywhere(self: Transactions, path: str, data: bytes | None) -> None:
    real_write(self, path, data)
    (self.root / "inbox/mine.md").write_bytes(b"ours")


real_decide, real_decisions, real_locate, real_write = (
    packets.decide.decide, packets.decide.decisions, ground.locate, Transactions._write
)  # fmt: skip
BREAKS: dict[str, tuple[str, Any, str, Any, str]] = {
    "a remark": ("frontmatter", fields, "set_fields", remark_lost, "a line of another field changed"),
    "an id": ("packets", packets.decide, "decide", all_approved, "an id is lost or counted twice"),
    "a reason": ("packets", packets.decide, "decisions", words_lost, "a typed word is lost"),
    "offsets": ("answers", ground, "locate", beside, "a quote that nobody said"),
    "a file": ("journals", transaction.Transactions, "_write", everywhere, "no entry names kb/inbox/mine.md"),
}


@pytest.mark.parametrize("name", PARTS)
def test_what_must_always_hold_holds(name: str, tmp_path: Path) -> None:
    said, holds = run(name, PARTS[name](tmp_path), SEED, range(CASES[name]))
    assert holds, said
    assert said.startswith(f"{name}: {CASES[name]} cases; held: ")


@pytest.mark.parametrize("fault", BREAKS)
def test_a_fault_is_found_and_told_how_to_meet_it_again(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, module, function, broken, message = BREAKS[fault]
    part = PARTS[name](tmp_path)
    monkeypatch.setattr(part, "tries", min(part.tries, 50), raising=False)
    monkeypatch.setattr(module, function, broken)
    said, holds = run(name, part, SEED, range(300))
    assert not holds
    assert said.startswith(f"{name}: BROKEN: {message}")
    assert f"again: --only {name} --seed {SEED} --first " in said
