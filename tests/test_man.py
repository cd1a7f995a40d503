"""The man pages say what `--help` says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_man_pages_are_those_of_the_commands_of_today(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "scripts/man.py", tmp_path], check=True)
    made = {page.name: page.read_text() for page in tmp_path.glob("*.1")}
    kept = {page.name: page.read_text() for page in (ROOT / "docs/man").glob("*.1")}
    assert made == kept, "make man"
