"""What leaves steers nothing: commits, JSON, the terminal and errors, whatever a source says."""

from __future__ import annotations

import json
import os

import pytest

from codex_kb.text.leaving import as_json, shown, without
from conftest import HEAD, Base

HOSTILE = "\x1b[2J\x07\x7f\x9b31m\u202e\u2066\u2028\u200f"


@pytest.mark.parametrize(
    "char", [*sorted(set(HOSTILE) - set("[2J31m")), "\x00", "\r", "\x85", "\u061c", "\u2029", "\ud800"]
)
def test_what_steers_is_an_escape_or_gone(char: str) -> None:
    assert without(f"a{char}b") == "ab"
    assert shown(f"a{char}b").isprintable()
    assert as_json([f"a{char}b"]).isprintable()
    assert json.loads(as_json([f"a{char}b"])) == [f"a{char}b"]


def test_ordinary_text_stays() -> None:
    text = "naïve 中文 עברית 👩‍🔬 “quoted”\n\tindented"
    assert (shown(text), without(text)) == (text, text)
    assert "naïve 中文" in as_json(text)


def test_a_hostile_title_reaches_neither_commits_nor_terminals(kb: Base) -> None:
    title = f"Towns {HOSTILE}grow"
    kb.source(head=HEAD.replace("Notes on towns", json.dumps(title)).replace("Ann Archer", json.dumps(title)))
    sources = {"ingest": kb.run("ingest", "inbox", "--json"), "proposals": kb.run("proposals", "--json")}
    first = sources["proposals"].json[0]["id"]
    sources |= {
        "show": kb.run("show", first), "listed": kb.run("proposals"),
        "review": kb.run("review", "--approve", first, "--reject", f"{first}={HOSTILE}"),
        "missing": kb.run("show", f"x{HOSTILE}"), "json": kb.run("show", f"x{HOSTILE}", "--json"),
        "usage": kb.run("search", "x", f"--bogus{HOSTILE}"), "mode": kb.run("search", "x", "--mode", HOSTILE),
        "status": kb.run("status", "--json"), "check": kb.run("check", "--json"),
    }  # fmt: skip
    assert kb.run("review", "--approve", first).code == 0
    sources["log"] = kb.run("status")._replace(out=kb.git("log", "--format=%B"))
    for name, done in sources.items():
        assert not set(HOSTILE) & set("".join(done[1:])) - {"[", "2", "J", "3", "1", "m"}, name
        assert done.code != 70, name


@pytest.mark.parametrize(
    "args",
    [
        ("search", "\udcff"), ("show", "\udcff"), ("related", "\udcff"), ("ingest", "inbox/\udcff.md"),
        ("review", "--reject", "x=\udcff"), ("review", "--apply", "--reviewer", "\udcff"), ("check", "\udcff"),
        ("--kb", "\udcff", "status"), ("\udcff",), ("proposals", "\udcff"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("json_", [(), ("--json",)])
def test_an_argument_that_is_not_utf8_is_wrong_usage(kb: Base, args: tuple[str, ...], json_: tuple[str, ...]) -> None:
    done = kb.run(*args, *json_)
    assert done.code == 2
    assert "not UTF-8" in done.err


def test_a_file_whose_name_is_not_utf8_is_refused_by_itself(kb: Base) -> None:
    name = os.fsdecode(b"inbox/\xff.md")
    kb.write(name, "x")
    kb.source("good")
    done = kb.run("ingest", name, "inbox/good.md", "--json")
    assert (done.code, {row["status"] for row in done.json["sources"]}) == (1, {"refused", "proposed"})
    assert kb.run("check", name).code in (0, 1, 3)
