"""Where some sources must wait, those are read first that are least likely to give nothing."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest

from codex_kb.disk import stat_cache
from codex_kb.learn import worth
from conftest import HEAD, SENTENCES, Base, FakeEncoder


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


@pytest.fixture
def told(kb: Base) -> Base:
    """A knowledge base that tells tweets from papers, with one of each that waits."""
    for number in range(worth.LEAST):
        for kind, status in (("tweet", "null-result"), ("paper", "processed")):
            head = HEAD.replace("status: unprocessed", f"status: {status}\nformat: {kind}")
            kb.source(f"done-{kind}-{number}", SENTENCES, head)
    kb.source("a", SENTENCES, HEAD.replace("status:", "format: tweet\nstatus:"))
    kb.source("b", SENTENCES, HEAD.replace("status:", "format: paper\nstatus:"))
    kb.commit_all()
    return kb


def test_ingest_with_a_limit_reads_the_promising_first(told: Base) -> None:
    rows = {row["path"]: row["status"] for row in told.run("ingest", "inbox", "--limit", "1", "--json").json["sources"]}
    assert (rows["inbox/a.md"], rows["inbox/b.md"]) == ("skipped", "proposed")
    assert told.run("ingest", "inbox", "--limit", "1").code == 0
    assert told.read("inbox/a.md").count("status: processing") == 1


def test_proposals_and_review_begin_with_the_promising_source(
    told: Base, encoder: type[FakeEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed(*named: str) -> list[str]:
        return list(dict.fromkeys(each["source"] for each in told.run("proposals", *named, "--json").json))

    assert told.run("ingest", "inbox").code == 0
    encoder.texts.clear()
    assert listed() == ["inbox/b.md", "inbox/a.md"]
    printed = [line.split()[0] for line in told.run("proposals").out.splitlines() if line.startswith("inbox")]
    assert printed == listed()
    assert listed("a", "b") == ["inbox/a.md", "inbox/b.md"]
    assert encoder.texts == []

    opened = told.path("opened.txt")
    monkeypatch.setenv("EDITOR", f"basename >> {opened} ")
    assert told.run("review").code == 0
    assert opened.read_text().split() == ["b.md", "a.md"]


def test_the_order_is_kept_and_found_anew_where_sources_changed(told: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stat_cache, "SLACK_NS", 0)
    assert told.run("ingest", "inbox").code == 0
    assert told.run("proposals", "--json").json[0]["source"] == "inbox/b.md"
    kept = told.path(".codex-kb/promising.json")
    known = json.loads(kept.read_text())
    chances = known["value"]
    known["value"] = dict(zip(chances, reversed(chances.values()), strict=True))
    kept.write_text(json.dumps(known))
    assert told.run("proposals", "--json").json[0]["source"] == "inbox/a.md"
    kept.write_text(json.dumps(known | {"looked": math.inf}))
    assert told.run("proposals", "--json").json[0]["source"] == "inbox/b.md"
    told.write("inbox/more.md", told.read("inbox/b.md"))
    assert told.run("proposals", "--json").json[0]["source"] == "inbox/b.md"
    for name, kind in (("a", "paper"), ("b", "tweet")):
        text = told.read(f"inbox/{name}.md")
        told.write(f"inbox/{name}.md", re.sub("format: .*", f"format: {kind}", text))
    assert told.run("proposals", "--json").json[0]["source"] == "inbox/a.md"
