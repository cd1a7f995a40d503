"""Errors travel between processes whole."""

from __future__ import annotations

import pickle

import pytest

from codex_kb.errors import CodexError, Edited, ModelError, RefusedFile


@pytest.mark.parametrize(
    "error",
    [
        RefusedFile("not UTF-8", path="a.md", line=3, hint="save it"),
        ModelError("truncated", "cut off", hint="ask for less", tokens=(3, 4)),
        Edited("edited since", path="a.md", difference="-a\n+b", hint="look"),
    ],
)
def test_an_error_is_the_same_in_another_process(error: CodexError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (vars(again), str(again)) == (vars(error), str(error))
