"""A look that processes share tells what a look by one tells."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from codex_kb import layout
from codex_kb.disk import shared_look, stat_cache
from codex_kb.index import local
from conftest import Base, FakeEncoder

FOLDERS = 3 * shared_look._PARTS


@pytest.mark.parametrize("start", ["codex", "codex/1", "nowhere"])
def test_it_sees_what_one_process_sees(tmp_path: Path, start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(FOLDERS):
        folder = tmp_path / f"codex/{number % 3}/{number}"
        (folder / ".hidden").mkdir(parents=True)
        for name in ("a.md", "b.txt", "_map.md", "index/x.md", "deep/er/y.md"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
    alone = sorted(stat_cache.scan(str(tmp_path), start, layout.may_be_claim, layout.never_claims))
    assert sorted(shared_look.claim_folders(str(tmp_path), start)) == alone
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert sorted(shared_look.claim_folders(str(tmp_path), start)) == alone
    monkeypatch.setattr(sys, "executable", "false")
    assert sorted(shared_look.claim_folders(str(tmp_path), start)) == alone
    assert len(alone) > FOLDERS or start == "nowhere"


def test_a_distill_of_very_many_claims_sees_each_change(
    kb: Base, encoder: type[FakeEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "SHARE_FROM", 10)
    for number in range(2 * shared_look._PARTS):
        kb.claim(f"c{number}", f"Boats of kind {number} turn slowly", domain=f"d{number}")
    kb.commit_all()
    assert kb.run("distill", "--json").json["embedded"] == 2 * shared_look._PARTS
    assert kb.run("distill", "--json").json["embedded"] == 0
    kb.claim("c7", "Wide boats turn quickly", domain="d7")
    kb.commit_all()
    done = kb.run("distill", "--json").json
    assert (done["embedded"], done["removed"]) == (1, 1)
