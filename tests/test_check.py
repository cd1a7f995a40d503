"""`codex check`: each fault by its code, notes without a failing exit code."""

from __future__ import annotations

import pytest

from conftest import HEAD, Base


def codes(kb: Base) -> set[str]:
    return {p["code"] for p in kb.run("check", "--json").json}


def evidence(quote: str, start: int, source: str = "inbox/notes.md") -> dict[str, object]:
    return {"source": source, "source_sha256": "0" * 64, "quote": quote, "start": start, "end": start + len(quote)}


def test_a_claim_by_hand_is_a_note_only(kb: Base) -> None:
    kb.claim("a", "Cities raise the wages of workers")
    kb.run("distill")
    done = kb.run("check", "--json")
    assert (done.code, {p["code"] for p in done.json}) == (0, {"no-decision"})


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"confidence": None}, "missing-field"),
        ({"confidence": "sure"}, "schema"),
        ({"body": "See [[nowhere]]."}, "dead-link"),
        ({"evidence": [evidence("Large cities", 0)]}, "moved-quote"),
        ({"evidence": [evidence("Never said", 0)]}, "lost-quote"),
        ({"evidence": [evidence("Never said", 0, "inbox/gone.md")]}, "missing-source"),
    ],
)
def test_a_fault_has_its_code(kb: Base, more: dict[str, object], code: str) -> None:
    kb.source()
    kb.claim("a", "Cities raise the wages of workers", **more)
    assert kb.run("check").code == 1
    assert code in codes(kb)


def test_duplicates_ambiguous_links_and_a_stale_index(kb: Base) -> None:
    kb.claim("a", "Cities raise the wages of workers")
    kb.claim("b", "Cities raise the wages of workers", body="See [[cities raise the wages of workers]].")
    assert codes(kb) >= {"duplicate", "ambiguous-link", "stale-index"}


@pytest.mark.parametrize(
    "link", ["Tar-Is-Dear", "tar is dear in winter", "codex/boats/tar-is-dear.md", "tar-is-dear|tar"]
)
def test_a_link_names_a_stem_a_title_or_a_path(kb: Base, link: str) -> None:
    kb.claim("tar-is-dear", "Tar is dear in winter", domain="boats")
    kb.claim("a", "Cities raise the wages of workers", body=f"See [[{link}]].")
    assert not codes(kb) & {"dead-link", "ambiguous-link"}


def test_folders_that_are_not_there_and_files_without_a_type_are_said(kb: Base) -> None:
    kb.write("codex.toml", '[kb]\nclaims = ["codex", "gone"]\n')
    kb.write("codex/economics/old.md", "---\nconfidence: likely\n---\n\n# Old\n")
    done = kb.run("check", "--json")
    found = {p["code"]: p for p in done.json}
    assert (done.code, found["missing-folder"]["severity"], found["no-type"]["severity"]) == (1, "error", "note")


def test_a_misspelt_status_is_noted_with_what_may_be_meant(kb: Base) -> None:
    kb.source("a", head=HEAD.replace("unprocessed", "procesed"))
    kb.source("b", head=HEAD.replace("unprocessed", "archive"))
    done = kb.run("check", "--json")
    assert [(p["path"], p["line"], p["code"], p["hint"]) for p in done.json] == [
        ("inbox/a.md", 8, "unknown-status", "is processed meant?"),
        ("inbox/b.md", 8, "unknown-status", "the life cycle is unprocessed, processing, processed, null-result"),
    ]
    assert (done.code, kb.run("ingest", "inbox", "--json").json["sources"][0]["reason"]) == (0, "status procesed")


def test_a_finding_names_the_rule_that_settings_know_it_by(kb: Base) -> None:
    kb.claim("a", "Cities raise the wages of workers", confidence=None)
    assert "missing-field (schema): confidence is missing" in kb.run("check").out
    kb.write("codex.toml", '[check]\nschema = "off"\n')
    assert "missing-field" not in kb.run("check").out
