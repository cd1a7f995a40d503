"""What workers get of a knowledge base, and what they do with it: here without a cluster."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from codex_kb import engine
from codex_kb.disk import gate
from codex_kb.errors import RefusedFile, UsageError
from codex_kb.kb import KnowledgeBase
from codex_kb.propose import afar
from codex_kb.propose.background import Background
from codex_kb.propose.step import draft
from codex_kb.propose.team import Proposers, Team
from conftest import Base, FakeEncoder, as_made_before
from fake_model import answer
from model_server import ModelServer, ok
from test_generations import document, teach

KEY = "sk-very-secret-0123456789abcdef"


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's environment is its own."""
    monkeypatch.setenv("XDG_STATE_HOME", os.environ["XDG_STATE_HOME"])


def no_home(question: object) -> object:
    raise AssertionError(f"nobody is to be asked: {question}")


def test_a_worker_needs_no_word_of_the_user_and_writes_nothing_here(kb: Base, alone: None) -> None:
    kb.source()
    kb.commit_all()
    before = kb.snapshot()
    base = KnowledgeBase(kb.root)
    given = afar.told(base, Team(base, "", 2, 0.0, again=False))
    assert set(given.base.files) == {"codex.toml"}
    data = kb.path("inbox/notes.md").read_bytes()
    done = afar.proposing(given, no_home)(afar.task("inbox/notes.md", data, 10, ""))
    assert (done.data, done.proposer, done.source.path) == (data, "extractive", "inbox/notes.md")
    assert len(done.drafted.drafts) == 3
    assert kb.snapshot() == before


def test_a_worker_reads_sources_itself_and_says_where_they_differ(kb: Base, alone: None) -> None:
    pytest.importorskip("fsspec")
    kb.source()
    kb.write("codex.toml", f'[run]\nfiles = "{kb.root}/"\n')
    base = KnowledgeBase(kb.root)
    work = afar.proposing(afar.told(base, Team(base, "", 2, 0.0, again=False)), no_home)
    data = kb.path("inbox/notes.md").read_bytes()
    sent = afar.task("inbox/notes.md", data, 10, f"{kb.root}/")
    assert sent.data is None
    assert work(sent).data == data
    with pytest.raises(RefusedFile, match="found other bytes at"):
        work(afar.task("inbox/notes.md", b"x", 10, "there"))
    with pytest.raises(RefusedFile, match=r"cannot read it at .*FileNotFoundError"):
        work(afar.task("inbox/none.md", b"x", 10, "there"))


def test_a_worker_proposes_by_the_generation_that_is_asked_here(
    kb: Base, alone: None, tmp_path_factory: pytest.TempPathFactory
) -> None:  # fmt: skip
    as_made_before(kb, "taught", teach, tmp_path_factory)
    assert kb.run("distill", "--json").json["generation"] == 1
    kb.run("distill", "--pin", "1")
    kb.source("new", document(90))
    base = KnowledgeBase(kb.root)
    team = Team(base, "", 2, 0.0, again=False)
    assert team.preference.taught is not None
    given = afar.told(base, team)
    data = kb.path("inbox/new.md").read_bytes()
    here = draft(base.store, Proposers(team, Background(base, None, ())), "inbox/new.md", data, 10)
    assert afar.proposing(given, no_home)(afar.task("inbox/new.md", data, 10, "")) == here


def test_nothing_that_a_link_leads_out_to_is_sent(kb: Base, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret\n")
    kb.path("codex/decisions").mkdir(parents=True, exist_ok=True)
    kb.path("codex/decisions/notes.jsonl").symlink_to(tmp_path / "secret")
    kb.run("distill")
    kb.write(".codex-kb/index/catalog.db-wal", b"of another run")
    sent = engine.pack(KnowledgeBase(kb.root), claims=True).files
    assert {path for path in sent if path.startswith(".codex-kb")} == {
        f".codex-kb/index/{name}" for name in ("catalog.db", "claims.f32", "titles.f32")
    }
    assert "codex/decisions/notes.jsonl" not in sent


def test_a_models_folder_goes_along_under_its_own_name(kb: Base, alone: None, tmp_path: Path) -> None:
    for folder, setting in ((kb.path("models/mine"), "models/mine"), (tmp_path / "yours", str(tmp_path / "yours"))):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        kb.write("codex.toml", f'[kb]\n[index]\nmodel = "{setting}"  # ours\n')
        base = KnowledgeBase(kb.root)
        shipped = engine.pack(base, claims=False)
        assert shipped.files[f"model/{folder.name}/config.json"] == b"{}"
        assert f'model = "model/{folder.name}"  # ours'.encode() in shipped.files["codex.toml"]
        worker = engine.unpacked(shipped)
        assert isinstance(worker.encoder, FakeEncoder)
        assert worker.encoder.model == str(worker.layout.root / f"model/{folder.name}")
    kb.write("codex.toml", 'index = { model = "models/mine" }\n')
    with pytest.raises(UsageError, match="cannot be sent to workers"):
        engine.pack(KnowledgeBase(kb.root), claims=False)


def test_a_worker_asks_a_language_model_by_way_of_who_called_it(
    kb: Base, alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    pytest.importorskip("pydantic_ai", reason="the extra llm is not installed")
    monkeypatch.setenv("CODEX_MODEL_KEY", KEY)
    kb.claim("boats", "Prediction markets aggregate information more accurately than committees do")
    kb.source()
    kb.commit_all()
    with ModelServer(lambda body, number: ok(answer(body["messages"][-1]["content"]), 1000, 100)) as server:
        kb.run("ingest", "inbox", "--model", f"openai:m@{server.url}", "--no-commit")
        asked, packet = server.count, kb.read("inbox/proposals/notes.md")
        assert asked >= 2
        kb.git("checkout", "-q", "inbox")
        kb.git("clean", "-qfd", "inbox")
        base = KnowledgeBase(kb.root)
        team = Team(base, f"openai:m@{server.url}", 2, 0.0, again=False)
        given = afar.told(base, team)
        assert not any(KEY.encode() in data for data in given.base.files.values())
        monkeypatch.delenv("CODEX_MODEL_KEY")
        home = afar.answering(team)
        data = gate.read(kb.root, "inbox/notes.md")
        done = afar.proposing(given, home)(afar.task("inbox/notes.md", data, 10, ""))
        assert server.count == asked  # they were paid for
    assert [draft.title in packet for draft in done.drafted.drafts] == [True] * len(done.drafted.drafts)
    assert f"{asked} questions ({asked} of them already paid for)" in done.drafted.report[-1]
    assert team.spent.known == asked


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="the extra ray is installed")
def test_without_the_extra_an_engine_says_how_to_get_it(kb: Base) -> None:
    kb.source()
    done = kb.run("ingest", "inbox", "--engine", "ray")
    assert (done.code, "pip install 'codex-kb[ray]'" in done.err) == (2, True)


def test_an_engine_that_is_none_is_said_before_anything_is_read(kb: Base) -> None:
    for command in (("ingest", "inbox"), ("ingest", "inbox", "--dry-run")):
        done = kb.run(*command, "--engine", "spark")
        assert done.code == 2
        assert "there is no engine 'spark'" in done.err
        assert "ray://HOST:PORT" in done.err
