"""The index is made once and proved; search finds claims by meaning and by words."""

from __future__ import annotations

import json
import os

import pytest

from conftest import Base, FakeEncoder, make_base

FAR = "zebras lions tigers bears wolves foxes otters badgers near boats"
TITLES = {"a": "Cities raise wages", "b": "Boats turn slowly", "c": "Tar is dear in winter"}


def filled(kb: Base) -> Base:
    for stem, title in TITLES.items():
        kb.claim(stem, title, f"About {stem}", "boats" if stem == "b" else "economics")
    kb.commit_all()
    return kb


def test_distill_embeds_once_and_forgets_what_went(kb: Base) -> None:
    filled(kb)
    assert kb.run("distill", "--check").code == 1
    made = {"embedded": 3, "removed": 0, "unchanged": 0, "claims": 3, "generation": 0, "in_force": 0, "trained_on": 0,
            "waiting": 0, "gate": {"packets": 0, "gain": None, "low": None}}  # fmt: skip
    assert kb.run("distill", "--json").json == made
    assert all(p.stat().st_size <= 2048 for p in kb.path("codex/index").rglob("*.jsonl"))
    head = kb.git("rev-parse", "HEAD")
    assert kb.run("distill", "--json").json == made | {"embedded": 0, "unchanged": 3}
    assert kb.git("rev-parse", "HEAD") == head
    assert kb.run("distill", "--check").code == 0
    kb.path("codex/boats/b.md").unlink()
    assert kb.run("distill", "--json").json == made | {"embedded": 0, "removed": 1, "unchanged": 2, "claims": 2}


def test_a_question_that_no_claim_is_close_to_is_told_so(kb: Base) -> None:
    filled(kb).run("distill")
    assert "no claim is close" not in kb.run("search", "boats turn").err
    far = kb.run("search", FAR, "--json")
    assert "no claim is close to this question" in far.err
    assert far.json
    assert "no claim is close" not in kb.run("search", FAR, "--mode", "dense").err


@pytest.mark.parametrize("committed", [True, False])
def test_a_damaged_vector_is_found_and_mended(kb: Base, committed: bool) -> None:
    filled(kb).run("distill")
    entry = sorted(kb.path("codex/index").rglob("*.jsonl"))[0]
    good = entry.read_bytes()
    entry.write_bytes(b"junk\n")
    if committed:
        kb.git("commit", "-qam", "damage")
    assert [p["code"] for p in kb.run("distill", "--check", "--json").json] == ["damaged-index"]
    assert kb.run("distill").code == 0
    assert entry.read_bytes() == good
    assert kb.git("status", "--porcelain") == ""


def test_a_manifest_that_cannot_be_read_is_made_again(kb: Base) -> None:
    filled(kb).run("distill")
    manifest = kb.path("codex/index/manifest.json")
    good = manifest.read_bytes()
    manifest.write_bytes(b"{")
    assert kb.run("distill").code == 0
    assert manifest.read_bytes() == good
    assert kb.git("status", "--porcelain") == ""


def test_branches_merge_and_a_clone_embeds_only_the_question(kb: Base, encoder: type[FakeEncoder]) -> None:
    filled(kb).run("distill")
    for branch, title in {"left": "Left banks flood", "right": "Right banks are steep"}.items():
        kb.git("checkout", "-q", "-b", branch, "main")
        kb.claim(branch, title)
        kb.commit_all()
        kb.run("distill")
    kb.git("merge", "-q", "-m", "merge", "left")
    kb.git("clone", "-q", ".", str(kb.root.parent / "clone"))
    encoder.texts.clear()
    found = kb.run("search", "left banks flood", "--json", cwd=kb.root.parent / "clone").json
    assert (found[0]["title"], encoder.texts) == ("Left banks flood", ["left banks flood"])
    assert kb.run("distill", "--check").code == 0


def test_filters_modes_and_no_hits(kb: Base) -> None:
    filled(kb)
    for mode in ("hybrid", "dense", "lexical"):
        hit = kb.run("search", "boats", "turn", "slowly", "--mode", mode, "--json").json[0]
        assert (hit["path"], hit["rank"]) == ("codex/boats/b.md", 1)
    assert {h["domain"] for h in kb.run("search", "about boats", "--domain", "economics", "--json").json} == {
        "economics"
    }
    assert kb.run("search", "boats", "--confidence", "proven", "--json").json == []
    assert kb.run("search", "zebra", "--mode", "lexical", "--json") == (0, "[]\n", "")
    assert kb.run("search", " ").code == 2


def test_batches_answer_in_order_and_related_leaves_itself_out(kb: Base) -> None:
    filled(kb)
    asked = 'tar\n{"id": 7, "query": "boats"}\n'
    rows = [json.loads(x) for x in kb.run("search", "--batch", "-", stdin=asked).out.splitlines()]
    assert [row["id"] for row in rows] == ["tar", 7]
    asked = "codex/boats/b.md\nnone\n"
    first, second = (json.loads(x) for x in kb.run("related", "--batch", "-", stdin=asked).out.splitlines())
    assert {hit["path"] for hit in first["hits"]} == {"codex/economics/a.md", "codex/economics/c.md"}
    assert (second["hits"], "no such claim" in second["error"]) == ([], True)


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(os.environ.get("CODEX_FAST") == "1", reason="loads the real model")
def test_the_real_model_finds_by_meaning_without_shared_words(tmp_path, run) -> None:
    kb = make_base(tmp_path / "real", run)
    kb.ingest()
    kb.mark("x")
    assert kb.run("review", "--apply").code == 0
    found = kb.run("search", "giving money improves education of children", "--mode", "dense", "--json").json
    assert found[0]["title"].startswith("Randomized trials show that cash transfers")


def test_a_folder_of_claims_that_is_misnamed_empties_no_index(kb: Base) -> None:
    kb.claim("a", "Cities raise the wages of workers")
    kb.run("distill")
    kb.write("codex.toml", '[kb]\nclaims = ["codexx"]\n')
    kb.commit_all()
    before = kb.git("rev-parse", "HEAD")
    done = kb.run("distill")
    assert done.code == 2
    assert "codex.toml: [kb] claims names codexx, which is no folder here" in done.err
    assert kb.git("rev-parse", "HEAD") == before
