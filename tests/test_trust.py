"""`codex trust`: what a repository's settings name is used only after the user said so, here, for exactly this."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codex_kb import config, language, wants
from codex_kb.disk import trust
from codex_kb.errors import ModelError
from codex_kb.records import Prompt
from conftest import Base
from fake_model import answer
from model_server import ModelServer, Reply, ok

KEY = "sk-trust-0123456789"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(lambda body, number: ok(answer(str(body["messages"][-1]["content"])))) as running:
        yield running


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEX_MODEL_KEY", KEY)
    monkeypatch.delenv("OLLAMA_BASE_URL", raising=False)


@pytest.fixture
def clone(kb: Base, server: ModelServer) -> Base:
    """A knowledge base whose settings name a server, with a source."""
    say(kb, server.url)
    kb.source()
    kb.commit_all()
    return kb


def say(kb: Base, url: str) -> None:
    kb.write("codex.toml", f'[propose]\nmodel = "openai:x@{url}"\n')


def test_status_names_what_waits_for_the_users_word(clone: Base, server: ModelServer) -> None:
    (want,) = clone.run("status", "--json").json["wants"]
    assert server.url in want
    said = clone.run("status").out
    assert want in said
    assert said.index("next: codex trust") < said.index("next: codex ingest")
    clone.run("trust", "--yes")
    assert clone.run("status", "--json").json["wants"] == []
    assert "codex trust" not in clone.run("status").out


def at_terminal(kb: Base, typed: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`codex trust` with a person who types this."""

    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    real = io.TextIOWrapper

    def wrapped(buffer: Any, *more: Any, **options: Any) -> Any:
        return (Terminal if isinstance(buffer, io.BytesIO) else real)(buffer, *more, **options)

    monkeypatch.setattr("conftest.io.TextIOWrapper", wrapped)
    return kb.run("trust", stdin=typed)


def test_a_server_of_the_settings_gets_no_byte_until_it_is_granted(clone: Base, server: ModelServer) -> None:
    before = clone.snapshot()
    for command in (["ingest", "inbox"], ["ingest", "inbox", "--debate"], ["ingest", "inbox", "--dry-run"]):
        done = clone.run(*command)
        assert done.code == 2
        assert f"codex.toml: the settings want to send sources to {server.url}" in done.err
        assert "codex trust shows it and remembers your answer" in done.err
    assert (server.requests, clone.snapshot()) == ([], before)
    assert clone.run("trust", "--yes").code == 0
    done = clone.run("ingest", "inbox")
    assert done.code == 0
    assert done.err.splitlines()[0] == f"sources go to {server.url}"
    assert server.requests[0]["headers"]["authorization"] == f"Bearer {KEY}"


def test_what_the_user_names_needs_no_question(clone: Base, server: ModelServer) -> None:
    say(clone, "http://evil.invalid/v1")
    done = clone.run("ingest", "inbox", "--model", f"openai:m@{server.url}")
    assert done.code == 0
    assert done.err.startswith(f"sources go to {server.url}\n")


def test_the_answer_is_for_this_address_and_this_folder(clone: Base, server: ModelServer, state_home: Path) -> None:
    assert clone.run("trust", "--yes").code == 0
    (kept,) = (state_home / "codex-kb/trust").iterdir()
    assert server.url in kept.read_text()
    assert KEY not in kept.read_text()
    say(clone, server.url.replace("/v1", "/other/v1"))
    assert clone.run("ingest", "inbox", "--no-commit").code == 2
    say(clone, server.url)
    moved = clone.root.rename(clone.root.with_name("moved"))
    assert clone.run("ingest", "inbox", cwd=moved).code == 2
    assert server.requests == []


def test_without_a_terminal_nothing_is_granted(clone: Base, server: ModelServer) -> None:
    done = clone.run("trust", stdin="y\n")
    assert (done.code, server.url in done.out) == (1, True)
    assert "codex trust --yes" in done.err
    shown = clone.run("trust", "--json", stdin="y\n")
    assert (shown.code, shown.json["granted"]) == (1, False)
    assert [each["granted"] for each in shown.json["wants"]] == [False]
    assert not trust.granted(clone.root)


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_at_a_terminal_the_answer_counts(
    clone: Base, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    assert at_terminal(clone, typed, monkeypatch).code == code
    assert bool(trust.granted(clone.root)) == (code == 0)


def test_it_is_forgotten_on_demand(clone: Base) -> None:
    assert clone.run("trust", "--yes", "--json").json["granted"]
    assert clone.run("trust").code == 0
    assert clone.run("trust", "--forget").code == 0
    assert clone.run("ingest", "inbox").code == 2
    assert clone.run("trust", "--forget", "--yes").code == 2


def test_the_commands_of_the_page_on_security(clone: Base) -> None:
    page = Path(__file__).parents[1] / "docs/security.md"
    lines = re.findall(r"^\$ codex (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    typed = [shlex.split(line, comments=True) for line in lines]
    assert [clone.run(*command).code for command in typed] == [1, 0, 0]


def test_a_knowledge_base_of_ones_own_wants_nothing(kb: Base) -> None:
    done = kb.run("trust", "--json")
    assert done.json == {"root": str(kb.root), "wants": [], "granted": True}
    kb.source()
    assert "sources go to" not in kb.run("ingest", "inbox").err


def test_every_model_that_reaches_out_or_runs_is_a_want(tmp_path: Path) -> None:
    (tmp_path / "models/mine").mkdir(parents=True)
    (tmp_path / "models/small.gguf").write_bytes(b"GGUF")
    names = ["anthropic:a", "google:g", "openai:o", "openai:o@http://h:1/v1", "ollama:l", "local:models/small.gguf",
             "local:/elsewhere.gguf", "extractive"]  # fmt: skip
    lines = [f'[agents.a{number}]\ndomains = ["{number}"]\nmodel = "{name}"' for number, name in enumerate(names)]
    settings = config.parse("\n".join(lines))
    found = wants.of(settings, tmp_path, tmp_path / "local")
    places = ["https://api.anthropic.com ", "https://generativelanguage.googleapis.com ", "https://api.openai.com/v1 ",
              "http://h:1/v1 ", "http://localhost:11434/v1 ", "models/small.gguf (sha256 ",
              "/elsewhere.gguf"]  # fmt: skip
    assert [place for want, place in zip(found, places, strict=True) if place not in want] == []


def test_a_folder_of_a_model_is_asked_for_again_when_a_file_of_it_changes(kb: Base) -> None:
    kb.write("models/mine/modules.json", "[]")
    kb.write("models/mine/model.safetensors", "weights")
    kb.write("codex.toml", '[index]\nmodel = "models/mine"\n')
    kb.claim("a", "Wide boats turn slowly")
    for command in (["search", "boats"], ["status"], ["distill"]):
        done = kb.run(*command)
        assert (done.code, "run the model in models/mine (sha256 " in done.err) == (2, True)
    assert kb.run("trust", "--yes").code == 0
    assert kb.run("search", "boats").code == 0
    for name in ("model.safetensors", "custom.py"):
        kb.write(f"models/mine/{name}", "other")
        assert kb.run("search", "boats").code == 2
        assert kb.run("trust", "--yes").code == 0
    assert kb.run("search", "boats").code == 0


def test_a_proposal_is_shown_where_no_model_may_say_what_is_near_now(kb: Base) -> None:
    first, *_ = kb.ingest()
    kb.write("models/mine/modules.json", "[]")
    kb.write("models/mine/model.safetensors", "weights")
    kb.write("codex.toml", '[index]\nmodel = "models/mine"\n')
    assert kb.run("proposals").code == 0
    shown = kb.run("show", first["id"])
    assert (shown.code, first["title"] in shown.out) == (0, True)


@pytest.mark.parametrize("link", ["/dev/zero", "../../../secret", "../../codex"])
def test_a_models_folder_holds_no_links_that_lead_away(kb: Base, link: str) -> None:
    kb.write("../secret", "secret")
    kb.write("models/mine/modules.json", "[]")
    kb.path("models/mine/model.safetensors").symlink_to(link)
    kb.write("codex.toml", '[index]\nmodel = "models/mine"\n')
    for command in (["trust", "--yes"], ["search", "boats"]):
        done = kb.run(*command)
        assert (done.code, "is no model's folder" in done.err) == (2, True)


@pytest.mark.parametrize("model", ["a/model-of-the-hub", "/"])
def test_a_model_of_elsewhere_is_a_want_too(kb: Base, model: str) -> None:
    kb.write("codex.toml", f'[index]\nmodel = "{model}"\n')
    assert kb.run("search", "boats").code == 2
    assert len(kb.run("trust", "--json").json["wants"]) == 1


def test_a_redirect_carries_neither_text_nor_key_elsewhere(server: ModelServer) -> None:
    away = Reply(status=307, headers={"Location": f"{server.url}/chat/completions"}, raw=b"")
    with ModelServer([away]) as first:
        asked = language.load(f"openai:m@{first.url}")
        with pytest.raises(ModelError):
            asked.ask(Prompt("system", "user", {"type": "object"}, 100))
        assert first.requests
    assert server.requests == []


@pytest.mark.parametrize("kind", ["anthropic", "google", "openai"])
def test_a_services_client_follows_no_redirect(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from codex_kb.language import doors  # noqa: PLC0415

    for name in ("ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, KEY)
    made: list[Any] = []
    monkeypatch.setattr(doors, "_no_detours", lambda real=doors._no_detours: made.append(real()) or made[-1])
    doors.open_door(kind, "m")
    assert [client.follow_redirects for client in made] == [False]


@pytest.mark.parametrize("model", ["~nosuchuser/x", "a" * 490])
def test_a_name_that_is_no_path_is_a_models_name(kb: Base, model: str) -> None:
    kb.write("codex.toml", f'[index]\nmodel = "{model}"\n')
    for command, code in ((("search", "boats"), 2), (("trust",), 1)):
        done = kb.run(*command)
        assert done.code == code, done.err
        assert f"fetch the model {model}" in done.out + done.err


def test_an_engine_of_the_settings_starts_and_reads_nothing_until_it_is_granted(kb: Base) -> None:
    kb.write("codex.toml", '[run]\nengine = "ray://10.0.0.5:6379"\nfiles = "s3://bucket/kb"\n')
    kb.source()
    kb.commit_all()
    assert [each["want"] for each in kb.run("trust", "--json").json["wants"]] == [
        "send sources to the Ray cluster at 10.0.0.5:6379, whose machines can run code here",
        "have workers of a cluster read sources at s3://bucket/kb",
    ]
    for command in (("ingest", "inbox"), ("ingest", "inbox", "--engine", "ray")):
        done = kb.run(*command)
        assert (done.code, "codex trust shows it" in done.err) == (2, True)
    assert kb.run("ingest", "inbox", "--engine", "local").code == 0


def test_a_cluster_of_our_own_that_the_settings_want_is_a_want(tmp_path: Path) -> None:
    settings = config.parse('[run]\nengine = "ray"\n')
    assert wants.of(settings, tmp_path, tmp_path / "local") == ("start a Ray cluster on this machine",)
