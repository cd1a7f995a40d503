"""A few old decisions are asked for again: each looks like any other, and its answer changes the log alone."""

from __future__ import annotations

import json

import pytest

from codex_kb.propose.again import Asked
from codex_kb.records import Decision, Proposal
from conftest import Base
from test_generations import document, review, taught  # noqa: F401 (a fixture)


@pytest.fixture
def asked(taught: Base) -> tuple[Base, dict[str, dict]]:  # noqa: F811
    """A packet of four proposals and as many repeats; the record's proposals that are asked again, by id."""
    taught.run("distill")
    taught.write("codex.toml", "[review]\nblind = 0.0\nexplore = 0.0\nrepeat = 1.0\n")
    taught.source("n30", document(30))
    taught.commit_all()
    assert taught.run("ingest", "inbox", "--max-claims", "4").code == 0
    record = json.loads(taught.read("inbox/proposals/n30.json"))
    return taught, {each["id"]: each for each in record["proposals"] if each["repeat_of"]}


def before(kb: Base) -> dict[str, dict]:
    """The decisions of eight sources by id."""
    return {row["id"]: row for n in range(8) for row in kb.decisions(f"n{n}")}


def test_each_has_an_id_of_its_own_and_looks_like_any_other(asked: tuple[Base, dict[str, dict]]) -> None:
    kb, repeats = asked
    known = before(kb)
    assert len(repeats) == 4
    assert len({each["repeat_of"] for each in repeats.values()}) == 4
    assert not repeats.keys() & known.keys()
    assert {known[each["repeat_of"]]["verdict"] for each in repeats.values()} == {"approved", "rejected"}
    shown = kb.run("proposals", "--json").json
    assert len(shown) == 8
    assert len({tuple(sorted(each)) for each in shown}) == 1
    assert {each["generation"] for each in shown} == {0}
    assert "repeat" not in json.dumps(shown) + kb.read("inbox/proposals/n30.md")
    for each in shown:
        if each["id"] in repeats:
            own = known[repeats[each["id"]]["repeat_of"]]
            assert own["claim"] is None or own["claim"] not in {hit["path"] for hit in each["nearest"]}
            assert f"Quote: {own['source'].partition('/')[2]}, line" in kb.read("inbox/proposals/n30.md")
    assert [problem for problem in kb.run("check", "--json").json if problem["rule"] == "packets"] == []


def test_its_answer_changes_the_log_alone(asked: tuple[Base, dict[str, dict]]) -> None:
    kb, repeats = asked
    claims = kb.claims()
    index = {name: data for name, data in kb.snapshot().items() if name.startswith("codex/index")}
    text = kb.read("inbox/proposals/n30.md")
    for mark, each in zip("xx-+", repeats, strict=True):
        title = repeats[each]["title"]
        text = text.replace(f"## [ ] {title}\n\n<!-- id: {each}", f"## [{mark}] {title}\n\n<!-- id: {each}")
    kb.write("inbox/proposals/n30.md", text)
    done = kb.run("review", "--apply", "n30")
    assert (done.code, "0 approved, 0 rejected, 4 wait" in done.err) == (0, True), done.err
    rows = kb.decisions("n30")
    assert {(row["shown"]["repeat_of"], row["shown"]["repeat"]) for row in rows} == {
        (each["repeat_of"], True) for each in repeats.values()
    }
    assert {row["claim"] for row in rows} == {None}
    assert sorted(row["verdict"] for row in rows) == ["approved", "approved", "approved", "rejected"]
    assert kb.claims() == claims
    assert {name: data for name, data in kb.snapshot().items() if name.startswith("codex/index")} == index
    assert kb.git("show", "--name-only", "--format=").split() == [
        "codex/decisions/n30.jsonl", "inbox/proposals/n30.json", "inbox/proposals/n30.md",
    ]  # fmt: skip
    assert kb.run("distill", "--now", "--json").json["generation"] == 1
    assert {problem["rule"] for problem in kb.run("check", "--json").json} <= {"title", "no-description", "duplicate"}


def test_it_is_opened_decided_by_name_deleted_and_taken_back(asked: tuple[Base, dict[str, dict]]) -> None:
    kb, repeats = asked
    first, second, third, _ = repeats
    assert kb.run("review", "--approve", first, "--reject", f"{second}=vague").code == 0
    text = kb.read("inbox/proposals/n30.md")
    start = text.index(f"## [ ] {repeats[third]['title']}\n\n<!-- id: {third}")
    end = text.index("\n## ", start) + 1
    kb.write("inbox/proposals/n30.md", text[:start] + text[end:])
    assert kb.run("review", "--apply", "n30").code == 0
    assert [(r["id"], r["verdict"], r["reason"]) for r in kb.decisions("n30")] == [
        (first, "approved", ""), (second, "rejected", "vague"), (third, "rejected", "removed"),
    ]  # fmt: skip
    kept = {name: data for name, data in kb.snapshot().items() if not name.startswith("codex/decisions")}
    assert kb.run("undo", first).code == 0
    assert {n: d for n, d in kb.snapshot().items() if not n.startswith("codex/decisions")} == kept
    assert kb.git("show", "--name-only", "--format=").startswith("codex/decisions/")


def test_it_is_shown_with_the_same_neighbours_when_its_packet_opens(
    asked: tuple[Base, dict[str, dict]], monkeypatch: pytest.MonkeyPatch
) -> None:
    kb, repeats = asked
    monkeypatch.setenv("EDITOR", "true")
    assert kb.run("review", "n30").code == 0
    known = before(kb)
    record = json.loads(kb.read("inbox/proposals/n30.json"))
    for each in record["proposals"]:
        if each["repeat_of"]:
            assert known[each["repeat_of"]]["claim"] not in {hit["path"] for hit in each["nearest"]}
            assert each["evidence"] == repeats[each["id"]]["evidence"]


def test_asked_once_and_never_again(asked: tuple[Base, dict[str, dict]]) -> None:
    kb, repeats = asked
    kb.source("n31", document(31))
    kb.run("ingest", "inbox", "--max-claims", "4")
    record = json.loads(kb.read("inbox/proposals/n31.json"))
    more = {each["repeat_of"] for each in record["proposals"]} - {""}
    assert len(more) == 4
    assert not more & {each["repeat_of"] for each in repeats.values()}


def test_before_a_first_generation_nothing_is_asked_again(taught: Base) -> None:  # noqa: F811
    taught.write("codex.toml", "[review]\nrepeat = 1.0\nblind = 1.0\nexplore = 1.0\n")
    taught.ingest("n30", document(30))
    record = json.loads(taught.read("inbox/proposals/n30.json"))
    assert not any(each["repeat_of"] or each["blind"] or each["explored"] for each in record["proposals"])


def decision(number: int, verdict: str, **more: object) -> Decision:
    values = {"reason": "vague", "shown": {}, "missed": False, **more}
    shown = {"title": f"Boats of kind {number} sink", "description": "", "domain": "boats", "confidence": "likely",
             "evidence": []}  # fmt: skip
    time, source = f"2026-01-01T{number:06}", f"inbox/{number}.md"
    return Decision(
        f"{number:012x}", time, "Ann <a@b>", verdict, values["reason"], "T", shown, None, source, "0" * 64,
        "extractive", 0, values["shown"], {}, None, values["missed"],
    )  # fmt: skip


def chosen(count: int) -> list[Proposal]:
    return [
        Proposal(f"{n:x}", "inbox/new.md", "", "T", "", "", "", "new", (), (), "extractive", 0) for n in range(count)
    ]


def test_a_part_is_asked_half_of_it_approved_ones() -> None:
    some = [decision(n, "approved" if n % 10 == 0 else "rejected") for n in range(3000)]
    found = [one for one, _ in Asked(some, ()).beside(chosen(2000), "inbox/new.md", 0.05)]
    assert 70 < len(found) < 130
    assert 0.35 < sum(one.verdict == "approved" for one in found) / len(found) < 0.65
    assert [one.id for one, _ in Asked(some, ()).beside(chosen(2000), "inbox/new.md", 0.05)] == [o.id for o in found]


@pytest.mark.parametrize(
    "odd",
    [{"reason": "duplicate"}, {"reason": "removed"}, {"missed": True}, {"shown": {"repeat_of": "a"}},
     {"verdict": "withdrawn"}],
)  # fmt: skip
def test_what_was_not_answered_by_what_it_says_is_not_asked_again(odd: dict[str, object]) -> None:
    verdict = str(odd.get("verdict", "approved" if "missed" in odd else "rejected"))
    one = decision(1, verdict, **{name: value for name, value in odd.items() if name != "verdict"})
    assert list(Asked([one], ()).beside(chosen(9), "inbox/new.md", 1.0)) == []
    assert len(list(Asked([decision(2, "rejected")], ()).beside(chosen(9), "inbox/new.md", 1.0))) == 1
    assert list(Asked([decision(2, "rejected")], ()).beside(chosen(9), "inbox/2.md", 1.0)) == []
