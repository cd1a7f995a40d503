"""Take the picture of the review page: python scripts/picture.py docs/review.png

A scratch knowledge base with a source of this repository, the page in Debian's chromium, one proposal marked.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
CODEX = Path(sys.executable).with_name("codex")
SOURCE = "inbox/archive/2017-06-12-christiano-deep-rl-from-human-preferences.md"
WHO = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
       for what, value in (("NAME", "Rita Reviewer"), ("EMAIL", "rita@example.org"))}  # fmt: skip


def main() -> None:
    """Write the picture where it is asked for."""
    [target] = map(Path, sys.argv[1:])
    with TemporaryDirectory() as folder:
        kb = Path(folder)
        subprocess.run([CODEX, "--quiet", "init", "."], cwd=kb, check=True, env=os.environ | WHO)
        text = (ROOT / SOURCE).read_text()
        status = next(line for line in text.splitlines() if line.startswith("status:"))
        (kb / "inbox/preferences.md").write_text(text.replace(status, "status: unprocessed"))
        subprocess.run([CODEX, "--quiet", "ingest", "inbox"], cwd=kb, check=True, env=os.environ | WHO)
        page = [CODEX, "review", "--web", "--no-browser", "--reviewer", "Rita Reviewer <rita@example.org>"]
        with subprocess.Popen(page, cwd=kb, stdout=subprocess.PIPE, text=True, env=os.environ | WHO) as server:
            assert server.stdout is not None
            shown(server.stdout.readline().strip(), target)
            server.terminate()


def shown(url: str, target: Path) -> None:
    """Open the first source, approve its first proposal, and take the picture of what follows."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        page.locator("main a").first.click()
        page.wait_for_load_state("networkidle")
        page.keyboard.press("y")
        page.wait_for_timeout(1500)
        page.screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    main()
