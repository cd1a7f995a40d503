"""`codex review -p`: keys from a pipe and from a real terminal, what is shown, and what is kept when it ends early."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from codex_kb.cli.pick.screen import columns, wrapped
from conftest import SENTENCES, Base, FakeEncoder, Run, as_made_before
from test_alone import alone  # noqa: F401 (a fixture)
from test_generations import document, taught  # noqa: F401 (a fixture)

PACKET = "inbox/proposals/notes.md"
MORE = (
    "Ports that dredge their channels each year lose fewer ships than ports that wait for accidents do.",
    "Schools that start after nine in the morning see fewer absences among older pupils.",
)


def pick(kb: Base, keys: str, *more: str) -> Run:
    return kb.run("review", "-p", *more, stdin=keys)


def marks(kb: Base, name: str = "notes") -> list[str]:
    return re.findall(r"^## \[(.)\]", kb.read(f"inbox/proposals/{name}.md"), re.MULTILINE)


def reasons(kb: Base) -> list[str]:
    return re.findall(r"^- reason:(.*)$", kb.read(PACKET), re.MULTILINE)


def editor(kb: Base, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    path = kb.root.parent / "editor.sh"
    path.write_text(script)
    monkeypatch.setenv("VISUAL", f"sh {path}")


# -- keys from a pipe ------------------------------------------------------------------------------


def test_a_session_approves_rejects_leaves_and_applies(kb: Base) -> None:
    kb.ingest()
    done = pick(kb, "yVsy")
    assert done.code == 0, done.err
    assert "1 approved, 1 rejected, 1 wait" in done.err
    assert [(each["verdict"], each["reason"]) for each in kb.decisions()] == [("approved", ""), ("rejected", "vague")]
    assert all("seconds" not in each or each["seconds"] is None for each in kb.decisions())
    assert "3/3" in done.out
    assert kb.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("keys", "mark", "reason"),
    [
        ("y", "x", ""), ("N", "-", ""), ("n\n\n", "-", ""),
        ("D", "-", "duplicate"), ("V", "-", "vague"), ("U", "-", "unsupported"), ("T", "-", "trivial"),
        ("W", "-", "wrong"), ("nd", "-", "duplicate"), ("nv", "-", "vague"), ("nu", "-", "unsupported"),
        ("nt", "-", "trivial"), ("nw", "-", "wrong"), ("nosays too much\n", "-", "says too much"),
        ('n"says too much\n', "-", "says too much"), ("nx", " ", ""), ("no\n\n", " ", ""), ("s", " ", ""),
        ("\n", " ", ""), ("n\nt\n", "-", "trivial"),
        ("+", " ", ""), ("x", " ", ""), ("yu", " ", ""), ("u", " ", ""), ("ybs", " ", ""), ("Tby", "x", ""),
        ("Tb\n\n", "-", "trivial"), ("Tb ", "-", "trivial"), ("Tbs", " ", ""), ("b", " ", ""),
    ],
)  # fmt: skip
def test_what_a_key_does(
    kb: Base, tmp_path_factory: pytest.TempPathFactory, keys: str, mark: str, reason: str
) -> None:  # fmt: skip
    as_made_before(kb, "three wait", Base.ingest, tmp_path_factory)
    done = pick(kb, f"{keys}Q")
    assert (done.code, marks(kb)[0], reasons(kb)[0].strip()) == (0, mark, reason), done.out
    assert "your marks are kept" in done.out
    assert not kb.path("codex/decisions/notes.jsonl").exists()


def test_nothing_is_applied_where_the_user_says_no_and_nothing_changes_where_nothing_is_marked(kb: Base) -> None:
    kb.ingest()
    before = kb.snapshot()
    assert "nothing is marked" in pick(kb, "sss").out
    assert pick(kb, "i?Q").code == 0
    assert kb.snapshot() == before
    assert "notes: 3 approved, 0 rejected, 0 wait" in pick(kb, "yyyQ").out
    assert (kb.claims(), marks(kb)) == ([], ["x", "x", "x"])
    assert pick(kb, "y").code == 0
    assert len(kb.claims()) == 3


def test_who_is_sure_is_not_asked_and_who_does_not_commit_commits_nothing(kb: Base) -> None:
    kb.ingest()
    before = kb.git("rev-parse", "HEAD")
    done = pick(kb, "yTV", "--yes", "--no-commit", "--reviewer", "Ada <ada@example.org>")
    assert (done.code, kb.git("rev-parse", "HEAD")) == (0, before)
    assert {each["reviewer"] for each in kb.decisions()} == {"Ada <ada@example.org>"}


def test_it_begins_with_what_is_not_marked_and_shows_what_is(kb: Base) -> None:
    kb.ingest()
    kb.mark("x", count=1)
    done = pick(kb, "bQ")
    assert done.out.index("2/3") < done.out.index("1/3") < done.out.index("MARKED: approved")
    kb.mark("-")
    assert "1 approved, 2 rejected, 0 wait" in pick(kb, "Q").out


def test_a_proposal_is_added_to_the_claim_that_is_near(kb: Base) -> None:
    kb.claim("markets", SENTENCES[0].rstrip("."))
    kb.commit_all()
    kb.ingest()
    at = next(n for n, title in enumerate(re.findall(r"^## \[ \] (.*)", kb.read(PACKET), re.MULTILINE))
              if title.startswith("Prediction"))  # fmt: skip
    done = pick(kb, "s" * at + "+h" + "s" * (2 - at) + "y")
    assert "added as challenge: codex/economics/markets.md" in done.err
    assert re.search(r"^~ (duplicate|enriches): \d\.\d\d Prediction markets", done.out, re.MULTILINE)


def test_the_rest_of_a_source_is_rejected_after_one_question(kb: Base) -> None:
    kb.source("other", MORE)
    kb.ingest()
    assert marks(kb) == [" "] * 3
    first = pick(kb, "ydndyQ", "notes")
    assert "reject all 2 that are open of this source as trivial?" in first.out
    assert (marks(kb), marks(kb, "other")) == (["x", "-", "-"], [" ", " "])


def test_a_word_is_found(kb: Base) -> None:
    kb.ingest()
    pick(kb, "/RANDOMIZED\nyQ")
    text = kb.read(PACKET)
    assert re.findall(r"^## \[x\] (\w+)", text, re.MULTILINE) == ["Randomized"]
    assert "nothing that waits says zeppelin" in pick(kb, "/zeppelin\nQ").out


def test_a_claim_that_was_missed_is_added_and_taken_out_again(kb: Base) -> None:
    kb.ingest(sentences=[*SENTENCES, "Nobody proposed this one."])
    refused = pick(kb, "m99\n\nQ")
    assert "the sentences are 1 to 4" in refused.out
    kept = pick(kb, "m4\nA claim of mine\nuQ")
    assert "is taken out again" in kept.out
    assert "A claim of mine" not in kb.read(PACKET)
    done = pick(kb, "m2-3\n\nqy")
    [decision] = [each for each in kb.decisions() if each.get("missed")]
    assert done.code == 0
    assert decision["proposal"]["evidence"][0]["quote"].endswith(SENTENCES[2])


def test_what_is_asked_for_a_missed_claim_is_said_plainly(kb: Base) -> None:
    kb.ingest(sentences=["**Claims as documents**: each of them takes a file of its own in the base.", *SENTENCES])
    done = pick(kb, "mfour\n99\n1\n\nQ")
    assert "not understood: four; the sentences are 1 to" in done.out
    assert "not understood: 99;" in done.out
    said = next(line for line in done.out.splitlines() if "the claim in one sentence" in line)
    assert "Ctrl-U clears" in said
    assert "Claims as documents: each of them" in said


def test_who_marked_nothing_leaves_with_q(kb: Base) -> None:
    kb.ingest()
    done = pick(kb, "qyQ")
    assert ("nothing is marked" in done.out, marks(kb)) == (True, [" "] * 3)


def test_what_a_key_did_or_did_not_do_is_said(kb: Base) -> None:
    kb.ingest()
    title = re.findall(r"^## \[ \] (.*)", kb.read(PACKET), re.MULTILINE)[0]
    done = pick(kb, "yusssQ")
    assert f"taken back: {title}" in " ".join(done.out.split())
    assert "that key does nothing here: y, b, u or Q" in pick(kb, "yqzQ").out
    assert "reject the one that is open of this source" in pick(kb, "ydnQ").out
    assert "write there - adds to: [[claim]]" in " ".join(pick(kb, "b+Q").out.split())


def test_a_word_is_found_again_with_enter(kb: Base) -> None:
    kb.ingest()
    at = re.findall(r"^## \[ \] (\w+)", kb.read(PACKET), re.MULTILINE).index("Randomized")
    out = pick(kb, "/randomized\n/\n\nQ").out
    assert out.count(f"{at + 1}/3") == 2 + (at == 0)


def test_who_proposed_is_named_where_it_is_not_the_usual_one(kb: Base) -> None:
    kb.ingest()
    record = json.loads(kb.read("inbox/proposals/notes.json"))
    record["proposals"][0]["proposer"] = "agent:scout"
    kb.write("inbox/proposals/notes.json", json.dumps(record))
    assert pick(kb, "sQ").out.count("by agent:scout") == 1


def test_an_edit_that_cannot_be_read_is_kept_for_another(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.ingest()
    seen = kb.root.parent / "seen"
    editor(kb, monkeypatch, f"""cat $1 >> {seen}; echo 'a stray line' >> "$1"\n""")
    before = kb.read(PACKET)
    pick(kb, "e.e.Q")
    assert "a stray line" in seen.read_text()
    assert kb.read(PACKET) == before


def test_a_source_without_proposals_is_closed(kb: Base) -> None:
    kb.source("empty", ["Short."])
    kb.run("ingest", "inbox")
    done = pick(kb, "nTdey" + "y")
    assert done.out.count("nothing is proposed here") == 3
    assert "all decided: inbox/empty.md" in done.err


def test_a_source_that_is_read_alone_first_is_shown_in_full(alone: Base) -> None:  # noqa: F811
    done = pick(alone, "m1\n\nyQ", "n30")
    assert all(each in " ".join(done.out.split()) for each in document(30))
    assert "y read, show its proposals" in done.out
    done = pick(alone, "y", "n30")
    assert "1 added that was missed" in done.out
    assert done.code == 0, done.err
    assert len(alone.run("proposals", "n30", "--json").json) >= 3


def test_one_section_is_edited_again_until_it_can_be_read(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.ingest()
    count = kb.root.parent / "count"
    editor(kb, monkeypatch, f"""case $1 in *.md) ;; *) exit 9;; esac
echo >> {count}
if [ $(wc -l < {count}) = 1 ]; then echo 'a stray line' >> "$1"
else sed '/stray/d; s/^- reason:.*/- reason: my own/; s/^## \\[ \\]/## [-]/' "$1" > "$1.n" && mv "$1.n" "$1"; fi
""")  # fmt: skip
    done = pick(kb, "eeQ")
    assert "belongs to nothing: a stray line" in done.out
    assert (marks(kb)[0], reasons(kb)[0]) == ("-", " my own")
    assert "stray" not in kb.read(PACKET)
    assert "MARKED: rejected as my own" in " ".join(done.out.split())
    editor(kb, monkeypatch, "exit 3")
    assert "the editor ended with 3: left as it was" in pick(kb, "eQ").out
    editor(kb, monkeypatch, "printf '\\377' >> $1")
    assert "not UTF-8" in pick(kb, "eQ").out
    editor(kb, monkeypatch, "rm $1")
    assert "left as it was" in pick(kb, "eQ").out
    monkeypatch.delenv("VISUAL")
    assert "no editor is named" in pick(kb, "eQ").out


def test_what_cannot_be_applied_is_said_and_gone_to(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.ingest()
    kb.edit("- domain: economics", "- domain: a/b")
    editor(kb, monkeypatch, 'sed "s,a/b,economics," "$1" > "$1.n" && mv "$1.n" "$1"')
    done = pick(kb, "yyybe   y")
    assert 'domain "a/b" cannot name a folder' in done.out
    assert "nothing of this source is applied before that is mended" in done.out
    assert "3 approved" in done.err


def test_what_says_nearly_the_same_waits_and_is_decided_on_the_way_back(kb: Base) -> None:
    kb.ingest(sentences=[SENTENCES[0], MORE[0]])
    at = re.findall(r"^## \[ \] (\w+)", kb.read(PACKET), re.MULTILINE).index("Prediction")
    kb.edit("## [ ]", "## [x]")
    kb.edit("## [ ]", "## [x]")
    kb.claim("markets", SENTENCES[0].rstrip("."))  # came after the packet was marked
    kb.commit_all()
    done = pick(kb, "by" + " " * (1 - at) + "y")
    assert "codex/economics/markets.md says nearly the same" in done.out
    assert "+ adds to it, y makes another claim" in " ".join(done.out.split())
    assert (done.code, len(kb.claims())) == (0, 3)


def test_a_packet_that_goes_meanwhile_is_left_out(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.source("other", MORE)
    kb.ingest()
    editor(kb, monkeypatch, f"echo '- reason: late' >> $1; rm {kb.root}/inbox/proposals/notes.*")
    done = pick(kb, "eyyy")
    assert "nothing waits here any more" in done.out
    assert (done.code, len(kb.decisions("other")), kb.path(PACKET).exists()) == (0, 2, False)


@pytest.mark.parametrize("more", ["--apply", "--approve=a", "--reject=a", "--add=a", "--set-aside", "--triage=0.1"])
def test_it_goes_with_nothing_that_decides_by_itself(kb: Base, more: str) -> None:
    assert pick(kb, "y", more).code == 2


def test_what_an_editor_deleted_is_decided(kb: Base) -> None:
    kb.ingest()
    text = kb.read(PACKET)
    kb.write(PACKET, text[: text.index("## [ ]")] + text[text.index("## Missed claim") :])
    done = pick(kb, "y")
    assert "0 approved, 3 rejected (3 by deletion), 0 wait" in done.out
    assert [each["reason"] for each in kb.decisions()] == ["removed"] * 3


def test_settings_that_want_more_than_was_granted_stop_it_at_once(kb: Base) -> None:
    kb.claim("markets", SENTENCES[0])
    kb.commit_all()
    kb.ingest()
    kb.write("codex.toml", '[index]\nmodel = "someone/elses"\n')
    done = pick(kb, "y")
    assert (done.code, done.err.count("codex trust")) == (2, 1)


def test_a_packet_that_cannot_be_read_stops_no_other(kb: Base) -> None:
    kb.source("other", MORE)
    kb.ingest()
    kb.write(PACKET, b"\xff")
    done = pick(kb, "yyqb" + "bQ")
    assert "notes.md: not UTF-8" in done.out
    assert (done.code, marks(kb, "other")) == (0, ["x", "x"])


def test_no_keys_or_nothing_to_decide(kb: Base) -> None:
    assert "nothing waits for review" in pick(kb, "").err
    kb.ingest()
    none = pick(kb, "")
    assert (none.code, "no keys come from standard input" in none.err, "--apply" in none.err) == (2, True, True)
    assert pick(kb, "y", "elsewhere.md").code == 3


def test_no_more_keys_leave_the_marks(kb: Base) -> None:
    kb.ingest()
    done = pick(kb, "yT")
    assert (done.code, marks(kb), "your marks are kept" in done.out) == (0, ["x", "-", " "], True)


def test_hostile_text_is_shown_and_never_sent(kb: Base) -> None:
    bad = "Harbours \x1b[2J\x1b]0;owned\x07 of \x9b31m large \u202etowns pay for themselves within a decade."
    kb.ingest(sentences=[bad, *SENTENCES])
    done = pick(kb, "iiiissssQ")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", done.out)
    assert "\\x1b" in done.out


def test_a_blind_proposal_shows_no_hints(kb: Base) -> None:
    kb.claim("markets", SENTENCES[0].rstrip("."))
    kb.commit_all()
    kb.ingest()
    record = json.loads(kb.read("inbox/proposals/notes.json"))
    for each in record["proposals"]:
        each["blind"] = True
    kb.write("inbox/proposals/notes.json", json.dumps(record))
    kb.path(PACKET).unlink()  # it is written anew
    done = pick(kb, "+Q")
    assert "please check" not in done.out
    assert "~ " not in done.out


def test_only_what_is_reached_is_embedded(kb: Base) -> None:
    kb.claim("markets", SENTENCES[0].rstrip("."))
    kb.commit_all()
    for number in range(12):
        kb.source(f"s{number:02}", [each.replace("the", f"the {number}") for each in (*SENTENCES, *MORE)])
    assert kb.run("ingest", "inbox").code == 0
    FakeEncoder.texts.clear()
    assert pick(kb, "yQ").code == 0
    assert len(FakeEncoder.texts) <= len((*SENTENCES, *MORE)) + 2


def test_a_card_is_short_and_shows_what_deciding_needs(kb: Base) -> None:
    body = [
        "Winters on this coast are long, and most of its harbours are closed by the ice for weeks.",
        "![the port](https://example.org/port.jpg)",
        "- Ports that dredge their channels each year lose fewer ships than ports that wait for accidents do.\n"
        "- The ports of the south have no channels. They have never dredged anything, and they never will.",
        "Nobody reads this far away sentence about something else.",
    ]
    kb.ingest(sentences=body)
    out = pick(kb, "/dredge their\nQ").out
    first, last = [n for n, line in enumerate(out.splitlines()) if re.match(r"\d/4|y approve", line)][-2:]
    shown = out.splitlines()[first : last + 1]
    assert len(shown) <= 14
    assert any(line.startswith("> Ports that dredge") for line in shown)
    assert any("The ports of the south" in line for line in shown)
    assert not any("port.jpg" in line or line.endswith(" -") or "far away" in line for line in shown)


def test_a_description_is_shown_where_it_adds_to_what_stands_there(kb: Base) -> None:
    kb.ingest()
    described = re.sub(r"^- description:.*", "- description: {}", kb.read(PACKET), count=1, flags=re.MULTILINE)
    for text, said in {"": "no description", SENTENCES[1].rstrip("."): "description: ", "It pays": "= It pays"}.items():
        kb.write(PACKET, described.format(text))
        assert said in " ".join(pick(kb, "Q").out.split("y approve")[0].split()), text


# -- lines -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [20, 33, 80])
@pytest.mark.parametrize(
    "text",
    ["plain words that go on and on until the line is full", "知識は力である。" * 12, "e\u0301" * 90,
     "한국어 문장 " * 20, "x" * 300, "mixed 漢字 and words https://example.org/" + "path/" * 20],
)  # fmt: skip
def test_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = wrapped(text, width, "> ")
    assert all(columns(line) <= width for line in lines)
    assert "".join("".join(line[2:] for line in lines).split()) == "".join(text.split())
    assert not any(line[2:].startswith("\u0301") for line in lines)


# -- a real terminal -------------------------------------------------------------------------------


class Seat:
    """A terminal with `codex` on it: press keys, and wait for what the screen says."""

    def __init__(self, root: Path, *args: str, width: int = 80) -> None:
        self._master, self.slave = pty.openpty()
        self.resize(width)
        self.mode = termios.tcgetattr(self.slave)
        self.seen = ""
        self._from = 0
        self._child = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("pick_child.py")), *args], cwd=root, stdin=self.slave,
            stdout=self.slave, stderr=self.slave, start_new_session=True,
            env={"TERM": "xterm", **os.environ, "PAGER": "cat"},
        )  # fmt: skip

    def resize(self, width: int) -> None:
        """Another width of the window."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))

    def see(self, text: str) -> str:
        """Wait until this stands on the screen, after what was waited for before; what was new."""
        until = time.monotonic() + 60
        while text not in self.seen[self._from :]:
            assert time.monotonic() < until, self.seen[self._from :]
            assert self._read(), f"{text} never came: {self.seen[self._from :]}"
        new = self.seen[self._from :]
        self._from = self.seen.index(text, self._from) + len(text)
        return new

    def _read(self) -> bool:
        if select.select([self._master], [], [], 0.2)[0]:
            self.seen += os.read(self._master, 65536).decode("utf-8", "replace")
            return True
        return self._child.poll() is None

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def send(self, number: int) -> None:
        """Send a signal."""
        self._child.send_signal(number)

    def resume(self) -> None:
        """Go on with the job in front."""
        os.killpg(os.tcgetpgrp(self._master), signal.SIGCONT)

    def left(self) -> int:
        """Wait for the end; its exit code."""
        until = time.monotonic() + 60
        while self._child.poll() is None and time.monotonic() < until:
            self._read()
        while select.select([self._master], [], [], 0.1)[0]:
            self.seen += os.read(self._master, 65536).decode("utf-8", "replace")
        return self._child.wait(1)

    def close(self) -> None:
        """Leave nothing behind."""
        self._child.kill()
        self._child.wait()
        os.close(self._master)
        os.close(self.slave)


@contextlib.contextmanager
def seated(kb: Base, *args: str, width: int = 80) -> Iterator[Seat]:
    seat = Seat(kb.root, *args, width=width)
    try:
        yield seat
    finally:
        seat.close()


def echoes(mode: list[object]) -> bool:
    flags = mode[3]
    assert isinstance(flags, int)
    return bool(flags & termios.ECHO) and bool(flags & termios.ICANON)


def test_on_a_terminal_keys_are_taken_as_they_are_pressed_and_seconds_are_kept(kb: Base) -> None:
    kb.ingest()
    with seated(kb, "review", "-p") as seat:
        seat.see("? help:")
        assert not echoes(termios.tcgetattr(seat.slave))
        time.sleep(0.2)
        seat.press("y")
        seat.see("2/3")
        seat.see("? help:")
        seat.press("\x1b[D")  # the arrow to the left goes back, and its D rejects nothing
        seat.see("MARKED: approved")
        seat.press("\x1b[B")
        seat.see("2/3")
        seat.press("no")
        seat.see("reason: ")
        seat.press("über\x7fx\r")
        seat.see("3/3")
        seat.press("s")
        seat.see("apply?")
        seat.press("y")
        assert seat.left() == 0
        assert termios.tcgetattr(seat.slave) == seat.mode
    assert [each["reason"] for each in kb.decisions()] == ["", "übex"]
    assert kb.decisions()[0]["seconds"] >= 0.2


@pytest.mark.parametrize(("key", "code"), [("\x03", 130), ("\x04", 0), ("Q", 0)])
def test_who_leaves_keeps_the_marks_and_the_terminal(kb: Base, key: str, code: int) -> None:
    kb.ingest()
    with seated(kb, "review", "-p") as seat:
        seat.see("? help:")
        seat.press("y")
        seat.see("2/3")
        seat.see("? help:")
        seat.press(key)
        assert seat.left() == code
        assert termios.tcgetattr(seat.slave) == seat.mode
        assert "your marks are kept" in seat.seen
    assert (marks(kb), kb.claims()) == (["x", " ", " "], [])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_who_is_killed_goes_on_where_they_were(kb: Base, number: int) -> None:
    kb.ingest()
    with seated(kb, "review", "-p") as seat:
        seat.see("? help:")
        seat.press("T")
        seat.see("2/3")
        seat.see("? help:")
        seat.send(number)
        assert seat.left() == -number
        if number != signal.SIGKILL:
            assert termios.tcgetattr(seat.slave) == seat.mode
    assert marks(kb) == ["-", " ", " "]
    done = pick(kb, "yyy")
    assert "1/3" not in done.out
    assert "2 approved, 1 rejected, 0 wait" in done.err


def test_stopped_and_gone_on_with(kb: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.ingest()
    monkeypatch.setenv("AS_A_JOB", "yes")
    with seated(kb, "review", "-p") as seat:
        seat.see("? help:")
        seat.press("\x1a")
        for _ in range(600):
            if termios.tcgetattr(seat.slave) == seat.mode:
                break
            time.sleep(0.1)
        assert termios.tcgetattr(seat.slave) == seat.mode
        seat.resume()
        seat.see("goes on")
        assert not echoes(termios.tcgetattr(seat.slave))
        seat.press("y")
        seat.see("? help:")
        seat.press("Q")
        assert seat.left() == 0
    assert marks(kb)[0] == "x"


def test_what_was_typed_before_a_proposal_was_shown_is_no_answer_to_it(kb: Base) -> None:
    kb.ingest()
    with seated(kb, "review", "-p") as seat:
        seat.see("? help:")
        seat.press("yyyyyyyy")
        seat.see("2/3")
        seat.see("? help:")
        seat.press("Q")
        assert seat.left() == 0
    assert marks(kb) == ["x", " ", " "]


def test_a_window_of_another_width(kb: Base) -> None:
    kb.ingest()
    with seated(kb, "review", "-p", width=40) as seat:
        narrow = seat.see("? help:")
        seat.resize(100)
        seat.press("s")
        seat.see("2/3")
        wide = seat.see("? help:")
        seat.press("Q")
        assert seat.left() == 0
    plain = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in narrow.splitlines()]
    assert max(map(len, plain)) <= 40
    assert max(map(len, wide.splitlines())) > 40


def test_another_review_decides_meanwhile(kb: Base) -> None:
    first, second, _ = kb.ingest()
    with seated(kb, "review", "-p") as seat:
        seat.see("? help:")
        assert kb.run("review", "--approve", first["id"], "--reject", f"{second['id']}=vague").code == 0
        seat.press("y")
        seat.see("no proposal")
        seat.see("? help:")
        seat.press("T")
        seat.see("apply?")
        seat.press("y")
        assert seat.left() == 0
    assert [each["verdict"] for each in kb.decisions()] == ["approved", "rejected", "rejected"]


def test_an_editor_takes_its_turn(kb: Base) -> None:
    kb.ingest()
    with seated(kb, "review", "-p") as seat:
        seat.see("? help:")
        seat.press("y")
        seat.see("2/3")
        seat.see("? help:")
        kb.edit("## [ ]", "## [-]")
        seat.press("b")
        seat.see("1/3")
        seat.press("\r")
        seat.see("MARKED: rejected")
        seat.press("Q")
        assert seat.left() == 0
    assert marks(kb) == ["x", "-", " "]


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "xterm")])
def test_no_colours_where_none_are_wanted(
    kb: Base, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    kb.ingest()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    with seated(kb, "review", "-p") as seat:
        assert ("\x1b[1m" in seat.see("? help:")) == (value == "xterm")


def test_what_an_editor_saves_while_it_is_asked_about_is_not_applied_unseen(kb: Base) -> None:
    kb.ingest()
    with seated(kb, "review", "-p") as seat:
        for key, next_ in (("y", "2/3"), ("T", "3/3"), ("s", "apply?")):
            seat.see("? help:")
            seat.press(key)
            seat.see(next_)
        kb.mark("x")
        seat.press("y")
        assert seat.left() == 4
    assert "changed since its preview" in seat.seen
    assert kb.claims() == []
    assert marks(kb) == ["x", "-", "x"]
