"""Bad data is a problem with its place, whatever it is: never a fault of ours."""

from __future__ import annotations

import contextlib
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from codex_kb.disk import journal
from codex_kb.disk.serialise import packet_from_json
from codex_kb.text import json_of_others
from conftest import Base

DEEP = "[" * 200_000
RECORD = "inbox/proposals/notes.json"
ODD: tuple[Any, ...] = (None, True, 7, -1.5, "x", "\ud800", [], ["x"], {}, {"x": 1}, [[1]], 10**30)


def damaged(value: Any, chance: random.Random) -> Any:
    """The value with one part of it, at any depth, replaced, left out or doubled."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(sorted(value))
        rest = {name: each for name, each in value.items() if name != key}
        return rest if chance.random() < 0.3 else {**rest, key: damaged(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        at = chance.randrange(len(value))
        return [*value[:at], damaged(value[at], chance), *value[at + 1 :]]
    return chance.choice(ODD)


def commands(kb: Base) -> None:
    """What reads everything; each ends as it says it does."""
    kb.source("other")
    for args in (("status",), ("check",), ("proposals",), ("search", "towns"), ("ingest", "inbox"), ("distill",)):
        done = kb.run(*args, "--json")
        assert done.code in (0, 1, 2, 3), (args, done.err)


@pytest.mark.parametrize("text", [DEEP, "", "[]", "{}", "7", "\x00", '{"proposals": 7, "held": []}', '{"a": "\ud800"}'])
def test_a_damaged_record_is_a_problem_and_the_rest_is_listed(kb: Base, text: str) -> None:
    kb.ingest()
    kb.write(RECORD, text.encode(errors="surrogatepass"))
    found = kb.run("check", "--json")
    assert (found.code, [p["path"] for p in found.json if p["code"] == "refused"]) == (1, [RECORD])
    assert kb.run("status", "--json").json["problems"] >= 1
    commands(kb)


def test_records_that_were_altered_anywhere_are_read_or_refused(kb: Base) -> None:
    kb.ingest()
    whole, chance = kb.path(RECORD).read_bytes(), random.Random(10)
    refused = 0
    for _ in range(2_000):
        data = json.dumps(damaged(json.loads(whole), chance)).encode()
        try:
            packet = packet_from_json(data, "notes")
        except (ValueError, KeyError):
            refused += 1
            continue
        json.dumps([packet.source, *packet.report, *(p.title for p in packet.proposals)], ensure_ascii=False).encode()
    assert 500 < refused < 2_000
    assert packet_from_json(whole, "notes").proposals


def test_journals_that_were_altered_anywhere_are_errors_of_one_kind() -> None:
    entries = (journal.Entry("codex/a.md", None, b"text"), journal.Entry("codex/b.md", "0" * 64, None))
    whole = journal.dump(journal.Journal(entries, journal.Commit("m", ("codex/a.md",)), "refs/heads/main"), "clone")
    _, _, body = whole.partition(b"\n")
    chance = random.Random(11)
    for _ in range(2_000):
        altered = json.dumps(damaged(json.loads(body), chance)).encode()
        head = {"version": 2, "clone": "clone", "sha256": journal.digest(altered)}
        first = json.dumps(damaged(head, chance) if chance.random() < 0.2 else head).encode()
        with contextlib.suppress(ValueError):
            journal.load(first + b"\n" + altered, "clone")
    with pytest.raises(ValueError, match="damaged"):
        journal.load(DEEP.encode() + b"\n", "clone")


@pytest.mark.parametrize(
    "name", ["codex/decisions/x.jsonl", "codex/index/ab/x.jsonl", RECORD, "codex/index/manifest.json"]
)
@pytest.mark.parametrize("kind", ["folder", "dangling", "deep", "bytes"])
def test_whatever_stands_where_our_files_do_ends_no_command(kb: Base, name: str, kind: str) -> None:
    path = kb.path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "dangling":
        path.symlink_to("nowhere")
    else:
        path.write_bytes(DEEP.encode() if kind == "deep" else b"\xff\xfe\x00{")
    commands(kb)


def test_settings_nested_too_deep_are_wrong_settings(kb: Base) -> None:
    kb.write("codex.toml", f"[kb]\nclaims = {DEEP}\n")
    done = kb.run("status")
    assert (done.code, "codex.toml" in done.err) == (2, True)


def test_a_local_copy_with_a_deep_seal_is_made_anew(kb: Base) -> None:
    kb.claim("towns", "Towns grow where people meet")
    assert kb.run("search", "towns").code == 0
    (seal,) = kb.path(".codex-kb").rglob("seal.json")
    seal.write_text(DEEP)
    assert kb.run("search", "towns", "--json").json[0]["path"] == "codex/economics/towns.md"


@pytest.mark.parametrize(
    "line", [b"\xff", b'{"query": "\xff"}', rb'{"query": "\ud800"}', b'{"id": 1}', DEEP.encode(), b'{"a":' * 100_000]
)
@pytest.mark.parametrize("command", ["search", "related"])
def test_lines_of_a_batch_are_answered_or_named(kb: Base, tmp_path: Path, command: str, line: bytes) -> None:
    kb.claim("towns", "Towns grow where people meet")
    asked = tmp_path / "asked"
    asked.write_bytes(b"codex/economics/towns.md\n" + line + b"\n")
    done = kb.run(command, "--batch", os.fspath(asked))
    assert done.code in (0, 2)
    assert done.code == 0 or "line 2" in done.err


def test_json_that_is_none_is_one_kind_of_error() -> None:
    for data in (DEEP, b"\xff", "", "{", "9" * 5000, '{"a":' * 100_000):
        with pytest.raises(ValueError):  # noqa: PT011 (whatever it says)
            json_of_others.read(data)


def test_numbers_too_large_for_a_float_or_a_database_are_refused() -> None:
    assert json_of_others.numbers({"a": 2**62, "b": 0.5}) == {"a": 2**62, "b": 0.5}
    for large in (10**400, -(10**400), 2**63):
        with pytest.raises(ValueError, match="a is too large"):
            json_of_others.numbers({"a": large})


def test_a_decision_with_a_feature_too_large_is_a_problem_with_its_line(kb: Base) -> None:
    first, *_ = kb.ingest()
    assert kb.run("review", "--reject", first["id"]).code == 0
    line = json.loads(kb.read("codex/decisions/notes.jsonl"))
    kb.write("codex/decisions/notes.jsonl", json.dumps(line | {"features": {"a": 10**400}}) + "\n")
    done = kb.run("check", "--json")
    assert done.code == 1, done.err
    assert [row["line"] for row in done.json if row["rule"] == "decision"] == [1]
