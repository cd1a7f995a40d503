"""Is a person with proposals better than alone? Said from sources that were read without them first."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

import pytest

from codex_kb.records import Decision
from conftest import Base, FakeEncoder
from test_alone import EMPTY, alone  # noqa: F401 (a fixture)
from test_audit import decision, keep
from test_generations import document, taught  # noqa: F401 (a fixture)

#: Two titles that the fake encoder, which counts words, puts above and below a duplicate.
NEAR = "Towns by the sea keep to what they always knew of old ships and trade"
NEARER = "Towns by the sea keep to what they always knew of old ships and trades"


def told(number: int, approved: bool, source: str, title: str = "", quote: str = "", **more: object) -> Decision:
    """A decision about what a title and a quote say; without them it is like no other."""
    title = title or f"alpha{number} beta{number} gamma{number}"
    said = {"title": title, "domain": "ships", "evidence": [{"quote": quote or title}]}
    return decision(number, approved, source, proposal=said, **more)


def read(number: int, source: str, found: int = 1) -> list[Decision]:
    """A source read alone, of which three claims are known, and one of its proposals is refused.

    The proposals find two of them, a mixed-in sentence is the third, and alone one is `found` that is proposed too.
    """
    both = f"delta{number} epsilon{number} zeta{number}"
    reason = "duplicate" if found else ""
    lines = [told(number, True, source, both, missed=True, alone=True, seconds=40.0)] if found else []
    return [
        *lines,
        told(number + 1, not found, source, both, alone=True, place=1, seconds=6.0, reason=reason),
        told(number + 2, True, source, alone=True, place=2, seconds=6.0),
        told(number + 3, False, source, alone=True, place=3, seconds=6.0),
        told(number + 4, True, source, alone=True, place=4, explored=True, chance=0.1),
        told(number + 5, False, source, alone=True, repeat_of=f"{number + 2:012x}"),
    ]  # fmt: skip


def many(counts: Iterable[int]) -> list[Decision]:
    """Sources read alone, and one that was not."""
    lines = [each for at, found in enumerate(counts) for each in read(10 * at, f"inbox/s{at}.md", found)]
    return [*lines, told(900, True, "inbox/usual.md", place=1), told(901, True, "inbox/usual.md", missed=True)]


def test_nothing_is_said_before_something_is_read_alone(kb: Base, encoder: type[FakeEncoder]) -> None:
    keep(kb, [told(1, True, "inbox/a.md"), told(2, True, "inbox/a.md", missed=True)])
    assert kb.run("audit", "--json").json["effort"] is None
    said = kb.run("audit", "--effort").out
    assert said.startswith("Whether a person with proposals is better than alone cannot be said yet: it takes 8 ")
    assert "0 so far, 8 to go; [review] alone in codex.toml is 0, and gets none." in said
    assert len(said.splitlines()) == 1
    assert kb.run("audit", "--html", "audit.html").code == 0
    assert said.strip() in kb.read("audit.html")
    assert encoder.texts == []


def test_few_sources_give_figures_and_no_answer(kb: Base) -> None:
    kb.write("codex.toml", "[review]\nalone = 3\n")
    keep(kb, many([1, 0]))
    value = kb.run("audit", "--json").json["effort"]
    assert (value["read"], value["sources"], value["needed"], value["generations"]) == (2, 2, 6, [0])
    of = {name: value[name]["value"] for name in ("alone", "proposals", "both", "gain")}
    assert of == pytest.approx({"alone": 1 / 6, "proposals": 4 / 6, "both": 4 / 6, "gain": 3 / 6}, abs=1e-6)
    assert {(each["low"], each["high"]) for name in of for each in [value[name]]} == {(None, None)}
    assert value["text"].endswith("2 so far, 6 to go; [review] alone in codex.toml gets 3 a generation.")


def test_the_answer_has_its_count_and_intervals_and_what_a_claim_takes(kb: Base) -> None:
    keep(kb, many([1, 0, 1, 1, 0, 1, 1, 1, 0]))
    before = kb.snapshot()
    value = kb.run("audit", "--json").json["effort"]
    assert (value["read"], value["sources"], value["needed"]) == (9, 9, 0)
    for name, share in (("alone", 6 / 27), ("proposals", 18 / 27), ("gain", 12 / 27)):
        assert (value[name]["value"], value[name]["of"]) == (pytest.approx(share, abs=1e-6), 27)
    assert value["gain"]["low"] < value["gain"]["value"] < value["gain"]["high"]
    assert (value["both"]["value"], value["both"]["low"]) == (pytest.approx(18 / 27, abs=1e-6), None)
    assert value["seconds_alone"] == {"value": 40.0, "low": None, "high": None, "of": 6}
    assert value["seconds_proposals"] == {"value": 9.0, "low": None, "high": None, "of": 27}
    said = kb.run("audit", "--effort").out
    assert said.splitlines()[0] == value["text"]
    assert re.match(
        r"A person with proposals is better than alone: both together find 0\.44 \(0\.\d\d, 0\.\d\d\) more of the 27 "
        r"claims known of 9 sources that were read alone first\.\n  found alone +0\.22 \(", said,
    )  # fmt: skip
    assert "seconds a claim, with proposals 9.00 over 27 decisions" in said
    assert kb.run("audit", "--html", "audit.html").code == 0
    assert 'id="effort-' in kb.read("audit.html")
    kb.path("audit.html").unlink()
    assert kb.snapshot() == before


def test_where_proposals_add_nothing_it_says_so(kb: Base) -> None:
    lines = [told(2 * at + n, not n, f"inbox/{at}.md", alone=True, missed=not n) for at in range(8) for n in range(2)]
    keep(kb, lines)
    value = kb.run("audit", "--json").json["effort"]
    assert (value["gain"]["value"], value["proposals"]["value"]) == (0, 0)
    assert "is no better than alone" in value["text"]


def test_the_same_claim_is_known_by_its_quote_its_title_its_file_and_its_id(kb: Base) -> None:
    own = told(1, True, "inbox/a.md", NEAR, "a quote", missed=True, alone=True, claim="codex/ships/a.md")
    alike = {
        "quote": told(2, False, "inbox/a.md", "", "a quote", alone=True),
        "title": told(2, True, "inbox/a.md", NEARER, alone=True),
        "file": told(2, True, "inbox/a.md", alone=True, claim="codex/ships/a.md"),
        "id": dataclasses.replace(own, missed=False, verdict="rejected", reason="duplicate", time="2027"),
    }
    for name, other in alike.items():
        keep(kb, [own, other])
        value = kb.run("audit", "--json").json["effort"]
        found = [value[each]["value"] for each in ("alone", "proposals", "gain")]
        assert (name, value["both"]["of"], found) == (name, 1, [1, 1, 0])
    keep(kb, [own, told(2, True, "inbox/a.md", "Towns by the sea keep their ships", alone=True)])
    value = kb.run("audit", "--json").json["effort"]
    assert (value["both"]["of"], value["alone"]["value"], value["proposals"]["value"]) == (2, 0.5, 0.5)


def test_a_source_counts_once_all_of_it_is_decided(alone: Base) -> None:  # noqa: F811
    title = "Towns by the sea keep to what they know"
    alone.edit(EMPTY, EMPTY.replace("claim:", f"claim: {title}").replace("\n>\n", f"\n> {document(30)[0]}\n"),
               "inbox/proposals/n30.md")  # fmt: skip
    assert alone.run("review", "--apply", "n30").code == 0
    assert alone.run("audit", "--json").json["effort"] is None
    alone.mark("x", "n30")
    assert alone.run("review", "--apply", "n30").code == 0
    shown = alone.run("proposals", "n30", "--json").json
    first, *rest = sorted(shown, key=lambda each: document(30)[0] in {q["quote"] for q in each["evidence"]})
    assert alone.run("review", f"--approve={first['id']}", "--anyway", "--yes").code == 0
    assert alone.run("audit", "--json").json["effort"] is None
    assert alone.run("review", *(f"--reject={each['id']}=trivial" for each in rest)).code == 0
    value = alone.run("audit", "--json").json["effort"]
    assert (value["read"], value["sources"], value["both"]["of"]) == (1, 1, 2)
    assert (value["alone"]["value"], value["both"]["value"], value["gain"]["value"]) == (0.5, 1.0, 0.5)
    proposed = any(document(30)[0] == q["quote"] for each in rest for q in each["evidence"])
    assert value["proposals"]["value"] == (1.0 if proposed else 0.5)


def test_who_finds_nothing_alone_counts_too(alone: Base) -> None:  # noqa: F811
    alone.mark("x", "n30")
    assert alone.run("review", "--apply", "n30").code == 0
    one, *rest = alone.run("proposals", "n30", "--json").json
    options = [f"--approve={one['id']}", *(f"--reject={each['id']}=trivial" for each in rest)]
    assert alone.run("review", *options, "--anyway", "--yes").code == 0
    value = alone.run("audit", "--json").json["effort"]
    assert (value["alone"]["value"], value["proposals"]["value"], value["both"]["of"]) == (0, 1, 1)
