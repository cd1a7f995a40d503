"""Generations: what reviewers decide changes what is proposed next, once it is shown to be better."""

from __future__ import annotations

import io
import json
import random

import numpy as np
import pytest

from conftest import HEAD, Base, as_made_before

SUBJECTS = (
    "Merchants", "Farmers", "Sailors", "Printers", "Bakers", "Weavers", "Miners", "Teachers", "Surgeons", "Judges",
    "Brewers", "Potters",
)  # fmt: skip
VERBS = ("raise", "lower", "change", "follow", "shape", "limit")
THINGS = ("prices", "wages", "habits", "laws", "roads", "harvests", "schools", "debts", "songs", "tools")
#: Settings under which a packet shows what was chosen, and nothing beside it.
PLAIN = "[learn]\nevery = 20\n[review]\nblind = 0.0\nexplore = 0.0\nrepeat = 0.0\n"
#: What this reviewer wants: claims with a figure.
FIGURES = ("in 40 percent of towns", "by 12 percent a year", "for 300 years")
OTHERS = ("in most towns of the coast", "when winters are long", "as far as anyone remembers")


def document(number: int) -> list[str]:
    """Sentences, a third of them with a figure."""
    rng = random.Random(number)
    ends = [*rng.sample(FIGURES, 2), *rng.sample(OTHERS, 2), *rng.sample(OTHERS, 3)]
    return [
        f"{rng.choice(SUBJECTS)} of region {chr(65 + at)} {rng.choice(VERBS)} the {rng.choice(THINGS)} of their "
        f"neighbours {end}."
        for at, end in enumerate(ends)
    ]


def review(kb: Base, first: int, count: int) -> None:
    """Ingest so many documents, four proposals each, and approve those with a figure."""
    for number in range(first, first + count):
        kb.source(f"n{number}", document(number))
    assert kb.run("ingest", "inbox", "--max-claims", "4").code == 0
    options = []
    for each in kb.run("proposals", "--json").json:
        wanted = any(figure in each["title"] for figure in FIGURES)
        options += ["--approve", each["id"]] if wanted else ["--reject", f"{each['id']}=trivial"]
    assert kb.run("review", *options, "--anyway", "--yes").code in (0, 1)


@pytest.fixture
def taught(kb: Base, tmp_path_factory: pytest.TempPathFactory) -> Base:
    """A knowledge base whose reviewer wants figures, with enough decided for a generation."""
    return as_made_before(kb, "taught", teach, tmp_path_factory)


def teach(kb: Base) -> None:
    """Decide what is proposed from eight documents."""
    kb.write("codex.toml", PLAIN)
    kb.commit_all()
    review(kb, 0, 8)


def test_a_generation_is_closed_tried_beside_the_untaught_order_and_takes_over(taught: Base) -> None:
    first = taught.run("distill", "--json").json
    assert (first["generation"], first["in_force"], first["trained_on"]) == (1, 0, 32)
    assert first["gate"] == {"packets": 0, "gain": None, "low": None}
    assert taught.git("log", "-1", "--format=%s") == "codex: generation 1 from 32 decisions"

    review(taught, 8, 12)
    decided = [each for number in range(8, 20) for each in taught.decisions(f"n{number}")]
    assert {each["shown"]["trial"].partition("-")[0] for each in decided} == {"1"}
    assert all({"score", "taught"} <= each["features"].keys() for each in decided)
    second = taught.run("distill", "--json").json
    assert (second["generation"], second["in_force"]) == (2, 2)
    assert second["gate"]["low"] > 0
    assert taught.run("status", "--json").json["generation"] == 2
    proposed = [taught.ingest(f"n{number}", document(number)) for number in range(90, 95)]
    assert {each["generation"] for some in proposed for each in some} == {2}
    assert all(any(figure in some[0]["title"] for figure in FIGURES) for some in proposed)


def test_a_generation_is_made_again_from_its_decisions(taught: Base) -> None:
    taught.run("distill")
    assert taught.run("distill", "--check").code == 0
    (folder,) = taught.path("codex/generations").glob("1-*")
    facts = json.loads((folder / "generation.json").read_text())
    facts["weights"]["digit"] += 0.001
    (folder / "generation.json").write_text(json.dumps(facts))
    done = taught.run("distill", "--check", "--json")
    assert (done.code, [p["code"] for p in done.json]) == (1, ["wrong-generation"])


def review_domains(kb: Base, first: int, count: int) -> None:
    """Ingest so many documents of three domains, and approve those with a figure in law, those without in others."""
    for number in range(first, first + count):
        domain = ("law", "history", "archives")[number % 3]
        kb.source(f"n{number}", document(number), HEAD.replace("domain: economics", f"domain: {domain}"))
    assert kb.run("ingest", "inbox").code == 0
    options = []
    for each in kb.run("proposals", "--json").json:
        figure = any(some in each["title"] for some in FIGURES)
        wanted = figure == (each["domain"] == "law")
        options += ["--approve", each["id"]] if wanted else ["--reject", f"{each['id']}=trivial"]
    assert kb.run("review", *options, "--anyway", "--yes").code in (0, 1)


def test_domains_of_opposite_tastes_have_specialists_that_propose_from_their_sources(kb: Base) -> None:
    kb.write("codex.toml", "[learn]\nevery = 1000\n[agents.Clio]\ndomains = ['history', 'archives']\n")
    kb.commit_all()
    review_domains(kb, 0, 24)
    assert kb.run("distill", "--now").code == 0
    (folder,) = kb.path("codex/generations").glob("1-*")
    facts = json.loads((folder / "generation.json").read_text())
    assert sorted(facts["specialists"]) == ["Clio", "law"]
    assert facts["specialists"]["law"]["digit"] > facts["specialists"]["Clio"]["digit"]
    assert kb.run("distill", "--check").code == 0
    assert kb.run("distill", "--pin", "1").code == 0
    for domain in ("law", "archives"):
        kb.source(f"of-{domain}", document(77), HEAD.replace("domain: economics", f"domain: {domain}"))
    assert kb.run("ingest", "inbox", "--max-claims", "2").code == 0
    of: dict[str, list[bool]] = {"law": [], "archives": []}
    for each in kb.run("proposals", "--json").json:
        if "/of-" in each["source"]:
            of[each["domain"]].append(any(some in each["title"] for some in FIGURES))
    assert sum(of["law"]) > sum(of["archives"]) == 0


def test_decided_otherwise_is_another_lesson(taught: Base) -> None:
    taught.run("distill")
    one = next(d for d in taught.decisions("n0") if d["verdict"] == "rejected")["id"]
    taught.run("undo", one)
    taught.run("review", "--approve", one, "--anyway")
    done = taught.run("distill", "--now", "--json").json
    assert (done["generation"], done["trained_on"]) == (2, 32)


def test_distilled_twice_nothing_is_written(taught: Base) -> None:
    taught.run("distill")
    before = taught.snapshot(), taught.git("rev-parse", "HEAD")
    assert taught.run("distill", "--now").code == 0
    assert (taught.snapshot(), taught.git("rev-parse", "HEAD")) == before


def test_too_few_decisions_wait_until_now_is_said(taught: Base) -> None:
    taught.run("distill")
    review(taught, 8, 1)
    waits = taught.run("distill", "--json").json
    assert (waits["generation"], waits["waiting"]) == (1, 4)
    assert taught.run("distill", "--now", "--json").json["generation"] == 2


def test_rolled_back_to_0_the_order_is_the_untaught_one(taught: Base) -> None:
    untaught = [each["title"] for each in taught.ingest("n99", document(99))]
    taught.git("reset", "-q", "--hard")
    taught.git("clean", "-qfd")
    taught.git("reset", "-q", "--hard", "HEAD~1")
    taught.run("distill")
    review(taught, 8, 12)
    assert taught.run("distill", "--json").json["in_force"] == 2
    assert taught.run("distill", "--rollback", "0", "--json").json["in_force"] == 0
    assert taught.git("log", "-1", "--format=%s") == "codex: go back to generation 0"
    assert [each["title"] for each in taught.ingest("n99", document(99))] == untaught
    assert taught.run("distill", "--rollback", "7").code == 3


def test_a_pinned_generation_stays(taught: Base) -> None:
    taught.run("distill")
    taught.run("distill", "--pin", "1")
    review(taught, 8, 12)
    assert taught.run("distill", "--json").json["in_force"] == 1


def test_what_is_so_already_is_not_put_in_force_again(taught: Base) -> None:
    taught.run("distill")
    for typed in (("--rollback", "0"), ("--pin", "1")):  # the first ends the trial
        before = taught.git("rev-parse", "HEAD")
        assert taught.run("distill", *typed).code == 0
        after = taught.git("rev-parse", "HEAD"), taught.snapshot()
        assert after[0] != before
        again = taught.run("distill", *typed)
        assert (again.code, "nothing to do" in again.err) == (0, True)
        assert (taught.git("rev-parse", "HEAD"), taught.snapshot()) == after
    assert taught.run("distill", "--rollback", "1").err.strip() == "generation 1 is in force"  # held no more


def test_a_later_generation_is_no_rollback(taught: Base) -> None:
    taught.run("distill")
    before = taught.git("rev-parse", "HEAD")
    done = taught.run("distill", "--rollback", "1")
    assert (done.code, "codex distill --pin 1" in done.err) == (2, True)
    assert taught.git("rev-parse", "HEAD") == before


def test_status_says_which_generation_is_in_force_tried_and_held(taught: Base) -> None:
    assert "generation 0 is in force, the untaught order\n" in taught.run("status").out
    taught.run("distill")
    for typed, said, (in_force, on_trial, pinned) in (
        ((), "0 is in force, 1 is on trial", (0, 1, False)),
        (("--pin", "1"), "1 is in force, pinned", (1, 0, True)),
        (("--rollback", "0"), "0 is in force, of 1", (0, 0, False)),
    ):
        taught.run("distill", *typed)
        assert f"generation {said}\n" in taught.run("status").out
        value = taught.run("status", "--json").json
        assert (value["generation"], value["on_trial"], value["pinned"]) == (in_force, on_trial, pinned)
        assert value["newest"] == 1


def test_a_decision_that_is_taken_back_is_learned_from_no_more(taught: Base) -> None:
    taught.run("distill")
    one = taught.decisions("n0")[0]["id"]
    assert taught.run("undo", one).code == 0
    done = taught.run("distill", "--now", "--json").json
    assert (done["generation"], done["trained_on"]) == (2, 31)
    (folder,) = taught.path("codex/generations").glob("2-*")
    assert json.loads((folder / "generation.json").read_text())["unlearned"][0].startswith(one)


def test_branches_that_each_close_a_generation_both_stay_and_the_next_has_both_as_parents(taught: Base) -> None:
    taught.git("switch", "-qc", "other")
    taught.run("distill")
    taught.git("switch", "-q", "main")
    review(taught, 8, 1)
    taught.run("distill")
    taught.git("merge", "-q", "--no-edit", "other")
    assert len(list(taught.path("codex/generations").glob("1-*"))) == 2
    review(taught, 20, 1)
    assert taught.run("distill", "--now", "--json").json["generation"] == 2
    (folder,) = taught.path("codex/generations").glob("2-*")
    assert len(json.loads((folder / "generation.json").read_text())["parents"]) == 2


def test_what_is_blind_and_what_nobody_chose_is_shown_beyond_the_proposals_and_never_learned_from(taught: Base) -> None:
    taught.run("distill")
    taught.write("codex.toml", "[review]\nblind = 0.5\nexplore = 0.25\nrepeat = 0\n")
    taught.commit_all()
    for number in range(30, 34):
        taught.source(f"n{number}", document(number))
    taught.run("ingest", "inbox", "--max-claims", "4")
    shown = taught.run("proposals", "--json").json
    assert len(shown) == 4 * 5
    assert {name for each in shown for name in each} & {"explored", "chance", "trial", "features", "place"} == set()
    blind = {each["id"] for each in shown if each["blind"]}
    assert 4 < len(blind) < 20
    assert all(not each["nearest"] and not each["notes"] for each in shown if each["blind"])
    packet = taught.read("inbox/proposals/n30.md")
    assert packet.count("## [ ]") == 5
    taught.run("review", *[option for each in shown for option in ("--reject", f"{each['id']}=trivial")])
    rows = [each for number in range(30, 34) for each in taught.decisions(f"n{number}")]
    assert {each["id"] for each in rows if each["shown"].get("blind")} == blind
    assert sum(bool(each["shown"].get("explored")) for each in rows) == 4
    assert {each["shown"]["chance"] for each in rows if each["shown"].get("explored")} == {1 / 2}
    assert {each["shown"]["chance"] for each in rows if not each["shown"].get("explored")} == {1}
    assert sorted(each["shown"]["place"] for each in taught.decisions("n30")) == [1, 2, 3, 4, 5]
    taught.run("distill", "--now")
    (folder,) = taught.path("codex/generations").glob("2-*")
    learned = {each[:12] for each in json.loads((folder / "generation.json").read_text())["learned"]}
    assert len(learned) == 20 - len(blind)
    assert not blind & learned


@pytest.mark.parametrize(("blind", "explore"), [(0.0, 0.25), (0.25, 0.0), (0.0, 0.0)])
def test_0_switches_each_off_and_what_is_mixed_in_looks_like_any_other(
    taught: Base, blind: float, explore: float
) -> None:
    taught.run("distill")
    taught.write("codex.toml", f"[review]\nblind = {blind}\nexplore = {explore}\nrepeat = 0\n")
    for number in range(30, 34):
        taught.source(f"n{number}", document(number))
    taught.run("ingest", "inbox", "--max-claims", "4")
    shown = taught.run("proposals", "--json").json
    assert len(shown) == 4 * (5 if explore else 4)
    assert any(each["blind"] for each in shown) == bool(blind)
    assert all(each["nearest"] for each in shown) != bool(blind)
    taught.run("review", *[option for each in shown for option in ("--approve", each["id"])], "--anyway")
    mixed_in = {row["id"] for n in range(30, 34) for row in taught.decisions(f"n{n}") if row["shown"].get("explored")}
    assert len(mixed_in) == (4 if explore else 0)
    taught.run("distill", "--now")
    (folder,) = taught.path("codex/generations").glob("2-*")
    assert not mixed_in & {each[:12] for each in json.loads((folder / "generation.json").read_text())["learned"]}


def refuses(kb: Base, generation: str) -> None:
    """Ingest names the generation that it cannot read, and the way out."""
    kb.source("n50", document(50))
    done = kb.run("ingest", "inbox/n50.md")
    assert done.code == 1
    assert generation in done.err
    assert "codex distill --rollback 0" in done.err


def arrays() -> dict[str, bytes]:
    """Files that are no direction, by what is wrong with them."""
    zipped = io.BytesIO()
    np.savez(zipped, np.zeros(64, np.float32))
    whole = io.BytesIO()
    np.save(whole, np.zeros(64, np.float32))
    huge = whole.getvalue().replace(b"(64,), }             ", b"(100000000000,), }   ")
    assert huge != whole.getvalue()
    short = io.BytesIO()
    np.save(short, np.zeros(5, np.float32))
    objects = io.BytesIO()
    np.save(objects, np.array([{}]), allow_pickle=True)
    return {"zip": zipped.getvalue(), "huge": huge, "bad zip": b"PK\x03\x04 and more", "objects": objects.getvalue(),
            "no end": b"\x93NUMPY\x01\x00v\x00{'descr': '", "cut": whole.getvalue()[:-1],
            "another length": short.getvalue(), "nan": whole.getvalue()[:-4] + b"\x00\x00\xc0\x7f"}  # fmt: skip


@pytest.mark.parametrize("spoil", arrays().values(), ids=arrays())
def test_a_direction_that_is_none_is_refused_with_the_way_out(taught: Base, spoil: bytes) -> None:
    taught.run("distill")
    (folder,) = taught.path("codex/generations").glob("1-*")
    (folder / "direction.npy").write_bytes(spoil)
    refuses(taught, folder.name)


def test_weights_beyond_all_measure_are_refused(taught: Base) -> None:
    taught.run("distill")
    (folder,) = taught.path("codex/generations").glob("1-*")
    facts = json.loads((folder / "generation.json").read_text())
    facts["weights"]["digit"] = 1e308
    (folder / "generation.json").write_text(json.dumps(facts))
    assert taught.run("audit").code == 1


def test_what_distill_does_otherwise_is_one_thing_at_a_time(kb: Base) -> None:
    for typed in (("--pin", "1", "--rollback", "0"), ("--pin", "1", "--check"), ("--rollback", "0", "--now"),
                  ("--full", "--now")):  # fmt: skip
        assert kb.run("distill", *typed).code == 2


@pytest.mark.parametrize("spoil", ["{", '{"version": 2}', '{"version": 1}', "[]"])
def test_a_generation_that_is_none_is_refused_with_the_way_out(taught: Base, spoil: str) -> None:
    taught.run("distill")
    (folder,) = taught.path("codex/generations").glob("1-*")
    (folder / "generation.json").write_text(spoil)
    refuses(taught, folder.name)
    assert taught.run("distill", "--rollback", "0").code == 0
    assert taught.run("ingest", "inbox/n50.md").code == 0
