"""What is read from a knowledge base: every file once, nothing from outside, no record bent."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_kb.config import Ingest, Settings
from codex_kb.disk.serialise import decision_lines, packet_from_json, packet_to_json
from codex_kb.disk.store import Names, Store, heading
from codex_kb.errors import NotFound, RefusedFile, UsageError
from codex_kb.layout import Layout, find_root, source_name
from codex_kb.records import Decision, Evidence, Hit, Packet, Proposal

TEXT = st.text(max_size=20)
SHORT = st.lists(TEXT, max_size=2).map(tuple)
EVIDENCE = st.builds(Evidence, TEXT, TEXT, TEXT, st.integers(0, 9), st.integers(0, 9))
HIT = st.builds(Hit, TEXT, TEXT, st.floats(-1, 1))
PROPOSAL = st.builds(
    Proposal, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, st.lists(EVIDENCE, max_size=2).map(tuple),
    st.lists(HIT, max_size=2).map(tuple), TEXT, st.integers(0, 9), SHORT,
)  # fmt: skip
PACKET = st.builds(
    Packet, TEXT, TEXT, TEXT, TEXT, st.integers(0, 9), st.lists(PROPOSAL, max_size=2).map(tuple),
    st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    root = tmp_path / "kb"
    (root / "inbox").mkdir(parents=True)
    return Store(Layout(root), Settings(ingest=Ingest(max_bytes=100)))


def put(store: Store, *names: str) -> None:
    for name in names:
        path = store.layout.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"# x\n")


def listed(store: Store, *paths: str) -> list[str]:
    return [path for path, _ in store.markdown_files([store.layout.path(p) for p in paths])]


def test_every_markdown_file_is_listed_once_in_order(store: Store) -> None:
    put(store, "inbox/b.md", "inbox/a.MD", "inbox/sub/c.markdown", "inbox/notes.txt", "inbox/.hidden/x.md")
    wanted = ["inbox/a.MD", "inbox/b.md", "inbox/sub/c.markdown"]
    assert listed(store, "inbox") == wanted
    assert listed(store, "inbox", "inbox/b.md", "inbox/sub/../sub") == wanted


def test_a_named_path_must_exist_within_the_root(store: Store) -> None:
    with pytest.raises(NotFound):
        listed(store, "inbox/no.md")
    with pytest.raises(UsageError):
        listed(store, "../elsewhere")


@pytest.mark.parametrize(
    "name", ["😀.md", "\u202eeltit\u200f.md", "שלום.md", "x" * 252 + ".md", "new\nline.md", "a'\"b.md"]
)
def test_any_name_is_read(store: Store, name: str) -> None:
    put(store, f"inbox/{name}")
    assert listed(store, "inbox") == [f"inbox/{name}"]
    assert store.read_bytes(f"inbox/{name}") == b"# x\n"


@pytest.mark.skipif(sys.platform == "darwin", reason="names are UTF-8 there")
def test_a_name_that_is_not_utf8_is_refused_by_name(store: Store) -> None:
    put(store, "inbox/a.md")
    with open(os.fsencode(store.layout.path("inbox")) + b"/bad\xff.md", "wb"):
        pass
    found = dict(store.markdown_files([store.layout.path("inbox")]))
    refused = [error for error in found.values() if error]
    assert len(found) == 2
    assert len(refused) == 1
    assert "UTF-8" in refused[0].message
    str(refused[0]).encode()


def test_a_folder_that_is_named_like_a_file_is_walked(store: Store) -> None:
    put(store, "inbox/folder.md/a.md")
    assert listed(store, "inbox") == ["inbox/folder.md/a.md"]
    with pytest.raises(RefusedFile):
        store.read_bytes("inbox/folder.md")


def test_a_pipe_is_refused_without_waiting(store: Store) -> None:
    os.mkfifo(store.layout.path("inbox/pipe.md"))
    assert listed(store, "inbox") == ["inbox/pipe.md"]
    with pytest.raises(RefusedFile, match="not a regular file"):
        store.read_bytes("inbox/pipe.md")


def test_links_within_the_root_are_read_and_links_out_of_it_refused(store: Store, tmp_path: Path) -> None:
    put(store, "inbox/a.md")
    (tmp_path / "secret.md").write_bytes(b"secret")
    (tmp_path / "folder").mkdir()
    for name, target in {
        "in.md": "a.md", "out.md": "../../secret.md", "lost.md": "nothing", "loop.md": "loop.md", "up": "../../folder",
    }.items():  # fmt: skip
        store.layout.path(f"inbox/{name}").symlink_to(target)
    assert store.read_bytes("inbox/in.md") == b"# x\n"
    for name, reason in {"out.md": "leaves", "lost.md": "nothing", "loop.md": "cannot be read"}.items():
        with pytest.raises(RefusedFile, match=reason) as caught:
            store.read_bytes(f"inbox/{name}")
        assert caught.value.path == f"inbox/{name}"
        assert caught.value.hint
    assert len(listed(store, "inbox")) == 5


def test_limits_of_size(store: Store) -> None:
    store.layout.path("inbox/empty.md").write_bytes(b"")
    store.layout.path("inbox/full.md").write_bytes(b"x" * 100)
    store.layout.path("inbox/big.md").write_bytes(b"x" * 101)
    assert store.read_bytes("inbox/empty.md") == b""
    assert store.source("inbox/empty.md").title == "empty"
    assert len(store.read_bytes("inbox/full.md")) == 100
    with pytest.raises(RefusedFile, match="more than the limit"):
        store.read_bytes("inbox/big.md")
    with pytest.raises(NotFound):
        store.read_bytes("inbox/no.md")


def test_packets_are_no_sources_and_decisions_and_maps_no_claims(store: Store) -> None:
    put(store, "inbox/a.md", "inbox/proposals/a.md", "codex/x/c.md", "codex/x/_map.md", "codex/decisions/d.md")
    assert store.source_paths() == ["inbox/a.md"]
    assert store.claim_paths() == ["codex/x/c.md"]


def test_the_root_is_the_nearest_folder_upward(tmp_path: Path) -> None:
    (tmp_path / "kb" / "a" / "b").mkdir(parents=True)
    with pytest.raises(NotFound):
        find_root(str(tmp_path / "kb"), tmp_path)
    (tmp_path / "kb" / "codex.toml").touch()
    assert find_root(None, tmp_path / "kb" / "a" / "b") == tmp_path / "kb"
    assert find_root(str(tmp_path / "kb"), tmp_path) == tmp_path / "kb"


def test_names_of_sources_are_cut_and_told_apart() -> None:
    assert source_name("inbox/a.md", ()) == "a"
    assert source_name("inbox/A.md", {"a"}) != source_name("inbox/x/A.md", {"a"})
    assert source_name("inbox/A.md", {"a"}).startswith("A-")
    assert source_name("inbox/how-to-review.md", ()).startswith("how-to-review-")  # that file is for reviewers
    long = source_name("inbox/" + "é" * 60 + ".md", ())
    assert long.startswith("é" * 40 + "-")
    assert len(long.encode()) == 80 + 9
    assert source_name("inbox/" + "x" * 80 + ".md", ()) == "x" * 80


def test_a_source_keeps_the_name_that_it_has(store: Store) -> None:
    put(store, "inbox/a.md", "inbox/x/a.md")
    assert Names(store.source_paths(), [("inbox/a.md", "a")]).of("inbox/a.md") == "a"
    assert Names(store.source_paths(), [("inbox/a.md", "a")]).of("inbox/x/a.md").startswith("a-")


def decision(number: int, time: str) -> Decision:
    return Decision(
        f"id{number}", time, "Ada <a@b>", "rejected", "vague\u2028", "ü", {}, None, "inbox/a.md", "", "p", 0
    )


def write_decisions(store: Store, name: str, rows: Sequence[Decision], rest: bytes = b"") -> None:
    path = store.layout.path(f"codex/decisions/{name}.jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(decision_lines(rows) + rest)


def test_decisions_are_read_in_the_order_of_time_each_once(store: Store) -> None:
    first, second, third = (decision(n, f"2026-01-0{n}") for n in (1, 2, 3))
    write_decisions(store, "b", [third, first])
    write_decisions(store, "a", [second, second])
    assert store.decisions() == ([first, second, third], [])


@pytest.mark.parametrize(
    "bad", [b"<<<<<<< HEAD", b"{}", b"[]", b"3", b"null", b'{"id": 1', b"\xff", b'{"id": "x", "more": 1}']
)
def test_a_bad_line_is_named_and_the_others_are_read(store: Store, bad: bytes) -> None:
    row = decision(1, "2026-01-01")
    write_decisions(store, "a", [row], b"\n" + bad + b"\n")
    found, problems = store.decisions()
    assert found == [row]
    assert [(p.path, p.line) for p in problems] == [("codex/decisions/a.jsonl", 3)]


@given(PACKET)
def test_a_packet_comes_back_from_its_record(packet: Packet) -> None:
    assert packet_from_json(packet_to_json(packet), packet.name) == packet


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"3", b"\xff", b'{"proposals": 3, "held": []}', b'{"proposals": [], "held": []}']
)
def test_a_record_that_is_none_is_refused(store: Store, data: bytes) -> None:
    put(store, "inbox/proposals/a.json")
    store.layout.path("inbox/proposals/a.json").write_bytes(data)
    with pytest.raises(RefusedFile) as caught:
        store.packets()
    assert caught.value.path == "inbox/proposals/a.json"


def test_records_are_readable_json() -> None:
    data = packet_to_json(Packet("n", "inbox/ü.md", "", "p", 0, ()))
    assert "ü" in data.decode()
    assert json.loads(data)["source"] == "inbox/ü.md"


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("# One\n# Two", "One"),
        ("text\n\n# One ##\n", "One"),
        ("```\n# code\n```\n# One", "One"),
        ("## Two", ""),
        ("", ""),
    ],
)
def test_the_title_is_the_first_heading_outside_of_code(body: str, title: str) -> None:
    assert heading(body) == title
