"""What does a review with one key a proposal take? Keys and lines a decision, over proposals of a real corpus.

    python -m benchmarks.keys [--decisions 100] [--sources 12] [--show]

Makes a knowledge base of ../shared/corpora, proposes from some of its sources, and lets a scripted reviewer decide:
what has a claim near is added to it; of 100 others about 35 are approved, 60 rejected with a reason, 5 left for later,
drawn with a seed. Prints keys a decision, and the lines that were printed for one on a screen of 80 columns. `--kb`
names a knowledge base with proposals instead, which is copied.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import shutil
import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.knowledge_base import CORPUS, CORPUS_FOLDERS, git
from codex_kb.cli.pick.keys import Ended
from codex_kb.cli.pick.screen import Screen
from codex_kb.cli.pick.session import Session
from codex_kb.kb import KnowledgeBase
from codex_kb.workflow.desk import Desk
from codex_kb.workflow.ingest import Ingest

_SETTINGS = '[kb]\nclaims = ["domains", "core", "foundations"]\nsources = ["inbox/archive"]\n'
_KINDS = ("approve", "reject", "add", "later")
_SHARES = (30, 60, 5, 5)


class Scripted:
    """Presses the keys of decisions drawn by their shares, and measures what each took."""

    paced = False

    def __init__(self, decisions: int, printed: io.StringIO) -> None:
        self.session: Session | None = None
        self.keys: list[tuple[str, int]] = []  # what was decided, and by how many keys
        self.lines: list[int] = []
        self._rng = random.Random(7)
        self._decisions = decisions
        self._printed = printed
        self._seen = 0
        self._next: list[str] = []

    def key(self) -> str:
        """The next key of this decision, or the first of another."""
        if not self._next:
            printed = self._printed.getvalue()
            self.lines.append(printed.count("\n", self._seen))
            self._seen = len(printed)
            if len(self.keys) == self._decisions:
                raise Ended
            self._next = self._drawn()
        return self._next.pop(0)

    def _drawn(self) -> list[str]:
        assert self.session is not None
        assert self.session.item is not None
        near = bool(self.session.item.adds_to)
        kind = "add" if near else self._rng.choices(_KINDS, _SHARES)[0]
        kind = "approve" if kind == "add" and not near else kind
        reject = [self._rng.choice("DVUTW")] if self._rng.random() < 0.5 else ["n", self._rng.choice("dvutw")]
        pressed = {"approve": ["y"], "reject": reject, "add": ["+", "\n"], "later": ["s"]}[kind]
        self.keys.append((kind, len(pressed)))
        return pressed

    def line(self, prompt: str, begun: str = "") -> str:
        """No text is asked for."""
        raise Ended

    def usual(self) -> contextlib.AbstractContextManager[None]:
        """Nothing is changed."""
        return contextlib.nullcontext()

    def forget(self) -> None:
        """Nothing is typed too early."""


def main() -> None:
    """Print what a decision took."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--decisions", type=int, default=100)
    options.add_argument("--sources", type=int, default=12)
    options.add_argument("--kb", type=Path)
    options.add_argument("--show", action="store_true", help="print the screens too")
    typed = options.parse_args()
    os.environ |= {"COLUMNS": "80", "LINES": "24", "NO_COLOR": "1"}
    with TemporaryDirectory() as folder:
        root = Path(folder) / "kb"
        shutil.copytree(typed.kb, root) if typed.kb else _made(root, typed.sources)
        printed = io.StringIO()
        keys = Scripted(typed.decisions, printed)
        with contextlib.redirect_stdout(printed):
            keys.session = Session(Desk(KnowledgeBase(root), "Rita <rita@example.org>"), keys, Screen(), lambda _: 1)
            keys.session.run()
    if typed.show:
        sys.stdout.write(printed.getvalue())
    _tell(keys)


def _made(root: Path, sources: int) -> None:
    """A knowledge base of the corpus, with proposals from so many of its sources."""
    for name in (*CORPUS_FOLDERS, "inbox"):
        shutil.copytree(CORPUS / name, root / name)
    (root / "codex.toml").write_text(_SETTINGS)
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "-c", "user.name=Rita", "-c", "user.email=rita@example.org", "commit", "-q", "-m", "corpus")
    Ingest(KnowledgeBase(root, commits=False), None, None, again=False).run(["inbox/archive"], sources, root)


def _tell(keys: Scripted) -> None:
    counts = [count for _, count in keys.keys]
    rejected = [count for kind, count in keys.keys if kind == "reject"]
    lines = np.array(keys.lines[: len(counts)])
    drawn = ", ".join(f"{sum(kind == each for kind, _ in keys.keys)} {each}" for each in _KINDS)
    print(f"{len(counts)} decisions ({drawn}): {statistics.mean(counts):.2f} keys a decision, "
          f"{statistics.mean(rejected):.2f} a rejection with its reason (half by n, half at once)")  # fmt: skip
    print(f"lines shown a decision in 80 columns: mean {lines.mean():.1f}, 90th percentile "
          f"{np.percentile(lines, 90):.0f}, most {lines.max()}")  # fmt: skip


if __name__ == "__main__":
    main()
