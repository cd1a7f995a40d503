"""Transactions: all of the files or none, nobody else's edits lost, one run at a time."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codex_kb.disk import gate
from codex_kb.disk.clone import own_id
from codex_kb.disk.journal import Commit, Entry, Journal, dump
from codex_kb.disk.transaction import Change, Transactions, locked, write_file
from codex_kb.errors import Conflict, RefusedFile, WriteFailed

HOLD = """
import sys, time
from pathlib import Path
from codex_kb.disk.transaction import locked
with locked(Path(sys.argv[1]), "distill", 0):
    print("held", flush=True)
    time.sleep(60)
"""


def files(root: Path) -> dict[str, bytes]:
    """Everything below the root but the local state."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".codex-kb" not in path.parts
    }


def temporary(root: Path) -> list[Path]:
    return list(root.rglob(".codex-*.tmp"))


def cut_off(root: Path, changes: list[Change], commit: Commit | None = None) -> Transactions:
    """Transactions whose last run was killed right after its journal was written."""
    transactions = Transactions(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Transactions, "_write", interrupt)
        with pytest.raises(KeyboardInterrupt):
            transactions.run(changes, commit)
    assert transactions.unfinished()
    return transactions


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_writes_replaces_and_deletes_in_one_go(tmp_path: Path) -> None:
    (tmp_path / "old.md").write_bytes(b"old")
    (tmp_path / "gone.md").write_bytes(b"gone")
    transactions = Transactions(tmp_path)
    changes = [Change("a/b/new.md", None, b"new"), Change("old.md", b"old", b"newer"), Change("gone.md", b"gone", None)]
    transactions.run(changes, None)
    assert files(tmp_path) == {"a/b/new.md": b"new", "old.md": b"newer"}
    assert transactions.unfinished()
    transactions.finish()
    assert not transactions.unfinished()
    assert not temporary(tmp_path)


@pytest.mark.parametrize("before", [None, b"as it was read"])
def test_a_file_that_is_not_as_it_was_read_stops_everything(tmp_path: Path, before: bytes | None) -> None:
    (tmp_path / "b.md").write_bytes(b"somebody else's")
    with pytest.raises(Conflict) as caught:
        Transactions(tmp_path).run([Change("a.md", None, b"a"), Change("b.md", before, b"b")], None)
    assert caught.value.path == "b.md"
    assert caught.value.hint
    assert files(tmp_path) == {"b.md": b"somebody else's"}
    assert not Transactions(tmp_path).unfinished()


def test_a_file_deleted_since_it_was_read_stops_everything(tmp_path: Path) -> None:
    with pytest.raises(Conflict):
        Transactions(tmp_path).run([Change("b.md", b"read", b"b")], None)
    assert files(tmp_path) == {}


def test_where_a_folder_cannot_be_made_everything_is_undone(tmp_path: Path) -> None:
    (tmp_path / "kept.md").write_bytes(b"kept")
    (tmp_path / "file").write_bytes(b"not a folder")
    before = files(tmp_path)
    changes = [
        Change("kept.md", b"kept", b"changed"),
        Change("new/folder/a.md", None, b"a"),
        Change("file/b.md", None, b"b"),
    ]
    with pytest.raises(WriteFailed) as caught:
        Transactions(tmp_path).run(changes, None)
    assert caught.value.hint
    assert files(tmp_path) == before
    assert not temporary(tmp_path)
    assert not Transactions(tmp_path).unfinished()


@pytest.mark.parametrize("function", ["replace", "fsync"])
@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_a_full_disk_at_any_write_undoes_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, number: int
) -> None:
    """Local state takes the first two writes, then three files; the disk has room again for putting back."""
    (tmp_path / "a.md").write_bytes(b"a")
    (tmp_path / "b.md").write_bytes(b"b")
    before = files(tmp_path)
    real = getattr(os, function)
    calls = 0

    def full(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args, **kwargs)

    monkeypatch.setattr(os, function, full)
    with pytest.raises(WriteFailed) as caught:
        Transactions(tmp_path).run(
            [Change("a.md", b"a", b"A"), Change("b.md", b"b", b"B"), Change("c.md", None, b"C")], None
        )
    assert "make room" in caught.value.hint
    assert files(tmp_path) == before
    assert not temporary(tmp_path)
    assert not Transactions(tmp_path).unfinished()


def test_where_undoing_fails_too_the_next_run_finishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.md").write_bytes(b"a")
    transactions = Transactions(tmp_path)
    real = os.replace
    targets: list[str] = []

    def refuse_after_first(source: Any, target: Any) -> None:
        targets.append(Path(target).name)
        if targets.count("a.md") and len(targets) > targets.index("a.md") + 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse_after_first)
        with pytest.raises(WriteFailed):
            transactions.run([Change("a.md", b"a", b"A"), Change("b.md", None, b"B")], None)
    assert transactions.unfinished()
    assert transactions.recover(transactions.pending()) == []
    assert files(tmp_path) == {"a.md": b"A", "b.md": b"B"}


def test_recovery_finishes_what_was_cut_off_and_says_what_git_must_hear(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"a")
    (tmp_path / "gone.md").write_bytes(b"gone")
    commit = Commit("add a claim\n\nwith an ü", ("a.md", "b c.md"), "extract/x")
    transactions = cut_off(
        tmp_path,
        [Change("a.md", b"a", b"A\xff"), Change("b c.md", None, b""), Change("gone.md", b"gone", None)],
        commit,
    )
    assert files(tmp_path) == {"a.md": b"a", "gone.md": b"gone"}
    assert transactions.pending().commit == commit
    assert transactions.recover(transactions.pending()) == []
    assert files(tmp_path) == {"a.md": b"A\xff", "b c.md": b""}


def test_recovery_may_be_done_twice(tmp_path: Path) -> None:
    transactions = cut_off(tmp_path, [Change("a.md", None, b"A")])
    transactions.recover(transactions.pending())
    assert transactions.recover(transactions.pending()) == []
    assert files(tmp_path) == {"a.md": b"A"}


def test_a_file_that_a_person_changed_meanwhile_stands_and_ours_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.md").write_bytes(b"a")
    transactions = cut_off(tmp_path, [Change("x/a.md", b"a", b"ours"), Change("b.md", None, b"b")])
    (tmp_path / "x" / "a.md").write_bytes(b"theirs")
    assert transactions.recover(transactions.pending()) == ["x/a.md"]
    assert files(tmp_path) == {"x/a.md": b"theirs", "b.md": b"b"}
    assert (tmp_path / ".codex-kb" / "conflicts" / "x" / "a.md").read_bytes() == b"ours"


def test_a_file_to_be_deleted_that_a_person_changed_stands(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"a")
    transactions = cut_off(tmp_path, [Change("a.md", b"a", None)])
    (tmp_path / "a.md").write_bytes(b"theirs")
    assert transactions.recover(transactions.pending()) == ["a.md"]
    assert files(tmp_path) == {"a.md": b"theirs"}


def test_half_written_files_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    transactions = cut_off(tmp_path, [Change("x/a.md", None, b"a")])
    left = [tmp_path / "x" / ".codex-1.tmp", tmp_path / ".codex-kb" / ".codex-2.tmp"]
    foreign = tmp_path / "x" / "notes.tmp"
    for path in (*left, foreign):
        path.write_bytes(b"half")
    transactions.recover(transactions.pending())
    assert not temporary(tmp_path)
    left[1].write_bytes(b"half")
    transactions.run([Change("x/b.md", None, b"b")], None)
    assert not temporary(tmp_path)
    assert foreign.exists()


def test_half_written_files_are_removed_when_their_journal_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    transactions = cut_off(tmp_path, [Change("x/a.md", None, b"a")])
    (tmp_path / "x" / ".codex-1.tmp").write_bytes(b"half")
    assert transactions.set_aside()
    assert not temporary(tmp_path)


def test_nothing_is_removed_behind_a_link_that_leaves(tmp_path: Path) -> None:
    root, outside = tmp_path / "kb", tmp_path / "outside"
    (root / "x").mkdir(parents=True)
    outside.mkdir()
    theirs = outside / ".codex-1.tmp"
    theirs.write_bytes(b"theirs")
    for end in (lambda each: each.recover(each.pending()), lambda each: each.set_aside()):
        transactions = cut_off(root, [Change("x/a.md", None, b"a")])
        (root / "x").rmdir()
        (root / "x").symlink_to(outside)
        with contextlib.suppress(RefusedFile):
            end(transactions)
        assert [path.name for path in outside.iterdir()] == [".codex-1.tmp"]
        transactions.finish()
        (root / "x").unlink()
        (root / "x").mkdir()


@pytest.mark.parametrize(("old", "new"), [
    ('"a.md"', '"a\\ud800.md"'), ('"a.md"', '"a\\u0000.md"'), ('["a.md"]', '"a.md"'),
    ('"message": "m"', '"message": 7'), ('"message": "m"', '"message": "\\ud800"'), ('"head": ""', '"head": []'),
    ('"before": null', '"before": []'),
    ('"YQ=="', '"YQ="'), ('"YQ=="', '7'), ('"branch": ""', '"branch": "a\\u0000b"'),
])  # fmt: skip
def test_a_journal_whose_values_are_of_other_kinds_is_damaged(tmp_path: Path, old: str, new: str) -> None:
    transactions = cut_off(tmp_path, [Change("a.md", None, b"a")], Commit("m", ("a.md",)))
    head, _, body = transactions.journal.read_bytes().partition(b"\n")
    assert old.encode() in body
    altered = body.replace(old.encode(), new.encode())
    seal = {**json.loads(head), "sha256": hashlib.sha256(altered).hexdigest()}
    transactions.journal.write_bytes(json.dumps(seal).encode() + b"\n" + altered)
    with pytest.raises(Conflict, match="cannot be finished: it is damaged"):
        transactions.pending()


def test_a_run_looks_into_no_folder_of_the_files_that_it_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, looked = Path.glob, []

    def glob(self: Path, pattern: str) -> Iterator[Path]:
        looked.append(self.relative_to(tmp_path).as_posix())
        return iter(list(real(self, pattern)))

    monkeypatch.setattr(Path, "glob", glob)
    Transactions(tmp_path).run([Change("inbox/a.md", None, b"a")], None)
    assert looked == [".codex-kb"]


def test_the_mode_of_a_file_is_kept_and_a_new_one_follows_the_umask(tmp_path: Path) -> None:
    script = tmp_path / "script.md"
    script.write_bytes(b"old")
    script.chmod(0o750)
    write_file(script, b"new")
    assert (script.read_bytes(), script.stat().st_mode & 0o7777) == (b"new", 0o750)
    umask = os.umask(0o027)
    try:
        write_file(tmp_path / "new.md", b"new")
    finally:
        os.umask(umask)
    assert (tmp_path / "new.md").stat().st_mode & 0o7777 == 0o640


def test_a_failing_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.md"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(target, b"new")
    assert target.read_bytes() == b"old"
    assert not temporary(tmp_path)


def test_deleting_the_last_file_of_a_folder_removes_the_folder(tmp_path: Path) -> None:
    for name in ("x/a.md", "y/a.md", "y/b.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    Transactions(tmp_path).run([Change("x/a.md", b"", None), Change("y/a.md", b"", None)], None)
    assert not (tmp_path / "x").exists()
    assert files(tmp_path) == {"y/b.md": b""}


def test_reading_what_is_not_there_gives_none(tmp_path: Path) -> None:
    assert gate.read_if_there(tmp_path, "a.md") is None


def test_local_state_is_ignored_by_git(tmp_path: Path) -> None:
    with locked(tmp_path, "ingest", 0):
        pass
    assert (tmp_path / ".codex-kb" / ".gitignore").read_text() == "*\n"


def test_a_second_run_is_refused_with_the_name_of_the_first_until_it_dies(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(Conflict, match=f"codex distill, process {holder.pid} on ") as caught,
            locked(tmp_path, "x", 0.1),
        ):
            pass
        assert caught.value.hint
        holder.send_signal(signal.SIGKILL)
        holder.wait(10)
    assert json.loads((tmp_path / ".codex-kb" / "lock.json").read_text())["command"] == "distill"
    with locked(tmp_path, "review", 0):
        assert json.loads((tmp_path / ".codex-kb" / "lock.json").read_text())["command"] == "review"
    assert not (tmp_path / ".codex-kb" / "lock.json").exists()


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), locked(tmp_path, "ingest", 0):
        raise ValueError("mine")
    with locked(tmp_path, "ingest", 0):
        pass


def test_a_lock_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / ".codex-kb").write_bytes(b"a file")
    with pytest.raises(WriteFailed) as caught, locked(tmp_path, "ingest", 0):
        pass
    assert caught.value.hint


HARMS = {
    "cut off": lambda data: data[: len(data) // 2],
    "not JSON": lambda data: b"{" * 5000,
    "deep JSON": lambda data: data.split(b"\n")[0] + b"\n" + b"[" * 100_000,
    "one byte": lambda data: data[:-9] + b"!" + data[-8:],
    "empty": lambda data: b"",
    "another clone": lambda data: data.replace(b'"clone": "', b'"clone": "f', 1),
    "an earlier version": lambda data: b'{"version": 1, "changes": [], "commit": null}',
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_journal_that_is_damaged_or_foreign_writes_nothing_and_can_be_set_aside(tmp_path: Path, harm: str) -> None:
    transactions = cut_off(tmp_path, [Change("a.md", None, b"a")])
    transactions.journal.write_bytes(HARMS[harm](transactions.journal.read_bytes()))
    with pytest.raises(Conflict, match="cannot be finished") as error:
        transactions.pending()
    assert "codex check --set-aside" in error.value.hint
    assert files(tmp_path) == {}
    kept = transactions.set_aside()
    assert kept.startswith(".codex-kb/conflicts/journal-")
    assert (tmp_path / kept).exists()
    assert not transactions.unfinished()


@pytest.mark.parametrize("path", ["/etc/passwd", "../outside.md", "a/../../outside.md"])
def test_a_journal_that_names_files_outside_is_not_believed(tmp_path: Path, path: str) -> None:
    root = tmp_path / "kb"
    transactions = cut_off(root, [Change("a.md", None, b"a")])
    forged = Journal((Entry(path, None, b"forged"),), None)
    transactions.journal.write_bytes(dump(forged, own_id(root)))
    with pytest.raises(Conflict, match="outside of the knowledge base"):
        transactions.pending()
