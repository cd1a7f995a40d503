"""What does a review in the browser take? Keys a decision over 100 proposals, and how soon 600 are on the screen.

    python -m benchmarks.page [--decisions 100] [--proposals 600]

Makes a knowledge base whose sources are sentences of this repository's, each proposed as a claim. A scripted reviewer
decides in Debian's chromium: of 100 are approved 30, rejected with a reason 60 (half by `n` and a letter, half at
once), added to a claim 5 where one is near, left for later 5, drawn with a seed. Every key counts, those that apply a
source and open the next included. Then the queue, and one source with all proposals, are opened three times each. Needs
chromium and the Python package playwright.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.knowledge_base import ROOT, git
from codex_kb.disk.store import packet_to_json
from codex_kb.kb import KnowledgeBase
from codex_kb.records import Evidence, Packet, Proposal
from codex_kb.review.packet import proposal_id
from codex_kb.text import markdown_file
from codex_kb.text.sentences import split
from codex_kb.web.room import Room
from codex_kb.web.server import made, taken

_CHROMIUM = "/usr/bin/chromium"
_A_SOURCE = 10
_HEAD = "---\ntype: source\ntitle: Notes {n}\nauthor: A\nurl: https://example.org\ndate: 2026-01-01\ndomain: notes\n"
_PAINT = """() => {
    const [page] = performance.getEntriesByType("navigation");
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    return paint ? [page.responseStart, page.responseEnd, paint.startTime] : null;
}"""


def main() -> None:
    """Print both."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--decisions", type=int, default=100)
    options.add_argument("--proposals", type=int, default=600)
    typed = options.parse_args()
    with TemporaryDirectory() as folder, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        sources = [_A_SOURCE] * (typed.proposals // _A_SOURCE)
        for what, sizes, work in (
            ("keys", sources, lambda page, address: _decide(page, typed.decisions)),
            ("queue", sources, lambda page, address: _paint(page, f"{address}/", "the queue")),
            ("source", [typed.proposals], lambda page, address: _paint(page, f"{address}/review/notes-0", "a source")),
        ):
            root = Path(folder) / what
            _make(root, sizes)
            _serve(root, browser.new_page(viewport={"width": 1366, "height": 820}), work)
        browser.close()


def _make(root: Path, sizes: list[int]) -> None:
    """A knowledge base with a source of each size, all of whose sentences are proposed."""
    root.mkdir()
    (root / "codex.toml").write_text("")
    sentences = _sentences()
    for number, size in enumerate(sizes):
        _source(root, f"notes-{number}", [next(sentences) for _ in range(size)], number)
    git(root, "init", "-q")
    for name, value in (("name", "Rita"), ("email", "rita@example.org")):
        git(root, "config", f"user.{name}", value)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "proposals")


def _sentences() -> Iterator[str]:
    """Sentences of this repository's sources, told apart by a number from the second round on."""
    found = []
    for path in sorted((ROOT / "inbox/archive").glob("*.md")):
        body = markdown_file.parse(path.read_bytes(), path.name).body
        found += [" ".join(each.text.split()) for each in split(body) if 60 < len(each.text) < 300]
    for turn in itertools.count():
        yield from (f"{each} ({turn})" if turn else each for each in found)


def _source(root: Path, name: str, sentences: list[str], number: int) -> None:
    path = f"inbox/{name}.md"
    body = "\n" + "\n\n".join(sentences) + "\n"
    (root / "inbox/proposals").mkdir(parents=True, exist_ok=True)
    (root / path).write_text(f"{_HEAD.format(n=number)}status: processing\n---\n{body}")
    kept = KnowledgeBase(root).store.source(path)
    proposals, at = [], 0
    for sentence in sentences:
        at = kept.body.index(sentence, at)
        evidence = Evidence(path, kept.body_sha256, sentence, at, at + len(sentence))
        proposals.append(Proposal(
            proposal_id(path, sentence, [sentence]), path, kept.body_sha256, sentence.rstrip("."), "", "notes",
            "speculative", "new", (evidence,), (), "benchmark", 0,
        ))  # fmt: skip
    packet = Packet(name, path, kept.body_sha256, "benchmark", 0, tuple(proposals))
    (root / f"inbox/proposals/{name}.json").write_bytes(packet_to_json(packet))


def _serve(root: Path, page: Page, work: Callable[[Page, str], None]) -> None:
    room = Room(KnowledgeBase(root), "Rita <rita@example.org>")
    listening = taken()
    server, url = made(room, listening)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        page.goto(url)
        work(page, url.partition("/?")[0])
    finally:
        page.close()
        server.should_exit = True
        thread.join()
        listening.close()
        room.close()


def _decide(page: Page, decisions: int) -> None:
    rng = random.Random(7)
    keys: list[int] = []
    beside = 0
    page.set_default_timeout(60_000)
    page.click("#first")
    page.wait_for_selector("html[data-ready]")
    began = time.monotonic()
    while len(keys) < decisions:
        _until(page, "document.querySelector('#card')?.dataset.id === "
                     "document.querySelector('[aria-current=step]')?.dataset.id")  # fmt: skip
        if page.locator("#items a[data-mark=wait]").count() == 0:
            beside += _onward(page)
            continue
        pressed = _drawn(rng, bool(page.get_attribute("#card", "data-adds")))
        for key in pressed:
            page.keyboard.press(key)
        keys.append(len(pressed))
    seconds = time.monotonic() - began
    print(f"{len(keys)} decisions: {(sum(keys) + beside) / len(keys):.2f} keys a decision, {beside} of "
          f"{sum(keys) + beside} to apply sources and to open the next; {seconds / len(keys):.2f} s each")  # fmt: skip


def _drawn(rng: random.Random, near: bool) -> list[str]:
    kind = rng.choices(("approve", "reject", "add", "later"), (30, 60, 5, 5))[0]
    if kind == "add" and near:
        return ["+", "Enter"]
    if kind == "reject":
        return [rng.choice("DVUTW")] if rng.random() < 0.5 else ["n", rng.choice("dvutw")]
    return ["s"] if kind == "later" else ["y"]


def _onward(page: Page) -> int:
    """Apply the source and open the next: the keys that it took."""
    page.keyboard.press("a")
    page.wait_for_selector("#apply:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("#onward:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-ready] #card")
    return 3


def _until(page: Page, holds: str) -> None:
    """Wait for it; the page's policy keeps playwright from looking by itself."""
    end = time.monotonic() + 30
    while not page.evaluate(holds):
        if time.monotonic() > end:
            raise SystemExit(f"nothing moves: {page.inner_text('body')}")
        page.wait_for_timeout(5)


def _paint(page: Page, address: str, what: str) -> None:
    rounds: list[list[float]] = []
    for _ in range(3):
        page.goto(address)
        found: Any = None
        while found is None:
            found = page.evaluate(_PAINT)
        rounds.append(found)
    after = statistics.median(paint - start for start, _, paint in rounds)
    print(f"{what}, {page.locator('#items a, .packet li').count()} proposals: painted {after:.0f} ms after the answer "
          f"began (answers after {', '.join(f'{start:.0f}' for start, _, _ in rounds)} ms)")  # fmt: skip


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    main()
