"""What commands print with --json: the same as kept in tests/snapshots, and all that the contract names.

Each file there is one command of a story, in the order of their names, with what it prints. After a change that is
meant, `CODEX_SNAPSHOTS=write make test` writes them anew; read the difference before it is committed.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import HEAD, Base

SNAPSHOTS = sorted((Path(__file__).parent / "snapshots").glob("*.json"))
STORY = [path for path in SNAPSHOTS if path.stem[0].isdigit()]
CONTRACT: dict[str, Any] = json.loads((Path(__file__).parent / "cases/contract.json").read_text())


@pytest.fixture
def towns(kb: Base) -> Base:
    """A small knowledge base with a source of every fate, and claims: linked, retired, challenged, faulty."""
    kb.source()
    kb.source("done", head=HEAD.replace("unprocessed", "processed"))
    kb.write("inbox/binary.md", b"\xff\xfe\x00")
    linked = "The keel of a wide boat resists the water.\n\n---\n\nRelevant Notes:\n- [[narrow-harbours]]"
    kb.claim("wide-boats", "Wide boats turn slowly in narrow harbours", "Their keels resist it", "ships", body=linked)
    kb.claim("narrow-harbours", "Narrow harbours keep wide boats out", domain="ships", challenged_by=["a pilot"])
    kb.claim("old-boats", "Old boats turn slowly", domain="ships", status="retired")
    kb.claim("towns", "Towns raise the wages of workers", confidence="certain", description=None)
    kb.commit_all()
    return kb


def same_everywhere(text: str) -> str:
    """What a command printed, without what another day or machine would change."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", "(time)", text)
    return re.sub(r"[0-9a-f]{64}", "(sha256)", text).replace(datetime.date.today().isoformat(), "(today)")


def play(kb: Base, path: Path, **names: str) -> None:
    """Type the command of a snapshot and compare what it prints."""
    kept = json.loads(path.read_text())
    typed = shlex.split(kept["command"].format(**names))
    done = kb.run(*typed, stdin=kept.get("stdin", ""))
    lines = (done.out or done.err if "--json" in typed else done.out).splitlines()
    found = kept | {"code": done.code, "prints": [json.loads(same_everywhere(line)) for line in lines]}
    if os.environ.get("CODEX_SNAPSHOTS") == "write":
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        return
    assert found == kept, done.err


def test_every_command_prints_what_it_printed(towns: Base) -> None:
    for path in STORY:
        play(towns, path)


def test_a_debate_prints_what_it_printed(towns: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pydantic_ai", reason="the extra llm is not installed")
    from fake_model import answer  # noqa: PLC0415
    from model_server import ModelServer, ok  # noqa: PLC0415

    monkeypatch.setenv("CODEX_MODEL_KEY", "sk-0123456789")
    assert towns.run("ingest", "inbox", "--max-claims", "1").code == 1
    waiting = towns.run("proposals", "--json").json[0]["id"]
    with ModelServer(lambda body, _: ok(answer(str(body["messages"][-1]["content"])), 1000, 100)) as server:
        path = next(path for path in SNAPSHOTS if path.stem == "debate")
        play(towns, path, id=waiting, url=server.url)


def named(path: Path) -> str:
    """What the contract calls the value that a snapshot holds; empty where it is not JSON."""
    kept = json.loads(path.read_text())
    command = kept["command"].split()
    if "--json" not in command and "--batch" not in command:
        return ""
    other = "error" if kept["code"] > 1 else command[0]
    return next((name for name in ("batch", "check") if f"--{name}" in command), other)


@pytest.mark.parametrize("path", [path for path in SNAPSHOTS if named(path)], ids=lambda path: path.stem)
def test_what_is_printed_has_every_field_of_the_contract(path: Path) -> None:
    prints = json.loads(path.read_text())["prints"]
    assert prints
    assert [lack for value in prints for lack in lacking(CONTRACT[named(path)], value)] == []


def test_a_snapshot_is_kept_of_every_value_of_the_contract() -> None:
    assert {named(path) for path in SNAPSHOTS} - {""} == CONTRACT.keys()


def lacking(shape: Any, value: Any, at: str = "") -> Iterator[str]:
    """The fields of a shape that a value does not have; a list whose items have a shape must hold some."""
    if isinstance(shape, dict):
        for name, inner in shape.items():
            if not isinstance(value, dict) or name not in value:
                yield f"{at}.{name}"
            else:
                yield from lacking(inner, value[name], f"{at}.{name}")
    elif shape and isinstance(shape, list):
        if not value:
            yield f"{at}[]"
        for each in value:
            yield from lacking(shape[0], each, f"{at}[]")
