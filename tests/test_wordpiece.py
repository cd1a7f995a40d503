"""Word pieces: the numbers that Hugging Face's tokenizers gives, in every script and for any input."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from codex_kb.encoders import weights
from codex_kb.encoders.wordpiece import WordPiece
from codex_kb.errors import UsageError

FOLDER = weights.embedded()
LIMIT = 256
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "##b", "É", "é", "e"]
CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "cases" / "tokens.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
DENSE = (range(0x3400), range(0xA000, 0xAC00), range(0xF900, 0x12000), range(0x16A00, 0x17000), range(0x1BC00, 0x1F000))
#: What texts are made of where one character alone would seldom meet another of its kind.
PIECES = ["[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "[", "]", "##", "##s", " ", "\t", "'", "x" * 100, "é" * 101,
          "\u0301", "\u0328", "\u200d", "\xad", "\x00", "\ufffd", "深", "각", "ﬁ", "İ", "Σ", "un",
          "believable"]  # fmt: skip


@cache
def reference() -> Tokenizer:
    """Hugging Face's tokenizer of the embedded model; it cuts nothing off."""
    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


@cache
def ours() -> WordPiece:
    """Our tokenizer of the same folder."""
    return WordPiece.load(FOLDER)


def wanted(text: str) -> list[int]:
    """The reference's numbers, cut as the model's folder says."""
    found = list(reference().encode(text).ids)
    return found if len(found) <= LIMIT else [*found[: LIMIT - 1], found[-1]]


def folder(path: Path, **settings_: object) -> Path:
    """A model's folder with a small vocabulary and nothing else."""
    (path / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    (path / "tokenizer_config.json").write_text(json.dumps(settings_))
    return path


@pytest.mark.parametrize("text", CASES, ids=ascii)
def test_every_script_gives_the_reference_numbers(text: str) -> None:
    assert ours().encode(text) == wanted(text)


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=300)
def test_any_text_gives_the_reference_numbers(text: str) -> None:
    assert ours().encode(text) == wanted(text)


@given(st.lists(st.sampled_from(PIECES) | st.characters(exclude_categories=["Cs"]), max_size=40).map("".join))
@settings(deadline=None, max_examples=300)
def test_marks_and_pieces_in_any_order_give_the_reference_numbers(text: str) -> None:
    assert ours().encode(text) == wanted(text)


def blocks() -> Iterator[list[str]]:
    """Code points that are no surrogates, in lists of 500: all where marks and signs are, few of the vast blocks."""
    points = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if any(code in part for part in DENSE) or (code % 97 == 0 and not 0xD800 <= code < 0xE000)
    ]
    return (points[i : i + 500] for i in range(0, len(points), 500))


@pytest.mark.skipif(unicodedata.unidata_version > "14.0.0", reason="a later Unicode has marks the reference lacks")
@pytest.mark.parametrize("form", ["{0}", "x{0}y", "a\u0301{0}b"])
def test_code_points_give_the_reference_numbers(form: str) -> None:
    tokenizer = WordPiece.load(FOLDER)
    tokenizer.limit = 10_000
    for points in blocks():
        text = " ".join(form.format(point) for point in points)
        if tokenizer.encode(text) != reference().encode(text).ids:
            bad = [p for p in points if ours().encode(form.format(p)) != wanted(form.format(p))]
            pytest.fail(f"{form}: {[hex(ord(p)) for p in bad]}")


@pytest.mark.parametrize("words", [LIMIT - 3, LIMIT - 2, LIMIT - 1, 1000])
def test_a_long_text_is_cut_and_keeps_its_end_mark(words: int) -> None:
    text = "boats " * words
    found = ours().encode(text)
    assert found == wanted(text)
    assert len(found) == min(words + 2, LIMIT)


@pytest.mark.parametrize("length", [99, 100, 101, 200])
@pytest.mark.parametrize("char", ["a", "é", "\U0001d538", "a\u0301"])
def test_a_word_of_more_than_100_characters_is_unknown(char: str, length: int) -> None:
    assert ours().encode(char * length) == wanted(char * length)


def test_a_fresh_tokenizer_gives_what_a_used_one_gives() -> None:
    assert [WordPiece.load(FOLDER).encode(text) for text in CASES] == [ours().encode(text) for text in CASES]


@pytest.mark.parametrize(
    "text",
    ["a" * 100_000, "a" + "\u0301" * 200_000, "[" * 100_000, "深" * 100_000, "[CLS]" * 100_000,
     " ".join(chr(0x10000 + i) * 100 for i in range(1000)), "\u200b" * 200_000],
    ids=["no space", "combining marks", "brackets", "ideographs", "marks", "unknown words", "dropped"],
)  # fmt: skip
def test_hostile_texts_give_the_reference_numbers(text: str) -> None:
    assert WordPiece.load(FOLDER).encode(text) == wanted(text)


def test_a_lone_surrogate_is_dropped() -> None:
    assert ours().encode("bo\ud800ats") == ours().encode("boats")


@pytest.mark.parametrize(("lower", "numbers"), [(True, [2, 9, 9, 4, 6, 3]), (False, [2, 7, 8, 1, 3])])
def test_case_and_accents_stand_where_the_folder_says_so(tmp_path: Path, lower: bool, numbers: list[int]) -> None:
    assert WordPiece.load(folder(tmp_path, do_lower_case=lower)).encode("É é Ab") == numbers


def test_the_limit_is_the_folder_s(tmp_path: Path) -> None:
    assert WordPiece.load(folder(tmp_path)).limit == 512
    assert WordPiece.load(folder(tmp_path, model_max_length=128)).limit == 128
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 4}')
    assert WordPiece.load(tmp_path).encode("a b a b") == [2, 4, 5, 3]


@pytest.mark.parametrize("damage", [None, b"", b"a\nb\n", b"\xff\xfe\n"])
def test_a_missing_or_foreign_vocabulary_is_refused(tmp_path: Path, damage: bytes | None) -> None:
    path = folder(tmp_path) / "vocab.txt"
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(UsageError) as caught:
        WordPiece.load(tmp_path)
    assert caught.value.path == str(path)
    assert caught.value.hint
