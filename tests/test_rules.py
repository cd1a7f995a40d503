"""The rules of `codex check`: what each finds in cases/check, and what they all offer.

A case file has `>>> wrong` or `>>> right`, what is found (`path:line code`), and files, each below `=== path`.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from codex_kb import check, config, facts
from codex_kb.check.facts import Facts
from codex_kb.disk.store import Store
from codex_kb.layout import Layout
from conftest import Base, FakeEncoder

ROOT = Path(__file__).resolve().parents[1]
CASES = Path(__file__).parent / "cases/check"
RULES = pytest.mark.parametrize("rule", check.rules(), ids=check.ids())


def read(root: Path, files: list[str]) -> Facts:
    """The facts of a knowledge base of these files: path, text, path, text…"""
    for path, text in {"codex.toml": "", **dict(zip(files[::2], files[1::2], strict=True))}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return facts.read(Store(Layout(root), config.read(root, check.ids)), FakeEncoder("", root, print))


@RULES
def test_a_rule_finds_what_is_wrong_and_nothing_else(rule: check.Rule, tmp_path: Path) -> None:
    text = (CASES / f"{rule.ID}.txt").read_text(encoding="utf-8")
    cases = re.split(r"^>>> (wrong|right)\n", text, flags=re.MULTILINE)[1:]
    assert {*cases[::2]} == {"wrong", "right"}
    for number, (kind, case) in enumerate(zip(cases[::2], cases[1::2], strict=True)):
        wanted, *files = re.split(r"^=== (.+)\n", case, flags=re.MULTILINE)
        assert (kind == "wrong") == bool(wanted)
        found = rule.check(read(tmp_path / str(number), files))
        assert sorted(f"{p.path}{f':{p.line}' if p.line else ''} {p.code}" for p in found) == wanted.splitlines()


@RULES
def test_a_rule_is_a_module_with_id_default_description_and_check(rule: check.Rule) -> None:
    assert rule.__name__ == f"codex_kb.check.{rule.ID.replace('-', '_')}"  # type: ignore[attr-defined]
    assert rule.DEFAULT in ("error", "note")
    assert rule.__doc__ is not None
    assert re.fullmatch(r"[^\n|]+\.", rule.__doc__)
    assert callable(rule.check)


def test_the_readme_lists_the_rules() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z-]+)` \| (error|note) \| (.+) \|$", readme, re.MULTILINE)
    assert listed == [(rule.ID, rule.DEFAULT, rule.__doc__) for rule in check.rules()]


@pytest.mark.parametrize(
    ("level", "code", "severities"),
    [(None, 1, ["error"]), ("error", 1, ["error"]), ("note", 0, ["note"]), ("off", 0, [])],
)
def test_the_settings_say_what_becomes_of_a_rule(kb: Base, level: str | None, code: int, severities: list[str]) -> None:
    kb.claim("a", "Cities raise the wages of workers", body="See [[nowhere]].")
    kb.run("distill")
    kb.write("codex.toml", f'[check]\ndead-link = "{level}"\n' if level else "")
    done = kb.run("check", "--json")
    assert (done.code, [p["severity"] for p in done.json if p["code"] == "dead-link"]) == (code, severities)
    assert kb.run("status", "--json").json["problems"] == code


def test_a_note_can_be_an_error(kb: Base) -> None:
    kb.claim("a", "Cities raise the wages of workers")
    kb.run("distill")
    assert kb.run("check").code == 0
    kb.write("codex.toml", '[check]\nno-decision = "error"\n')
    assert kb.run("check").code == 1


@pytest.mark.parametrize("command", [("check",), ("ingest", "inbox"), ("search", "towns")])
def test_an_unknown_rule_stops_every_command_with_file_line_and_known_rules(kb: Base, command: tuple[str, ...]) -> None:
    kb.source()
    kb.write("codex.toml", '[check]\ntitle = "off"\ndead-links = "off"\n')
    done = kb.run(*command)
    assert (done.code, done.out) == (2, "")
    assert "codex.toml:3: unknown key dead-links in [check]" in done.err
    assert ", ".join(check.ids()) in done.err
    assert not kb.path("inbox/proposals/notes.md").exists()


def test_status_reads_each_file_once(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a folder is of both kinds, and where a quote is from a source, a claim, elsewhere or a refused file."""
    kb.write("codex.toml", '[kb]\nclaims = ["codex"]\nsources = ["inbox", "codex"]\n')
    quoted = [kb.source(), kb.claim("a", "Ropes rot in the sun"), "codex/both.md", "elsewhere.md", "codex/refused.md"]
    kb.write("codex/both.md", "# Notes\n")
    kb.write("elsewhere.md", "# Notes\n")
    kb.write("codex/refused.md", "---\ntype: source\n")
    evidence = [{"source": path, "source_sha256": "", "quote": "o", "start": 0, "end": 1} for path in quoted]
    kb.claim("b", "Cities raise the wages of workers", evidence=evidence)
    reads: Counter[str] = Counter()
    once = Store.read_bytes

    def counted(store: Store, path: str) -> bytes:
        reads[path] += 1
        return once(store, path)

    monkeypatch.setattr(Store, "read_bytes", counted)
    status = kb.run("status", "--json").json
    assert reads == Counter([*quoted, "codex/economics/b.md"])
    assert status["sources"] == {"refused": 1, "unprocessed": 2}
    assert status["claims"] == 2
