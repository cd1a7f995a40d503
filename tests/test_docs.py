"""The man pages say what `--help` says, and the recorded session is one of today."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent


def test_the_man_pages_are_those_of_the_commands_of_today(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "scripts/man.py", tmp_path], check=True)
    made = {page.name: page.read_text() for page in tmp_path.glob("*.1")}
    kept = {page.name: page.read_text() for page in (ROOT / "docs/man").glob("*.1")}
    assert made == kept, "make man"


def test_the_session_in_the_terminal_is_what_codex_prints(tmp_path: Path) -> None:
    page = (ROOT / "docs/review.md").read_text()
    kept = page.partition("```console\n")[2].partition("```\n\n<!-- recorded end -->")[0]
    env = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT / "pipeline")}
    codex = Path(sys.executable).with_name("codex")
    command = ["sh", ROOT / "scripts/record.sh", codex]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=env)
    assert done.stdout == kept, "sh scripts/record.sh .venv/bin/codex write"


def test_the_manifests_of_a_cluster_can_be_read(tmp_path: Path) -> None:
    page = (ROOT / "docs/cluster.md").read_text()
    blocks = dict(re.findall(r"^```(yaml|bash)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    job = yaml.safe_load(blocks["yaml"])
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    containers = [each for group in groups for each in group["template"]["spec"]["containers"]]
    assert cluster["authOptions"] == {"mode": "token"}
    assert len({each["image"] for each in containers}) == 1
    pinned = re.search(r"^ray==(.*)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    assert cluster["rayVersion"] == pinned[1]
    script = tmp_path / "job.sh"
    script.write_text(blocks["bash"])
    subprocess.run(["bash", "-n", script], check=True)
    assert "#SBATCH --nodes=" in blocks["bash"]
    for text in (job["spec"]["entrypoint"], blocks["bash"]):
        assert re.search(r"codex --kb \S+ ingest \S+ --engine \"?ray://", text)
