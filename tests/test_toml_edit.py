"""One text of a settings file is set; every other byte stays, and what is not safe is not done."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from codex_kb.text.toml_edit import difference, lines, literal, with_texts

TABLE = ("agents", "mariner")
VALUES = ['Leave out "quoted" \\ ones.', 'Two\nlines, """three""" quotes\nand more', "", "Möwen \u202e\x7f\t", "a\n"]
FILES = {
    "without the key": '# mine\n[agents.mariner]   # the boats\ndomains = ["a"] # [agents.mariner]\n\n# next\n[git]\n',
    "at the end": '[git]\n[agents.mariner]\ndomains = [\n  "ships",\n  "harbours",\n]',
    "with the key": '[agents.mariner]\ninstructions = "old" # why\nmodel = "x"\n[agents.other]\ninstructions = "his"\n',
    "literal": "[agents.mariner]\n  instructions   =   'old'\n",
    "several lines": '[agents.mariner]\ninstructions = """\none\n[agents.mariner]\nmodel = "x"\n"""\nmodel="x"\n',
    "windows": '[kb]\r\n[agents.mariner]\r\ninstructions = "old"\r\nmodel = "x"\r\n',
    "windows without": '[agents.mariner]\r\nmodel = "x"\r\n\r\n[kb]\r\n',
    "spaced": '[ agents . mariner ]\nmodel = "instructions = 1"\n',
    "only the header": "[agents.mariner]",
}


def means(text: str, value: str) -> dict[str, object]:
    wanted = tomllib.loads(text)
    wanted["agents"]["mariner"]["instructions"] = value
    return wanted


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", FILES)
def test_the_key_is_set_and_nothing_else(name: str, value: str) -> None:
    text = FILES[name]
    found = with_texts(text, TABLE, {"instructions": value})
    assert found is not None
    assert tomllib.loads(found) == means(text, value)
    old = tomllib.loads(text)["agents"]["mariner"].get("instructions")
    lines_of_old = 0 if old is None else 1 + old.count("\n") + ("\n" in old)
    gone = [row for row in difference(text, found, "x").splitlines()[2:] if row.startswith("-")]
    assert len(gone) <= lines_of_old + (not text.endswith("\n"))


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("program", [["git", "apply"], ["patch", "-p1", "--binary"]], ids=lambda each: each[0])
def test_programs_take_the_difference(tmp_path: Path, program: list[str], name: str, value: str) -> None:
    after = with_texts(FILES[name], TABLE, {"instructions": value})
    assert after is not None
    path = tmp_path / "codex.toml"
    path.write_bytes(FILES[name].encode())
    found = f"# words before\n{difference(FILES[name], after, 'codex.toml')}# and after\n"
    subprocess.run(program, cwd=tmp_path, input=found.encode(), check=True, capture_output=True)
    assert path.read_bytes() == after.encode()


def test_a_key_is_taken_out_with_its_line() -> None:
    text = '[agents.mariner]\ntrying = """\na\nb""" # new\ninstructions = "old"\n'
    found = with_texts(text, TABLE, {"instructions": "a\nb", "trying": None})
    assert found == '[agents.mariner]\ninstructions = """\na\nb"""\n'
    assert with_texts('[agents.mariner]\ntrying = "x"', TABLE, {"trying": None}) == "[agents.mariner]\n"


@pytest.mark.parametrize("text", [
    'agents = { mariner = { model = "x" } }\n',
    'agents.mariner.model = "x"\n',
    '[agents]\nmariner = { model = "x" }\n',
    '[agents."mariner"]\nmodel = "x"\n',
    '[agents.mariner]\n"instructions" = "old"\n',
    '[agents.mariner]\ninstructions = """old""""\n',
    "[git]\n",
])  # fmt: skip
def test_what_is_written_otherwise_is_left_to_a_person(text: str) -> None:
    assert with_texts(text, TABLE, {"instructions": "new"}) is None


def test_lines_to_paste_are_toml() -> None:
    text = lines(TABLE, {"instructions": "a\nb", "trying": None})
    assert tomllib.loads(text) == {"agents": {"mariner": {"instructions": "a\nb"}}}
    assert "# no trying" in text


def test_a_text_that_would_steer_a_terminal_is_escaped() -> None:
    assert literal("a\u202eb\x1b") == '"a\\u202eb\\u001b"'
