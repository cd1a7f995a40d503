"""Where some sources must wait, those are read first that are least likely to give nothing."""

from __future__ import annotations

import numpy as np
import pytest

from codex_kb.learn import worth
from conftest import HEAD, SENTENCES, Base


def seen(kind: str, number: int = 0, **more: object) -> worth.Seen:
    return worth.see({"title": f"A title of some length, number {number}", "format": kind, **more}, "Some text.")


def done(nothing: str = "tweet", gave: str = "paper", **of_nothing: object) -> list[tuple[worth.Seen, bool]]:
    return [pair for n in range(25) for pair in ((seen(nothing, n, **of_nothing), True), (seen(gave, n), False))]


def test_what_gave_nothing_before_is_likely_to_give_nothing() -> None:
    chances = worth.nothing(done(), [seen("tweet"), seen("paper"), seen("thread")])
    assert chances is not None
    assert chances[0] > 0.8 > chances[2] > 0.2 > chances[1]


def test_how_long_a_text_is_tells_too() -> None:
    long, short = worth.see({}, "Word 1 here. " * 400), worth.see({}, "Word.")
    chances = worth.nothing([(long, False), (short, True)] * 25, [short, long])
    assert chances is not None
    assert chances[0] > chances[1]


def test_a_field_that_the_work_itself_left_tells_nothing() -> None:
    chances = worth.nothing(done("x", "x", extraction_notes="nothing here"), [seen("x"), seen("x")])
    assert chances == pytest.approx([0.5, 0.5], abs=0.01)


def test_a_few_sources_say_nothing() -> None:
    assert worth.nothing(done()[: 2 * (worth.LEAST - 1)], [seen("tweet")]) is None
    assert worth.nothing(done(), []) is None


def test_a_url_is_known_by_its_host() -> None:
    assert worth.see({"url": "https://Example.org/a/b?c=d"}, "").values == {"url": frozenset({"example.org"})}


def test_what_is_odd_in_frontmatter_is_no_error() -> None:
    odd = worth.see({"a": None, "b": [None, 1, {"c": 2}], "d": {"e": "f"}, 7: "seven"}, "")  # type: ignore[dict-item]
    assert worth.nothing([(odd, True), (odd, False)] * 25, [odd]) == pytest.approx([0.5])
    assert all(np.isfinite(odd.measures))


def test_ingest_with_a_limit_reads_the_promising_first(kb: Base) -> None:
    for number in range(worth.LEAST):
        for kind, status in (("tweet", "null-result"), ("paper", "processed")):
            head = HEAD.replace("status: unprocessed", f"status: {status}\nformat: {kind}")
            kb.source(f"done-{kind}-{number}", SENTENCES, head)
    kb.source("a", SENTENCES, HEAD.replace("status:", "format: tweet\nstatus:"))
    kb.source("b", SENTENCES, HEAD.replace("status:", "format: paper\nstatus:"))
    kb.commit_all()
    rows = {row["path"]: row["status"] for row in kb.run("ingest", "inbox", "--limit", "1", "--json").json["sources"]}
    assert (rows["inbox/a.md"], rows["inbox/b.md"]) == ("skipped", "proposed")
    assert kb.run("ingest", "inbox", "--limit", "1").code == 0
    assert kb.read("inbox/a.md").count("status: processing") == 1
