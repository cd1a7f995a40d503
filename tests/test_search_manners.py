"""What a person expects of a search: titles first, nothing twice, filters that explain themselves, paths that open."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from codex_kb.index.catalog import Card, Catalog
from conftest import Base

TITLE = "Wide boats turn slowly in narrow harbours"


def filled(kb: Base) -> None:
    kb.claim("a", TITLE, "It is so", "ships", body="Boats of a certain width take long to turn.")
    kb.claim("b", "Keels matter", TITLE, "ships", body=f"{TITLE}. {TITLE}. Wide boats, narrow harbours, slow turns.")
    kb.claim("c", "Tar is dear in winter", "Prices rise", "energie", body="Tar costs more in winter.")
    assert kb.run("distill").code == 0


def test_an_exact_title_is_first(kb: Base) -> None:
    filled(kb)
    for mode in ("hybrid", "lexical", "dense"):
        found = kb.run("search", TITLE.lower(), "--mode", mode, "--json").json
        assert found[0]["path"] == "codex/ships/a.md", mode
        assert found[0]["score"] >= found[1]["score"]


def test_files_that_say_the_same_are_one_hit(kb: Base) -> None:
    filled(kb)
    kb.claim("d", "Tar is dear in winter", "Prices rise", "towns", body="Tar costs more in winter.")
    found = kb.run("search", "tar in winter", "--json").json
    assert [hit["title"] for hit in found].count("Tar is dear in winter") == 1
    assert len(kb.run("search", "tar in winter", "-k", "2", "--json").json) == 2


def test_one_claim_in_two_files_does_not_have_every_hit_looked_up_again(
    kb: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [f"word{number}" for number in range(40)]
    for number in range(40):
        kb.claim(f"c{number}", f"Wide boats turn slowly {' '.join(words[:number])}")
    kb.write("codex/economics/copy.md", (kb.root / "codex/economics/c0.md").read_text())
    asked: list[int] = []
    cards = Catalog.cards

    def counted(catalog: Catalog, ids: Sequence[int]) -> dict[int, Card]:
        asked.append(len(ids))
        return cards(catalog, ids)

    monkeypatch.setattr(Catalog, "cards", counted)
    found = kb.run("search", "boats turn slowly", "-k", "5", "--json").json
    assert len({hit["title"] for hit in found}) == len(found) == 5
    assert len(asked) < 5


def test_in_a_batch_each_file_counts_though_it_says_what_another_says(kb: Base) -> None:
    filled(kb)
    kb.claim("d", "Tar is dear in winter", "Prices rise", "towns", body="Tar costs more in winter.")
    answer = json.loads(kb.run("search", "--batch", "-", stdin="tar in winter\n").out)
    assert {"codex/energie/c.md", "codex/towns/d.md"} == {hit["path"] for hit in answer["hits"][:2]}


def test_a_word_that_all_claims_have_is_found(kb: Base) -> None:
    for name in ("oak", "elm", "ash"):
        kb.claim(name, f"Boats of {name} last", "It is so", "ships", body=f"The {name} is hard.")
    found = kb.run("search", "boats", "--mode", "lexical", "--json").json
    assert len(found) == 3
    assert all(hit["score"] > 0.01 for hit in found)


def test_a_question_that_only_the_title_answers_is_near(kb: Base) -> None:
    filled(kb)
    kb.claim("d", "Moss grows on north walls", "It is so", "towns", body="Ships sail. Keels are heavy.\n" * 9)
    hit = kb.run("search", "Moss grows on north walls. It is so", "--mode", "dense", "--json").json[0]
    assert hit["path"] == "codex/towns/d.md"
    assert hit["score"] > 0.99


def test_a_filter_that_nothing_has_names_what_there_is(kb: Base) -> None:
    filled(kb)
    done = kb.run("search", "tar", "--domain", "energy")
    assert (done.code, done.out) == (0, "")
    assert "no claim has the domain energy; there are: energie, ships" in done.err


def test_without_claims_it_names_what_comes_before_one(kb: Base) -> None:
    assert kb.run("search", "tar").err.strip() == "no claims yet. next: codex ingest inbox/, then codex review"
    kb.ingest()
    done = kb.run("search", "tar")
    assert (done.code, done.err.strip()) == (0, "no claims yet. next: codex review")


def test_related_says_how_many_it_lists_and_what_scores_are_for(kb: Base) -> None:
    told = " ".join(kb.run("related", "--help").out.split())
    assert "as many as -k says" in told
    assert "scores only compare" in told


def test_paths_open_from_where_one_stands(kb: Base) -> None:
    filled(kb)
    below = kb.path("codex/energie")
    shown = next(part for part in kb.run("search", "tar", "-k", "1", cwd=below).out.split() if part.endswith(".md"))
    assert (below / shown).is_file()


def test_a_misspelt_command_is_answered_with_the_near_one(kb: Base) -> None:
    done = kb.run("serach", "tar")
    assert done.code == 2
    assert "did you mean search?" in done.err


def test_a_retired_claim_says_so_and_a_moved_one_keeps_its_decision(kb: Base) -> None:
    kb.ingest()
    kb.mark("x", count=1)
    assert kb.run("review", "--apply").code == 0
    [path] = kb.claims()
    kb.git("mv", path, "codex/economics/elsewhere.md")
    kb.edit("type: claim\n", "type: claim\nstatus: retired\n", "codex/economics/elsewhere.md")
    shown = kb.run("show", "elsewhere").out
    assert "status: retired" in shown
    assert "approved by Rita Reviewer" in shown


def test_status_names_the_folder_of_sources(kb: Base) -> None:
    kb.write("codex.toml", '[kb]\nsources = ["archive"]\n')
    kb.write("archive/a.md", "---\ntype: source\ntitle: A\nauthor: B\nurl: c\ndate: 2026\ndomain: d\n---\n\nText.\n")
    assert "next: codex ingest archive/" in kb.run("status").out


def test_what_stands_around_a_quote_is_no_part_of_the_claim(kb: Base) -> None:
    body = "> Tar is dear.\n\nIn its context:\n\n> Tar is dear. Zeppelins are cheap.\n> Ropes rot.\n\nSo it is."
    kb.claim("a", "Tar is dear in winter", body=body)
    kb.run("distill")
    assert kb.run("search", "zeppelins", "--mode", "lexical", "--json").json == []
    (hit,) = kb.run("search", "what is its context", "--json").json
    assert "In its context" not in hit["snippet"]


def paths(kb: Base, *options: str) -> list[str]:
    found = kb.run("search", "boats in harbours", *options, "--json")
    assert found.code == 0, found.err
    return sorted(hit["path"].rpartition("/")[2] for hit in found.json)


def test_hits_are_limited_by_source_author_date_tag_and_who_approved(kb: Base) -> None:
    evidence = [{"source": "inbox/harbour-notes.md", "source_sha256": "0" * 64, "quote": "x", "start": 0, "end": 1}]
    kb.claim("a", "Boats are wide", evidence=evidence, created="2026-03-05", tags=["Sea", "trade"])
    kb.claim("b", "Boats are narrow", source="Ölaf Archer, Harbours (2020)", created="2025-12-31", tags="sea-side, tar")
    kb.claim("c", "Boats are old", created="2026-04-01", attribution={
        "sourcer": [{"handle": "Ann Archer", "context": "x"}], "reviewer": [{"handle": "Rita <r@example.org>"}],
    })  # fmt: skip
    assert paths(kb, "--source", "harbour-notes") == ["a.md"]
    assert paths(kb, "--source", "HARBOURS (2020") == ["b.md"]
    assert paths(kb, "--author", "archer") == ["b.md", "c.md"]
    assert paths(kb, "--author", "ölaf") == paths(kb, "--author", "ÖLAF") == ["b.md"]
    assert paths(kb, "--tag", "sea") == ["a.md", "b.md"]
    assert paths(kb, "--tag", "sea", "--since", "2026") == ["a.md"]
    assert paths(kb, "--by", "rita") == ["c.md"]
    assert paths(kb, "--since", "2026-03", "--until", "2026-03") == ["a.md"]
    assert paths(kb, "--until", "2026-03-04") == ["b.md"]
    assert paths(kb, "--by", "nobody") == []
    wrong = kb.run("search", "boats", "--since", "yesterday")
    assert (wrong.code, "yesterday is no date" in wrong.err) == (2, True)


def test_what_a_claim_says_of_itself_now_counts(kb: Base) -> None:
    kb.claim("a", "Boats are wide", tags=["sea"])
    assert paths(kb, "--tag", "sea") == ["a.md"]
    kb.claim("a", "Boats are wide", tags=["river"])
    assert (paths(kb, "--tag", "sea"), paths(kb, "--tag", "river")) == ([], ["a.md"])


def test_a_hit_says_in_which_line_it_speaks_of_what_was_asked(kb: Base) -> None:
    kb.claim("a", "Boats are wide", body="Much else is said first.\n\nTar is\ndear in *winter* alone.\n")
    kb.claim("b", "Tar is black", description="")
    lines = kb.read("codex/economics/a.md").split("\n")
    by_path = {hit["path"]: hit["line"] for hit in kb.run("search", "tar in winter", "--json").json}
    assert lines[by_path["codex/economics/a.md"] - 1] == "Tar is"
    assert kb.read("codex/economics/b.md").split("\n")[by_path["codex/economics/b.md"] - 1] == "# Tar is black"
    for row in kb.run("search", "tar in winter", "--format", "vimgrep").out.splitlines():
        path, line, column, title = row.split(":", 3)
        assert (by_path[path], column, bool(title)) == (int(line), "1", True)
    both = kb.run("search", "tar", "--format", "vimgrep", "--json")
    assert (both.code, "--json is a format of its own" in both.err) == (2, True)
