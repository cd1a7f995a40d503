"""A knowledge base as an Obsidian vault: its file names, links and rewritten properties (docs/obsidian.md)."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from codex_kb.review.publish import slug
from conftest import SENTENCES, Base

FORBIDDEN = set('[]#^|\\/:*?"<>')


@given(st.text(max_size=80))
def test_a_claims_file_has_a_name_that_obsidian_can_link_to(title: str) -> None:
    stem = slug(title)
    assert not FORBIDDEN & set(stem)
    assert not stem.startswith(".")
    assert stem == stem.strip(" .")


def rewritten(kb: Base, path: str, **more: Any) -> None:
    """The frontmatter as a program writes it that knows YAML and no style of ours."""
    _, head, body = kb.read(path).split("---\n", 2)
    fields = yaml.load(head, Loader=yaml.BaseLoader) | more
    for each in fields.get("evidence", []):
        each |= {"start": int(each["start"]), "end": int(each["end"])}
    kb.write(path, f"---\n{yaml.safe_dump(fields, allow_unicode=True, sort_keys=False, width=60)}---\n{body}")


def test_properties_that_obsidian_wrote_anew_say_the_same(kb: Base) -> None:
    first, second, _ = kb.ingest()
    assert kb.run("review", "--approve", first["id"], "--approve", second["id"]).code == 0
    claims = kb.claims()
    before = [kb.run("show", path, "--json").json for path in claims]
    for path in claims:
        rewritten(kb, path, tags=["towns"], cssclasses=["wide"])
    kb.commit_all()
    for path, was in zip(claims, before, strict=True):
        now = kb.run("show", path, "--json").json
        assert now["quotes"] == was["quotes"]
        assert now["claim"]["title"] == was["claim"]["title"]
    found = kb.run("check", "--json").json
    assert [row for row in found if row.get("severity", "error") == "error" and "codex/" in row["path"]] == []
    assert kb.run("search", "markets", "--tag", "towns", "--json").json


def test_links_as_obsidian_writes_them_are_followed(kb: Base) -> None:
    kb.claim("wide-boats", "Wide boats turn slowly")
    links = ("[[wide-boats|Wide boats]]", "[[wide-boats#Evidence]]", "[[codex/economics/wide-boats]]", "[[Wide-Boats]]")
    kb.claim("tar", "Tar is dear", body="\n".join(links))
    assert [row for row in kb.run("check", "--json").json if row["code"] == "dead-link"] == []


def test_a_clipped_page_is_a_source_and_the_vaults_own_folders_are_none(kb: Base) -> None:
    kb.write("codex.toml", '[fields]\nurl = "source"\ndate = "published"\n')
    head = ('---\ntitle: "Notes: on towns"\nsource: "https://example.org/a"\nauthor:\n  - "[[Ann Archer]]"\n'
            "published: 2026-03-01\ncreated: 2026-03-02\ntags:\n  - clippings\n---\n")  # fmt: skip
    written = head + "\n\n".join(SENTENCES) + "\n"
    kb.write("inbox/Notes on towns.md", written)
    kb.write(".obsidian/workspace.json", "{}")
    kb.write("inbox/.trash/old.md", "Prediction markets aggregate information better than committees do.")
    rows = kb.run("ingest", "inbox", "--json").json["sources"]
    assert [row["path"] for row in rows if row["status"] == "proposed"] == ["inbox/Notes on towns.md"]
    after = kb.read("inbox/Notes on towns.md")
    assert "status: processing\n" in after
    assert after.replace("status: processing\n", "") == written
