"""A server that never answers, and one that answers without end: said, limited, and left at one interrupt."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from codex_kb.errors import ModelError
from codex_kb.language import doors, hosted, too_long
from codex_kb.records import Prompt
from conftest import Base
from model_server import ModelServer, Reply, ok, slow

PROMPT = Prompt("You read notes.", "What do they say?", {"type": "object"}, 300)
TESTS = str(Path(__file__).parent)
#: `codex` with the encoder of the tests.
CODEX = f"""import sys
sys.path.insert(0, {TESTS!r})
import codex_kb.encoders.model, conftest
codex_kb.encoders.model.load = conftest.FakeEncoder
from codex_kb.cli import main
main()
"""

pytest.importorskip("pydantic_ai", reason="the extra llm is not installed")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(raw=b"x" * (too_long.MOST + 1)),
        Reply(raw=gzip.compress(b"0" * 50_000_000), headers={"Content-Encoding": "gzip"}),
        Reply(raw=b"x" * (too_long.MOST + 1), status=400),
    ],
    ids=["long", "packed", "error"],
)
def test_an_answer_without_end_is_not_read_to_its_end(reply: Reply) -> None:
    with ModelServer([reply]) as server:
        model = hosted.HostedModel(doors.open_door("openai", f"tiny@{server.url}"))
        with pytest.raises(ModelError, match="more than an answer may be") as failed:
            model.ask(PROMPT)
        assert (failed.value.kind, server.count) == ("invalid", 1)
        assert server.requests[0]["headers"]["accept-encoding"] == "identity"


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("sources", [1, 3])
def test_one_interrupt_ends_a_wait_that_is_said(kb: Base, sources: int) -> None:
    for number in range(sources):
        kb.source(f"notes{number}")
    kb.commit_all()
    with ModelServer([slow(120, ok("{}"))]) as server:
        args = [sys.executable, "-c", CODEX, "ingest", "inbox", "--model", f"openai:tiny@{server.url}"]
        running = subprocess.Popen(args, cwd=kb.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert running.stderr is not None
        said = next(line for line in running.stderr if "waiting" in line)
        running.send_signal(signal.SIGINT)
        rest = running.communicate(timeout=60)[1]  # a second is left to answers; the server takes two minutes
        asked = server.count
        time.sleep(0.3)
        assert server.count == asked <= 4
    assert (said.strip(), running.returncode) == ("waiting for openai:tiny", 130)
    assert "waiting" not in rest
    assert not kb.git("status", "--porcelain")
