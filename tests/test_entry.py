"""A claim's entry in the committed index: small, whole, and never taken for another."""

from __future__ import annotations

import base64
import dataclasses
import json

import numpy as np
import pytest

from codex_kb.index import entry
from codex_kb.index.entry import Texts
from codex_kb.records import Claim

CLAIM = Claim("codex/a/b.md", {}, "# Boats\n\nWide boats turn slowly. " * 3, "Boats", "ships", "They turn", "likely")
KEY = entry.key_of("model@1", entry.texts_of(CLAIM))


def rows(count: int, dimension: int = 384) -> np.ndarray:
    matrix = np.random.default_rng(5).normal(size=(count, dimension)).astype(np.float32)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def test_half_precision_loses_less_than_a_thousandth() -> None:
    vectors = rows(4)
    data = entry.dump_entry(KEY, vectors)
    found = entry.load_entry(data, KEY)
    mean = vectors[1:].mean(axis=0)
    questions = rows(50)
    assert np.abs(questions @ found.title - questions @ vectors[0]).max() < 1e-3
    assert np.abs(questions @ found.body - questions @ (mean / np.linalg.norm(mean))).max() < 1e-3
    assert np.linalg.norm(found.whole) == pytest.approx(1, abs=1e-6)
    assert len(data) < 2_500


def test_a_claim_without_a_body_stands_by_its_title() -> None:
    found = entry.load_entry(entry.dump_entry(KEY, rows(1)), KEY)
    assert np.linalg.norm(found.body) == 0
    assert np.allclose(found.whole, found.title, atol=1e-6)


def test_no_altered_entry_is_read() -> None:
    data = entry.dump_entry(KEY, rows(3, 16))
    good = entry.load_entry(data, KEY)
    for place in range(len(data)):
        for byte in (data[place] ^ 1, 0x20, 0x41):
            try:
                found = entry.load_entry(data[:place] + bytes([byte]) + data[place + 1 :], KEY)
            except ValueError:
                continue
            assert np.array_equal(found.title, good.title), place
            assert np.array_equal(found.body, good.body), place


def test_a_cut_or_foreign_entry_is_refused() -> None:
    data = entry.dump_entry(KEY, rows(2))
    for wrong in (b"", b"\n", b"[]\n", b"{}\n", b"null", data[: len(data) // 2], data[:-20], b"\xff" + data):
        with pytest.raises(ValueError, match="not "):
            entry.load_entry(wrong, KEY)
    with pytest.raises(ValueError, match="not the entry"):
        entry.load_entry(data, "0" * 64)
    value = json.loads(data) | {"title": base64.b64encode(b"1234").decode()}
    with pytest.raises(ValueError, match="not the entry"):
        entry.load_entry(json.dumps(value).encode(), KEY)


def test_of_two_merged_lines_the_first_counts() -> None:
    data = entry.dump_entry(KEY, rows(2))
    assert np.array_equal(entry.load_entry(data + data, KEY).title, entry.load_entry(data, KEY).title)


def test_a_key_is_of_the_model_and_of_every_text() -> None:
    changes = [{"title": "Ships"}, {"description": "They sink"}, {"body": "# Boats\n\nTar is dear."}]
    keys = {entry.key_of("model@1", entry.texts_of(dataclasses.replace(CLAIM, **change))) for change in changes}
    keys |= {KEY, entry.key_of("model@2", entry.texts_of(CLAIM))}
    assert len(keys) == 5
    moved = dataclasses.replace(CLAIM, path="codex/z.md", confidence="proven", domain="other")
    assert entry.key_of("model@1", entry.texts_of(moved)) == KEY
    assert entry.entry_key(entry.entry_path("codex/index", KEY)) == KEY
    assert entry.key_of("m", Texts("a", ("b", "c"))) != entry.key_of("m", Texts("a", ("b c",)))
