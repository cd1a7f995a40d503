"""What people recorded against a claim."""

from __future__ import annotations

from typing import Any

import pytest

from codex_kb.records import Claim
from codex_kb.review.challenges import challenges


def claim(body: str, **fields: Any) -> Claim:
    return Claim("codex/a/b.md", fields, body, "T", "a", "", "likely")


@pytest.mark.parametrize(("named", "found"), [
    (None, ()), ([], ()), ("a pilot", ("a pilot",)), (["[[notes]]", 7], ("[[notes]]", "7")),
])  # fmt: skip
def test_who_is_named(named: Any, found: tuple[str, ...]) -> None:
    assert challenges(claim("# T\n", challenged_by=named)) == found


def test_sections_end_where_the_next_one_of_their_depth_begins() -> None:
    body = (
        "# T\n\nIt is so.\n\n## Challenges\n\nIt is not.\n\n### More\n\nNever.\n\n## Evidence\n\nYes.\n\n"
        "### Additional Evidence (challenge)\n*Source: [[n]]*\n\n> No.\n\n### Additional Evidence (extend)\n\n> Yes.\n"
        "\n---\n\nRelevant Notes:\n- [[x]]\n"
    )
    assert challenges(claim(body)) == ("It is not.\n\n### More\n\nNever.", "*Source: [[n]]*\n\n> No.")


def test_code_has_no_headings() -> None:
    assert challenges(claim("# T\n\n```\n## Challenges\nno\n```\n")) == ()
