"""The local copy of the index: never believed where it is in doubt, and never another answer than a fresh one."""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codex_kb.disk import stat_cache
from codex_kb.index import entry, local, opened, stored, vectors, writer
from codex_kb.index.catalog import Filters
from codex_kb.kb import KnowledgeBase
from codex_kb.workflow.search import Searcher
from conftest import Base, FakeEncoder

CODEX = Path(sys.executable).with_name("codex")
QUESTION = "narrow harbours and wide boats"
NOUNS = ["harbours", "boats", "keels", "taxes", "tar", "winters", "cities", "wages", "ports", "rivers"]
ADJECTIVES = ["narrow", "wide", "costly", "slow", "steep", "dear"]


def add(kb: Base, number: int, draw: random.Random) -> str:
    a, b, c, d = (draw.choice(words) for words in (ADJECTIVES, NOUNS, ADJECTIVES, NOUNS))
    body = " ".join(draw.choices(NOUNS + ADJECTIVES, k=30)) + "."
    return kb.claim(
        f"c{number}", f"{a} {b} need {c} {d} {number}", f"{c} {b}", draw.choice(["ships", "towns"]), body=body
    )


@pytest.fixture
def filled(kb: Base) -> Base:
    draw = random.Random(1)
    for number in range(30):
        add(kb, number, draw)
    kb.commit_all()
    assert kb.run("distill").code == 0
    return kb


def answer(kb: Base, *options: str) -> Any:
    found = kb.run("search", QUESTION, "--json", *options)
    assert found.code == 0, found.err
    return found.json


def fresh_answer(kb: Base, *options: str) -> Any:
    """What a copy without any local state answers."""
    copy = kb.root.parent / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(kb.root, copy, ignore=shutil.ignore_patterns(".codex-kb"))
    found = kb.run("search", QUESTION, "--json", *options, cwd=copy)
    assert found.code == 0, found.err
    return found.json


HARMS = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
    "junk": lambda path: path.write_bytes(b"junk" * 1000),
    "one byte": lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\x7f"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_harmed_local_file_changes_no_answer(filled: Base, harm: str) -> None:
    expected = answer(filled)
    names = [path.name for path in (filled.root / local.FOLDER).iterdir() if path.name != "lock"]
    assert len(names) >= 4
    for name in names:
        path = filled.root / local.FOLDER / name
        stat = path.stat()
        HARMS[harm](path)
        if path.exists():
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert answer(filled) == expected, name


def test_a_local_copy_of_another_version_or_folder_is_made_again(filled: Base, encoder: type[FakeEncoder]) -> None:
    expected = answer(filled)
    for name, value in {"version": 0, "model": "other@1", "folders": "[]"}.items():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(local, "identity", lambda *of, real=local.identity, n=name, v=value: {**real(*of), n: v})
            shutil.rmtree(filled.root / local.FOLDER)
            answer(filled)
        encoder.texts.clear()
        assert answer(filled) == expected
        assert encoder.texts == [QUESTION]


def test_an_index_of_another_model_is_never_mixed(filled: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeEncoder, "name", "fake@2")
    FakeEncoder.texts.clear()
    found = filled.run("search", QUESTION)
    assert "embedding them" in found.err
    assert len(FakeEncoder.texts) > 30
    problems = filled.run("distill", "--check", "--json")
    assert (problems.code, [p["code"] for p in problems.json]) == (1, ["stale-index"])
    assert filled.run("distill").code == 0
    assert filled.run("distill", "--check").code == 0
    assert json.loads(filled.read("codex/index/manifest.json"))["model"] == "fake@2"


@pytest.mark.parametrize("harm", HARMS)
def test_a_harmed_committed_entry_changes_no_answer_and_is_mended(filled: Base, harm: str) -> None:
    expected = answer(filled)
    files = sorted(filled.path("codex/index").rglob("*.jsonl"))
    good = {path: path.read_bytes() for path in files}
    HARMS[harm](files[3])
    assert answer(filled) == expected
    assert fresh_answer(filled) == expected
    assert filled.run("distill", "--check").code == 1
    filled.commit_all()
    assert filled.run("distill").code == 0
    assert {path: path.read_bytes() for path in files} == good
    assert filled.run("distill", "--check").code == 0


@pytest.mark.parametrize("harm", ["gone", "replaced"])
def test_entries_of_a_great_knowledge_base_are_looked_at_by_their_folders(
    filled: Base, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    monkeypatch.setattr(local, "LOOK_AT_ALL", 10)
    assert filled.run("distill").code == 0
    file = sorted(filled.path("codex/index").rglob("*.jsonl"))[3]
    good = file.read_bytes()
    file.unlink()
    if harm == "replaced":
        file.write_bytes(b"junk")
    filled.commit_all()
    done = filled.run("distill", "--json")
    assert (done.code, done.json["embedded"], file.read_bytes()) == (0, 1, good)


def test_an_entry_of_a_great_knowledge_base_that_was_written_into_is_named_with_the_way_out(
    filled: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "LOOK_AT_ALL", 10)
    assert filled.run("distill").code == 0
    file = sorted(filled.path("codex/index").rglob("*.jsonl"))[3]
    good = file.read_bytes()
    file.write_bytes(b"junk")
    found = filled.run("distill", "--check", "--json").json
    assert [p["hint"] for p in found] == [f"rm {file.relative_to(filled.root)}; codex distill"]
    file.unlink()
    filled.commit_all()
    assert (filled.run("distill").code, file.read_bytes()) == (0, good)


def test_a_claim_of_a_great_knowledge_base_that_was_written_into_is_distilled(
    filled: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "LOOK_AT_ALL", 10)
    assert filled.run("distill").code == 0
    with filled.path(filled.claims()[0]).open("a") as file:
        file.write("Tar holds what nails do not.\n")
    filled.commit_all()
    assert filled.run("distill", "--json").json["embedded"] == 1


def test_a_run_with_nothing_to_do_looks_at_no_entry_of_a_great_knowledge_base(
    filled: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "LOOK_AT_ALL", 10)
    monkeypatch.setattr(stat_cache, "SLACK_NS", 0)
    assert filled.run("distill").code == 0
    assert filled.run("distill").code == 0
    monkeypatch.delattr(local, "is_entry")
    assert filled.run("distill", "--json").json["unchanged"] == 30


def test_every_answer_is_that_of_a_fresh_copy(filled: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims come, change, move and go; postings and approximate index are made again on the way."""
    monkeypatch.setattr(writer, "_FEW", 3)
    monkeypatch.setattr(writer, "_SPARE_ROWS", 4)
    monkeypatch.setattr(vectors, "APPROXIMATE_FROM", 25)
    monkeypatch.setattr(vectors, "_RECALL", 1.01)  # all lists are asked: what differs is no chance
    draw = random.Random(2)
    paths = filled.claims()
    for step in range(15):
        what = draw.choice(["add", "add", "edit", "move", "remove"])
        if what == "add":
            paths.append(add(filled, 100 + step, draw))
        else:
            path = paths.pop(draw.randrange(len(paths)))
            if what == "edit":
                filled.path(path).write_text(filled.read(path).replace("need", "do not need"))
                paths.append(path)
            elif what == "move":
                moved = path.replace(".md", f"-{step}.md")
                filled.path(path).rename(filled.path(moved))
                paths.append(moved)
            else:
                filled.path(path).unlink()
        for mode in ("hybrid", "dense", "lexical"):
            assert answer(filled, "--mode", mode) == fresh_answer(filled, "--mode", mode), (step, what, mode)
    filled.commit_all()
    assert filled.run("distill").code == 0
    assert 0.9 < json.loads(filled.read("codex/index/manifest.json"))["approximate recall@10"] <= 1
    asked = sorted(paths)[0]
    assert filled.run("related", asked).out == filled.run("related", asked, cwd=filled.root.parent / "copy").out


def test_a_claim_written_in_place_is_seen(filled: Base) -> None:
    """Size and modification time stand: the time of the change tells."""
    path = filled.path(answer(filled)[0]["path"])
    stat = path.stat()
    with path.open("r+b") as file:
        data = file.read().replace(b"harbours", b"chimneys")
        file.seek(0)
        file.write(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size
    assert answer(filled) == fresh_answer(filled)


def test_a_look_at_young_files_embeds_nothing(filled: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(FakeEncoder, "encode")
    assert filled.run("search", QUESTION, "--mode", "lexical").code == 0


def test_a_great_knowledge_base_is_looked_at_by_folders_and_hits(filled: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "LOOK_AT_ALL", 10)
    shutil.rmtree(filled.root / local.FOLDER)
    best = answer(filled)[0]["path"]
    filled.claim("new", QUESTION, "the very words")
    assert answer(filled)[0]["path"] == "codex/economics/new.md"
    filled.path("codex/economics/new.md").unlink()
    assert answer(filled)[0]["path"] == best
    path = filled.path(best)
    with path.open("r+b") as file:
        data = file.read().replace(b"harbours", b"chimneys").replace(b"boats", b"soots")
        file.seek(0)
        file.truncate()
        file.write(data)
    assert answer(filled) == fresh_answer(filled)


def test_a_stop_in_the_middle_keeps_what_was_embedded(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(1)
    for number in range(30):
        add(kb, number, draw)
    kb.commit_all()
    given = opened.writing
    monkeypatch.setattr(opened, "writing", lambda *args, **more: replace(given(*args, **more), chunk=5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer._Writer, "_packed", stop_at(3, writer._Writer._packed))
        assert kb.run("search", QUESTION).code == 130
    first = list(FakeEncoder.texts)
    FakeEncoder.texts.clear()
    found = answer(kb)
    assert len(first) == 2 * 15
    assert not {*first} & {*FakeEncoder.texts}
    assert found == fresh_answer(kb)
    assert kb.run("distill", "--json").json["claims"] == 30
    assert not kb.path(stored.PENDING).exists()


def stop_at(count: int, real: Any) -> Any:
    left = [count]

    def call(*args: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return real(*args)

    return call


def test_a_folder_that_refuses_costs_time_not_the_answer(filled: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = answer(filled)
    shutil.rmtree(filled.root / local.FOLDER)
    real = vectors.append

    def append(path: Path, rows: Any) -> None:
        if path.is_relative_to(filled.root):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        real(path, rows)

    monkeypatch.setattr(vectors, "append", append)
    found = filled.run("search", QUESTION, "--json")
    assert (found.json, found.err) == (expected, f"{local.FOLDER}: not kept: No space left on device\n")


def codex(kb: Base, *args: str, limit: int = 0) -> subprocess.CompletedProcess[str]:
    """The real program; with a limit, no file may grow beyond so many bytes."""

    def limited() -> None:
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run([CODEX, *args], cwd=kb.root, capture_output=True, text=True,
                          preexec_fn=limited, check=False)  # fmt: skip


def test_a_disk_that_is_full_everywhere_is_named(filled: Base) -> None:
    done = codex(filled, "search", QUESTION, "--mode", "lexical", limit=20_000)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("  → "), done.stderr
    assert "nothing is lost" in done.stderr
    assert "fault" not in done.stderr
    assert codex(filled, "search", QUESTION, "--mode", "lexical").returncode == 0


def test_runs_at_once_give_one_answer(filled: Base) -> None:
    shutil.rmtree(filled.path(".codex-kb"))
    command = [CODEX, "search", QUESTION, "--json"]
    runs = [subprocess.Popen(command, cwd=filled.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(4)]  # fmt: skip
    outputs = [run.communicate() for run in runs]
    assert [run.returncode for run in runs] == [0] * 4, outputs
    assert len({out for out, _ in outputs}) == 1
    assert len(json.loads(outputs[0][0])) == 10


QUESTIONS = ["ports " * 20_000, "η θάλασσα και τα πλοία", "深い港と広い船", "النص العربي", "\x00\x1b[2J", "🚢",
             "%s * \"' OR x --"]  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS, ids=range(len(QUESTIONS)))
def test_any_question_is_answered(filled: Base, question: str) -> None:
    for mode in ("hybrid", "dense", "lexical"):
        found = filled.run("search", question, "--mode", mode, "--json")
        assert (found.code, "Traceback" in found.err) == (0, False)
        assert all(0 <= hit["score"] <= 1 for hit in found.json)
        assert mode != "lexical" or question.startswith("ports") == bool(found.json)


def test_an_empty_question_is_refused(filled: Base) -> None:
    for question in ("", " \n\t", "\0"):
        found = filled.run("search", question)
        assert (found.code, "the question is empty" in found.err) == (2, True)


def test_retired_and_challenged_claims_say_so(kb: Base) -> None:
    kb.claim("old", "Boats are wide", status="retired")
    kb.claim("new", "Boats are narrow", challenged_by=["a survey"])
    assert [(h["title"], h.get("challenged")) for h in kb.run("search", "boats", "--json").json] == [
        ("Boats are narrow", True)
    ]
    assert "Boats are narrow (challenged)" in kb.run("search", "boats").out
    both = kb.run("search", "boats are wide", "--retired", "--json").json
    assert [(h["title"], h.get("status")) for h in both] == [("Boats are wide", "retired"), ("Boats are narrow", None)]
    assert "Boats are wide (retired)" in kb.run("search", "boats", "--retired").out
    assert "Boats are wide" not in kb.run("related", "new").out


def test_a_hit_shows_why(kb: Base) -> None:
    kb.claim("a", "Cities raise wages", body="Rents differ. Dense towns let firms share pools of workers. Taxes too.")
    hit = kb.run("search", "firms share workers", "--explain", "--json").json[0]
    assert hit["snippet"] == "Dense towns let firms share pools of workers."
    parts = hit["explain"]
    assert hit["score"] == pytest.approx(0.5 * max(parts["meaning"], 0) + 0.5 * parts["words"], abs=1e-5)
    assert "meaning 0." in kb.run("search", "firms share workers", "--explain").out


def test_related_learns_from_links(kb: Base) -> None:
    """Claims like the asked one link to a claim that shares no word with it."""
    kb.claim("hub", "Chimneys smoke", "soot")
    kb.claim("other", "Kettles whistle", "steam")
    for number in range(4):
        kb.claim(f"n{number}", f"Wide boats turn slowly {number}", "keels", body="See [[hub]].")
    kb.claim("asked", "Wide boats turn slowly in harbours", "keels")
    titles = [hit["title"] for hit in kb.run("related", "asked", "--json").json]
    assert titles.index("Chimneys smoke") < len(titles)
    assert "Kettles whistle" not in titles[: titles.index("Chimneys smoke")]
    explained = {h["title"]: h["explain"] for h in kb.run("related", "asked", "--explain", "--json").json}
    assert explained["Chimneys smoke"]["links"] > 0


def test_a_link_in_a_sentence_about_the_same_counts_more(kb: Base) -> None:
    kb.claim("hub", "Chimneys smoke", "soot")
    kb.claim("other", "Kettles whistle", "steam")
    for number in range(3):
        kb.claim(f"n{number}", f"Wide boats turn slowly {number}",
                 body="Tar is dear, see [[hub]]. Rudders resist currents, so [[other]].")  # fmt: skip
    for number in range(12):
        kb.claim(f"x{number}", f"Towns grow {number}", "It is so")
    kb.claim("asked", "Wide boats turn slowly in harbours", body="Rudders resist currents.")
    found = kb.run("related", "asked", "-k", "20", "--explain", "--json").json
    links = {hit["title"]: hit["explain"]["links"] for hit in found}
    assert links["Kettles whistle"] > links["Chimneys smoke"] > 0


@pytest.mark.parametrize("files", [
    {}, {"nonexistent": []}, {"catalog.db": None}, {"catalog.db": None, "claims.f32": None},
    {"catalog.db": None, "claims.f32": None, "titles.f32": None, "../../secret": None},
    {"catalog.db": None, "claims.f32": None, "titles.f32": None, "words-1.bin": None, "words-2.bin": None},
    {"catalog.db": None, "claims.f32": None, "titles.f32": None, "near-x.faiss": None},
])  # fmt: skip
def test_a_seal_names_the_files_that_are_written_and_no_others(tmp_path: Path, files: dict[str, Any]) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    folder = tmp_path / "a/b"
    folder.mkdir(parents=True)
    for name in ("catalog.db", "claims.f32", "titles.f32", "words-1.bin", "words-2.bin", "near-x.faiss"):
        (folder / name).write_bytes(b"x")
    (tmp_path / "secret").write_bytes(b"x")
    local.seal(folder, [name for name, state in files.items() if state is None], [])
    if "nonexistent" in files:
        (folder / "seal.json").write_text(json.dumps({"files": files, "for": {}}))
    assert local.sealed(folder) is None
    local.seal(folder, ["catalog.db", "claims.f32", "titles.f32", "words-1.bin"], [])
    assert local.sealed(folder) == {}


@pytest.mark.parametrize(("kind", "name"), [
    ("words", "../../../secret"), ("words", "near-1.faiss"), ("near", "/tmp/x.faiss"), ("near", "near-1.faiss/.."),
    ("words", "words-.bin"),
])  # fmt: skip
def test_a_catalog_names_files_of_ours(kind: str, name: str) -> None:
    with pytest.raises(ValueError, match="none of ours"):
        local.named({kind: name})
    assert local.named({"words": "words-12.bin", "near": ""}) == ["words-12.bin"]


def test_nothing_is_removed_from_the_local_index_that_is_not_ours(kb: Base) -> None:
    kb.claim("a", "Wide boats turn slowly")
    assert kb.run("search", "boats").code == 0
    kb.write(".codex-kb/index/notes.txt", "mine")
    kb.write(".codex-kb/index/seal.json", "{}")
    kb.path(".codex-kb/index/folder").mkdir()
    assert kb.run("search", "boats").code == 0
    assert kb.read(".codex-kb/index/notes.txt") == "mine"


@pytest.mark.parametrize("vectors", [
    np.ones((2, 3), np.float32), np.full((2, 64), np.nan, np.float32), np.ones((2, 0), np.float32),
])  # fmt: skip
def test_a_committed_entry_of_another_shape_or_without_numbers_changes_no_answer(
    filled: Base, vectors: np.ndarray
) -> None:
    expected = answer(filled)
    for path in filled.path("codex/index").rglob("*.jsonl"):
        path.write_bytes(entry.dump_entry(entry.entry_key(path.as_posix()), vectors))
    assert fresh_answer(filled) == expected
    assert filled.run("distill", "--check").code == 1


def test_a_snippet_is_of_a_file_inside(kb: Base) -> None:
    path = kb.claim("a", "Wide boats turn slowly", body="Boats of wood rot.")
    kb.commit_all()
    assert kb.run("search", "boats").code == 0
    kb.write("../secret.md", "Boats carry the secret.\n")
    searcher = Searcher(KnowledgeBase(kb.root))
    (hit,) = searcher.search("boats", 1, Filters())
    kb.path(path).unlink()
    kb.path(path).symlink_to("../../../secret.md")
    assert "secret" not in searcher._with_snippet(hit, searcher.index.worth("boats")).snippet


