"""`codex audit`: what generations miss, from what people decided. It says no more than was counted, writes nothing."""

from __future__ import annotations

import dataclasses
import json
import random
import re
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

import test_generations
from codex_kb.cli import pictures
from codex_kb.disk.serialise import decision_lines
from codex_kb.learn import audit, guarantee, limits, reviewers
from codex_kb.learn.audit import Judged
from codex_kb.records import Decision, Proposal
from conftest import Base, FakeEncoder

ADA, BOB = "Ada <ada@example.org>", "Bob <bob@example.org>"


def decision(number: int, approved: bool, source: str = "inbox/a.md", **more: object) -> Decision:
    """One decision; `more` are fields of it, or of what was shown."""
    fields = {field.name for field in dataclasses.fields(Decision)}
    shown = {name: each for name, each in more.items() if name not in fields}
    given = {
        "id": f"{number:012x}", "time": f"2026-01-01T00:00:00.{number:06d}+00:00", "reviewer": ADA,
        "reason": "" if approved else "trivial", "title": f"Towns of the {number} coast grow",
        "proposal": {"title": f"Towns of the {number} coast grow", "domain": "ships"}, "claim": None,
        "source_sha256": "0" * 64, "proposer": "extractive", "generation": 0,
    } | {name: each for name, each in more.items() if name in fields}  # fmt: skip
    return Decision(verdict="approved" if approved else "rejected", source=source, shown=shown, **given)  # type: ignore[arg-type]


def keep(kb: Base, decisions: Iterable[Decision]) -> None:
    """Put decisions on record."""
    kb.write("codex/decisions/a.jsonl", decision_lines(list(decisions)))
    kb.commit_all()


def packets(count: int, blind: bool = False, wanted: float = 0.3, miss: float = 0.3, seed: int = 0) -> list[Decision]:
    """So many packets of ten and one mixed-in sentence; most of what is wanted stands among the first five."""
    rng, found = random.Random(seed), []
    for packet in range(count):
        for place in range(11):
            likely = wanted * (miss if place >= 5 else 1)
            explored = place == 10
            shown = {"blind": True, "explored": True, "chance": 0.1} if explored else {"blind": True} if blind else {}
            found.append(decision(
                len(found), rng.random() < likely, f"inbox/s{packet}.md", place=place + 1,
                features={"score": -float(place)}, **shown,
            ))  # fmt: skip
    return found


def test_with_nothing_decided_it_says_so(kb: Base, encoder: type[FakeEncoder]) -> None:
    kb.write("codex.toml", "[review]\nblind = 0.0\n")
    done = kb.run("audit")
    assert (done.code, "nothing is decided yet" in done.out) == (0, True)
    assert "next: codex ingest inbox/, then codex review" in done.out
    value = kb.run("audit", "--json").json
    assert (value["generation"], value["in_force"], value["reviewers"]) == (0, 0, [])
    assert (value["guarantee"]["missed_at_most"], value["guarantee"]["needed"]) == (None, 15)
    assert "[review] blind in codex.toml is 0" in value["guarantee"]["text"]
    assert value["triage"] == {"allowed": False, "needed": 45, "approvals": 0, "why": "it takes 45 more approvals"}
    assert encoder.texts == []


def test_it_counts_what_the_first_five_miss_and_says_from_how_many(kb: Base) -> None:
    keep(kb, packets(40, blind=True))
    before = kb.snapshot()
    value = kb.run("audit", "--json").json
    (row,) = value["generations"]
    decided = [each for each in packets(40, blind=True) if not each.shown.get("explored")]
    approved = [each for each in decided if each.verdict == "approved"]
    missed = [each.shown["place"] > 5 for each in approved]
    low, high = limits.interval(sum(missed), len(missed))
    assert row["missed"]["value"] == pytest.approx(sum(missed) / len(missed), abs=1e-6)
    assert (row["missed"]["low"], row["missed"]["high"]) == pytest.approx((low, high), abs=1e-6)
    assert (row["missed"]["blind"], row["missed"]["of"], row["decisions"]) == (True, len(approved), 440)
    assert row["precision"]["value"] == pytest.approx(len(approved) / 400, abs=1e-6)
    assert row["precision"]["low"] < row["precision"]["value"] < row["precision"]["high"]
    assert row["domains"]["ships"]["missed"] == row["missed"]
    said = value["guarantee"]
    assert 15 * 2 ** (said["look"] - 1) == said["of"] <= said["approvals"] == len(approved)
    assert sum(missed[: said["of"]]) == said["hits"]
    assert said["missed_at_most"] > said["hits"] / said["of"]
    assert f"first {said['of']} approvals among 400 blind decisions" in said["text"]
    assert said["of_sources"]["missed_at_most"] > 0
    assert kb.snapshot() == before


def test_between_looks_the_limit_is_repeated_and_looks_are_no_more_than_may_be_spent() -> None:
    missed = [at % 5 == 0 for at in range(200)]
    found = [guarantee.of_proposed(missed[:count], 2) for count in range(len(missed) + 1)]
    first = guarantee.first_look(2)
    assert [each.limit is None for each in found] == [count < first for count in range(len(found))]
    assert {each.of for each in found} == {0, *(first * 2**j for j in range(20) if first * 2**j <= 200)}
    assert len({each.limit for each in found}) == len({each.look for each in found})
    assert all(each.counted + each.needed == first * 2**each.look for each in found)
    spent = sum(limits.spent(limits.spent(guarantee.DELTA, g), j) for g in range(1, 300) for j in range(1, 300))
    assert spent <= guarantee.DELTA


def test_a_packet_that_was_filled_by_turns_is_of_both_and_one_of_a_generation_in_force_is_its_own() -> None:
    in_force = {3: "3-aaaaaaaa"}
    assert audit.owners(decision(1, True, trial="2-bbbbbbbb"), in_force) == ("", "2-bbbbbbbb")
    assert audit.owners(decision(1, True), in_force) == ("",)
    assert audit.owners(decision(1, True, generation=3), in_force) == ("3-aaaaaaaa",)
    assert audit.owners(decision(1, True, generation=3, trial="4-cccccccc"), in_force) == ("4-cccccccc",)
    assert audit.owners(decision(1, True, generation=2), in_force) == ()


def test_places_are_those_of_the_generation_s_own_scores_and_what_waits_counts() -> None:
    shown = [decision(n, False, features={"score": -n, "taught": n}, place=9 - n, blind=n == 2) for n in range(4)]
    best = {"score": 9.0, "taught": 9.0}
    waits = Proposal("w", "inbox/a.md", "", "", "", "", "", "new", (), (), "", 0, features=best)
    mixed = decision(9, False, features=best, explored=True)
    of_untaught, of_taught = (audit.places(name, [*shown, waits, mixed]) for name in ("", "1-aaaaaaaa"))
    assert [of_untaught[each.id] for each in shown] == [2, 3, 4, 5]
    assert [of_taught[each.id] for each in shown] == [5, 4, 3, 2]
    assert of_taught["w"] == 1
    assert mixed.id not in of_taught


def test_without_scores_the_place_shown_counts_unless_blind_ones_stand_between() -> None:
    shown = [decision(n, False, place=4 - n) for n in range(4)]
    assert [audit.places("", shown)[each.id] for each in shown] == [4, 3, 2, 1]
    assert audit.places("", [*shown, decision(9, True, place=5, blind=True)]) == {}


def test_duplicates_and_what_was_decided_in_bulk_are_no_judgement() -> None:
    rows = [
        Judged(decision(1, True), "ships", 1),
        Judged(decision(2, False, reason="duplicate"), "ships", 2),
        Judged(decision(3, False, bulk=True), "ships", 3),
        Judged(decision(4, False), "ships", 4),
    ]
    found = audit.figures(rows, 0)
    assert (found.decisions, found.precision.value, found.precision.of) == (4, 0.5, 2)
    assert found.effort.value == 4


def test_a_repeat_tells_of_the_reviewer_and_of_nothing_else(kb: Base) -> None:
    first = packets(8)
    again = [
        dataclasses.replace(each, id=f"{at:011x}r", time=f"2026-02-01T00:00:00.{at:06d}+00:00",
                            verdict="rejected" if at < 4 else each.verdict, shown={"repeat_of": each.id})
        for at, each in enumerate([d for d in first if d.verdict == "approved"][:8])
    ]  # fmt: skip
    keep(kb, first)
    alone = kb.run("audit", "--json").json
    keep(kb, [*first, *again])
    value = kb.run("audit", "--json").json
    (reviewer,) = value["reviewers"]
    assert (reviewer["decisions"], reviewer["repeats"], reviewer["self_agreement"]["value"]) == (88, 8, 0.5)
    assert reviewer["error"]["value"] == 0.5
    assert [flag.split(":")[0] for flag in reviewer["flags"]] == ["careless"]
    assert value["generations"] == alone["generations"]


def test_where_two_met_their_disagreements_are_listed() -> None:
    lines = [decision(n, n % 2 == 0) for n in range(10)]
    later = [dataclasses.replace(each, reviewer=BOB, time=f"2027{each.time[4:]}") for each in lines]
    lines += [dataclasses.replace(each, verdict="approved") for each in later]
    (pair,) = reviewers.of(lines, {}).pairs
    assert (pair.names, pair.between.asked, len(pair.disagree)) == ((ADA, BOB), 10, 5)
    assert pair.disagree[0] == (lines[1].id, lines[1].title)


def test_a_domain_whose_taste_turned_is_named() -> None:
    rng, lines = random.Random(1), []
    for packet in range(60):
        for place in range(10):
            wanted = place < 3 if packet < 30 else place > 6
            lines.append(decision(len(lines), wanted != (rng.random() < 0.05), f"inbox/{packet}.md",
                                  features={"score": -float(place)}))  # fmt: skip
    ((domain, said),) = reviewers.of(lines, {each.id: "ships" for each in lines}).turned
    assert (domain, re.findall(r"packet (\d+) of 60", said)) == ("ships", ["31"])
    assert reviewers.of(lines[:300], {each.id: "ships" for each in lines}).turned == ()


def test_claims_that_people_added_are_counted_and_are_no_proposals(kb: Base) -> None:
    given = packets(4)
    keep(kb, given)
    before = kb.run("audit", "--json").json["generations"][0]
    keep(kb, [*given, decision(900, True, "inbox/s0.md", missed=True)])
    after = kb.run("audit", "--json").json["generations"][0]
    assert (before["added"], after["added"]) == (0, 1)
    assert after | {"added": 0, "domains": {}} == before | {"added": 0, "domains": {}}


def test_what_is_mixed_in_is_weighted_by_its_chance_of_being_shown() -> None:
    """Of a hundred sentences one is shown: a hit among them stands for a hundred."""
    rare = [guarantee.Sample((False, at == 0), (True, at == 0), (1.0, 0.01)) for at in range(16)]
    sure = [dataclasses.replace(each, chances=(1.0, 1.0)) for each in rare]
    few, many = (guarantee.of_sources(each, 1).limit for each in (sure, rare))
    assert few is not None
    assert many is not None
    assert many > 0.8 > few
    assert guarantee.of_sources(rare[:15], 1).limit is None


def test_chances_of_random_decisions_are_not_shown_and_of_real_ones_are() -> None:
    for miss, shown in ((1.0, False), (0.1, True)):
        given = [each for each in packets(150, wanted=0.4, miss=miss) if not each.shown.get("explored")]
        chances = audit.told(given, audit.before(given), "")
        rows = [Judged(each, "ships", 1, chances.get(each.id)) for each in given]
        beside = audit.figures(rows, 0).beside
        assert beside is not None
        assert beside.shown == shown
        assert sum(estimate.of for _, estimate in audit.reliability(rows)) == len(chances) > 1000


def test_a_generation_on_trial_stands_beside_the_untaught_order(kb: Base, encoder: type[FakeEncoder]) -> None:
    kb.write("codex.toml", "[learn]\nevery = 20\n[review]\nblind = 0.3\nexplore = 0.3\n")
    kb.commit_all()
    test_generations.review(kb, 0, 8)
    kb.run("distill")
    test_generations.review(kb, 8, 8)
    before = kb.snapshot()
    value = kb.run("audit", "--json").json
    untaught, taught = value["generations"]
    assert (value["generation"], value["in_force"]) == (1, 0)
    assert (taught["trained_on"], taught["decisions"], taught["parents"]) == (32, 40, [])
    assert untaught["decisions"] == 72
    assert taught["place"]["value"] < untaught["place"]["value"]
    assert taught["beside_parent"]["value"] > 0
    assert taught["gate"]["packets"] == value["gate"]["packets"] > 0
    assert 0 < taught["drift"]["proposals_p"] <= 1
    assert value["guarantee"]["of_sources"] | {"needed": 8, "sources": 8} == value["guarantee"]["of_sources"]
    assert kb.snapshot() == before
    # What was embedded are titles, each once, and nothing where there is nothing to compare.
    encoder.texts.clear()
    kb.run("audit")
    assert len(encoder.texts) == len(set(encoder.texts)) > 0


def test_what_a_generation_was_trained_on_is_none_of_its_own(kb: Base) -> None:
    kb.write("codex.toml", test_generations.PLAIN)
    kb.commit_all()
    test_generations.review(kb, 0, 8)
    kb.run("distill")
    test_generations.review(kb, 8, 8)
    kb.run("distill", "--now")
    first, second = kb.run("audit", "--json").json["generations"][1:]
    assert (first["decisions"], second["trained_on"], second["decisions"]) == (32, 64, 0)
    assert second["beside_parent"]["of"] == 0


def test_a_page_holds_all_of_it_for_light_dark_and_paper(kb: Base) -> None:
    given = packets(40, blind=True)
    keep(kb, [dataclasses.replace(each, reviewer="<b>$x$</b> & Co") for each in given])
    assert kb.run("audit", "--html", "audit.html").code == 0
    page = kb.read("audit.html")
    assert kb.run("audit", "--json").json["guarantee"]["text"].split(". ")[0] in page
    assert "<b>$x$" not in page
    assert "&lt;b&gt;$x$&lt;/b&gt; &amp; Co" in page
    assert not re.search(r"<script|<link|@import|src=|https?://(?!www\.w3\.org)", page)
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == 1
    assert "Share of the first ten that is approved, by generation: generation 0 0." in page  # one point is no chart
    for picture in pictures:
        assert ElementTree.fromstring(picture).get("aria-label")
        assert not re.search(r"#(010203|040506|070809|0a0b0c)", picture)
    names = re.findall(r'\bid="([^"]+)"', page)
    assert len(names) == len(set(names))
    assert kb.run("audit", "--html", "audit.html").code == 0
    assert kb.read("audit.html") == page


def test_three_generations_are_drawn_and_points_on_the_edge_are_whole(kb: Base) -> None:
    accounts = [SimpleNamespace(number=n, figures=SimpleNamespace(precision=audit.Estimate(n / 2, 0.0, 1.0)))
                for n in range(3)]  # fmt: skip
    drawn = pictures.over_time(accounts)  # type: ignore[arg-type]
    assert ElementTree.fromstring(drawn.removeprefix("<figure>").removesuffix("</figure>")).get("role") == "img"
    assert "clip-path" not in "".join(re.findall(r"<use [^>]*>|<g clip-path[^>]*>\s*<use", drawn))
    said = pictures.over_time(accounts[:2])  # type: ignore[arg-type]
    assert "generation 0 0.00 (0.00, 1.00); generation 1 0.50 (0.00, 1.00)." in said
    assert "<svg" not in said
    assert pictures.over_time([]) == ""


def test_a_page_makes_no_folder(kb: Base) -> None:
    done = kb.run("audit", "--html", "away/audit.html")
    assert (done.code, "its folder is not there" in done.err, "mkdir -p away" in done.err) == (3, True, True)
    assert not kb.path("away").exists()


def test_what_people_read_is_plain_and_counts_one_as_one(kb: Base) -> None:
    keep(kb, [decision(1, True, place=1)])
    told = kb.run("audit").out
    assert "1 decision on record" in told
    assert "it takes 15 more approvals among blind decisions; so far 0 of 0 approved" in told
    assert re.search(r"place of approvals +1\.00 on average, over 1 approval\n", told)
    assert told.rstrip().endswith("next: codex ingest inbox/, then codex review; each decision tells more")
    assert not re.search(r"\b1 (decisions|approvals|sources|proposals)|missing|Brier", told)
    kb.ingest()
    assert "next: codex review; each decision tells more" in kb.run("audit").out
    keep(kb, packets(40))
    assert "surely better than the past rate (mean squared error 0." in kb.run("audit").out


@pytest.mark.parametrize("name", ["mine.html", "codex.toml", ".git/config", "a folder", "link.html"])
def test_a_page_replaces_nothing_but_a_page(kb: Base, name: str) -> None:
    kb.write("mine.html", "<!doctype html>\nmine")
    kb.path("a folder").mkdir()
    kb.path("link.html").symlink_to(kb.path("mine.html"))
    before = kb.snapshot(), kb.read(".git/config")
    done = kb.run("audit", "--html", name)
    assert done.code in (1, 2, 4)
    assert name in done.err
    assert (kb.snapshot(), kb.read(".git/config")) == before


@pytest.mark.parametrize("name", ["away/page.html", "inbox/proposals/new.json"])
def test_a_page_is_written_neither_through_a_link_that_leads_out_nor_as_a_file_of_ours(
    kb: Base, tmp_path: Path, name: str
) -> None:
    (tmp_path / "outside").mkdir()
    kb.path("away").symlink_to(tmp_path / "outside")
    assert kb.run("audit", "--html", name).code in (1, 2)
    assert list((tmp_path / "outside").iterdir()) == []
    assert not kb.path("inbox/proposals/new.json").exists()


def test_a_generation_that_cannot_be_read_is_an_error_with_the_way_out(kb: Base) -> None:
    kb.write("codex/generations/1-0123abcd/generation.json", "{")
    done = kb.run("audit", "--json")
    assert done.code == 1
    error = json.loads(done.err)["error"]
    assert (error["path"], "git checkout" in error["hint"]) == ("codex/generations/1-0123abcd", True)


def test_a_generation_in_force_that_is_gone_is_an_error_with_the_way_out(kb: Base) -> None:
    event = {"time": "2026-01-01T00:00:00+00:00", "kind": "pinned", "generation": "1-0123abcd", "by": ADA}
    kb.write("codex/generations/events.jsonl", json.dumps(event) + "\n")
    done = kb.run("audit")
    assert done.code == 1
    assert "codex/generations/1-0123abcd" in done.err
    assert "codex distill --rollback 0" in done.err
    assert kb.run("distill", "--rollback", "0").code == 0
    assert kb.run("audit").code == 0


def test_a_generation_of_another_model_is_not_compared(kb: Base) -> None:
    kb.write("codex.toml", test_generations.PLAIN)
    kb.commit_all()
    test_generations.review(kb, 0, 8)
    kb.run("distill")
    test_generations.review(kb, 8, 4)
    (path,) = kb.path("codex/generations").glob("1-*/generation.json")
    path.write_text(path.read_text().replace("fake@1", "other@1"))
    (_, taught) = kb.run("audit", "--json").json["generations"]
    assert (taught["decisions"], taught["beside_parent"]["value"]) == (16, None)
