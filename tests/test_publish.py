"""Names of claim files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_kb.review import publish


@given(st.text(max_size=300))
def test_a_slug_is_one_file_name(title: str) -> None:
    stem = publish.slug(title)
    assert stem
    assert len(stem.encode()) <= 160
    assert not set(stem) & set('/\\:*?"<>|\0 ._')


@pytest.mark.parametrize(("title", "stem"), [("It's 5% more", "its-5-more"), ("con", "claim-con"), ("!!!", "claim")])
def test_slugs(title: str, stem: str) -> None:
    assert publish.slug(title) == stem


def test_a_taken_stem_gets_a_number() -> None:
    assert publish.free_stem("Boats turn", {"boats-turn", "boats-turn-2"}) == "boats-turn-3"
