"""What was not proposed is on record beside the generations: small, without text, and nobody's but who measures."""

from __future__ import annotations

import hashlib
import json

import pytest

from codex_kb.disk import candidates as records
from codex_kb.learn import candidates
from codex_kb.learn.candidates import Candidate, Candidates
from conftest import Base
from test_generations import document, taught  # noqa: F401 (a fixture)

FOLDER = "codex/generations/candidates"


def found(count: int, generation: int = 1) -> Candidates:
    some = tuple(Candidate(f"{n:016x}", {"score": 1 / (n + 3), "digit": 1.0} if n % 2 else {}) for n in range(count))
    return Candidates("inbox/ü.md", "0" * 64, generation, count, some)


def test_what_is_written_is_read_rounded_and_without_what_is_too_much() -> None:
    data = candidates.to_bytes(found(candidates.MOST + 5))
    read = candidates.from_bytes(data)
    assert (read.source, read.left, len(read.candidates)) == ("inbox/ü.md", 205, 200)
    assert read.candidates[1] == Candidate("0000000000000001", {"score": 0.25, "digit": 1})
    assert read.candidates[2].features == {"score": 0, "digit": 0}
    assert candidates.to_bytes(read).count(b"\n") == 202
    assert len(data) < 60 * 205


@pytest.mark.parametrize(
    "spoil", ["", "[]", '{"version": 2}', '{"version": 1}', '{"version": 1, "names": [], "candidates": 3}']
)
def test_what_is_none_is_told_from_one(spoil: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        candidates.from_bytes(spoil.encode())


def test_before_a_first_generation_nothing_is_kept(kb: Base) -> None:
    kb.ingest("n1", document(1))
    assert not kb.path(FOLDER).exists()


def test_they_are_in_the_packets_commit_with_the_ids_that_they_would_have(taught: Base) -> None:  # noqa: F811
    taught.run("distill")
    taught.write("codex.toml", "[review]\nblind = 0.0\nexplore = 0.25\nrepeat = 0.0\n")
    taught.source("n30", document(30))
    taught.commit_all()
    assert taught.run("ingest", "inbox", "--max-claims", "4").code == 0
    [path] = (each for each in taught.git("show", "--name-only", "--format=").split() if each.startswith(FOLDER))
    digits = path.removesuffix(".json").rpartition("-")[2]
    assert digits == hashlib.sha256(taught.read(path).encode()).hexdigest()[:8]
    [kept], faulty = records.read(taught.root)
    assert (kept.source, kept.left, faulty) == ("inbox/n30.md", 1, [])
    assert {"score", "taught"} <= {*kept.candidates[0].features}
    assert taught.git("check-attr", "text", path) == f"{path}: text: unset"
    ids = {each.id[:12] for each in kept.candidates}
    assert not any(sentence in taught.read(path) for sentence in document(30))
    taught.run("review", "--reject", taught.run("proposals", "--json").json[0]["id"])
    assert taught.run("ingest", "--again", "inbox/n30.md", "--max-claims", "9").code == 0
    assert ids <= {each["id"] for each in taught.run("proposals", "--json").json}


def test_a_later_run_over_the_source_takes_the_place_of_the_earlier(taught: Base) -> None:  # noqa: F811
    taught.run("distill")
    taught.source("n30", document(30))
    taught.source("n30-0a1b2c3d", document(31))
    taught.commit_all()
    taught.run("ingest", "inbox", "--max-claims", "2")
    before = {each.name for each in taught.path(FOLDER).iterdir()}
    taught.run("ingest", "inbox/n30.md", "--again", "--max-claims", "4")
    after = {each.name for each in taught.path(FOLDER).iterdir()}
    assert len(before) == len(after) == 2
    assert len(before & after) == 1
    assert taught.git("status", "--porcelain") == ""


def test_branches_that_ingest_one_source_merge(taught: Base) -> None:  # noqa: F811
    taught.run("distill")
    taught.source("n30", document(30))
    taught.commit_all()
    taught.git("switch", "-qc", "other")
    taught.run("ingest", "inbox", "--max-claims", "4")
    files = [each for each in taught.git("ls-files", FOLDER).split() if each.endswith(".json")]
    taught.git("switch", "-q", "main")
    taught.run("ingest", "inbox", "--max-claims", "3")
    more = [each for each in taught.git("ls-files", FOLDER).split() if each.endswith(".json")]
    assert files != more
    taught.git("checkout", "-q", "other", "--", *files)
    taught.commit_all()
    assert len(records.read(taught.root)[0]) == 2


def test_a_damaged_one_stops_nothing_and_check_says_so(taught: Base) -> None:  # noqa: F811
    taught.run("distill")
    taught.ingest("n30", document(30))
    [path] = taught.path(FOLDER).iterdir()
    path.write_text(json.dumps({"version": 7}))
    [problem] = (each for each in taught.run("check", "--json").json if each["rule"] == "candidates")
    assert problem["path"] == f"{FOLDER}/{path.name}"
    assert "delete it" in problem["hint"]
    assert taught.run("ingest", "inbox/n30.md", "--again", "--max-claims", "9").code == 0
    assert taught.run("distill").code == 0
