"""Links of a claim, both ways."""

from __future__ import annotations

from codex_kb.kb import KnowledgeBase
from codex_kb.workflow.links import links
from conftest import Base


def test_links_are_told_apart_by_their_direction(kb: Base) -> None:
    kb.claim("one", "Boats float", body="See [[two]] and [[one]] and [[nothing]].")
    kb.claim("two", "Boats sink", depends_on=["one"])
    kb.claim("three", "Boats turn", body="As [[one]] says.")
    kb.commit_all()
    opened = KnowledgeBase(kb.root)
    found = links(opened, "codex/economics/one.md")
    assert [each.title for each in found.to] == ["Boats sink"]
    assert [each.title for each in found.linking] == ["Boats turn"]
    assert [each.title for each in found.depending] == ["Boats sink"]
    assert links(opened, "codex/economics/none.md") == type(found)((), (), ())
