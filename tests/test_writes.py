"""What the page asks to be written: saved at once, once, and never over what somebody else did."""

from __future__ import annotations

from typing import Any

import pytest
from filelock import FileLock

from conftest import SENTENCES, Base
from served import REVIEWER, Served

PACKET = "inbox/proposals/notes.md"


def asked(served: Served, number: int, mark: str, **fields: str) -> dict[str, Any]:
    """A mark of what stands now."""
    name, id_ = served.room.desk.queue()[number]
    seen = served.room.desk.item(name, id_).version
    return {"name": name, "items": [{"id": id_, "seen": seen}], "mark": mark, "fields": fields}


def test_a_mark_is_in_the_packet_at_once_with_its_fields(served: Served, kb: Base) -> None:
    answer = served.post("mark", asked(served, 0, "approve", title="Markets know more", domain="markets"))
    assert answer.status == 200
    [item] = answer.json["items"]
    assert item["mark"] == "approve"
    assert "## [x] Markets know more" in kb.read(PACKET)
    assert "- domain: markets" in kb.read(PACKET)
    assert item["version"] == served.room.desk.item("notes", item["id"]).version


def test_a_mark_of_what_has_changed_since_is_a_conflict(served: Served, kb: Base) -> None:
    one = asked(served, 0, "approve")
    two = asked(served, 0, "reject", reason="vague")
    assert served.post("mark", one).status == 200
    text = kb.read(PACKET)
    answer = served.post("mark", two)
    assert (answer.status, answer.json["error"]["code"]) == (409, "changed")
    assert kb.read(PACKET) == text


def test_a_mark_that_was_saved_and_not_answered_may_be_sent_again(served: Served, kb: Base) -> None:
    one = asked(served, 0, "reject", reason="vague")
    first = served.post("mark", one).json
    before = kb.read(PACKET)
    again = served.post("mark", one)
    assert (again.status, again.json) == (200, first)
    assert kb.read(PACKET) == before


def test_several_are_rejected_at_once_and_taken_back_at_once(served: Served, kb: Base) -> None:
    before = kb.read(PACKET)
    items = [{"id": id_, "seen": served.room.desk.item(name, id_).version} for name, id_ in served.room.desk.queue()]
    answer = served.post("mark", {"name": "notes", "items": items, "mark": "reject", "fields": {"reason": "trivial"}})
    assert [each["mark"] for each in answer.json["items"]] == ["reject"] * 3
    taken = served.post("undo", {"name": "notes", "id": items[0]["id"]})
    assert [each["mark"] for each in taken.json["items"]] == ["wait"] * 3
    assert kb.read(PACKET) == before


def test_only_the_last_mark_is_undone(served: Served, kb: Base) -> None:
    assert served.post("undo", {"name": "notes", "id": ""}).status == 409
    served.post("mark", asked(served, 0, "approve"))
    served.post("mark", asked(served, 1, "approve"))
    (_, first), (_, second), _ = served.room.desk.queue()
    assert served.post("undo", {"name": "notes", "id": first}).status == 409
    assert served.post("undo", {"name": "ports", "id": second}).status in (404, 409)
    assert served.post("undo", {"name": "notes", "id": second, "seen": "another tab's"}).status == 409
    assert served.post("undo", {"name": "notes", "id": second}).status == 200
    assert served.post("undo", {"name": "notes", "id": ""}).json["id"] == first


def test_while_another_run_holds_the_lock_a_mark_waits(
    served: Served, kb: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codex_kb.acts._WAIT_SECONDS", 0.05)
    wanted = asked(served, 0, "approve")
    [lock] = kb.path(".codex-kb").glob("*lock*")
    with FileLock(lock):
        answer = served.post("mark", wanted)
        assert answer.status == 423
        assert "being changed by" in answer.json["error"]["message"]
    assert served.post("mark", wanted).status == 200


def test_what_is_decided_meanwhile_is_not_there(served: Served, kb: Base) -> None:
    wanted = asked(served, 0, "approve")
    assert kb.run("review", "--reject", f"{wanted['items'][0]['id']}=wrong").code == 0
    assert served.post("mark", wanted).status == 404


def test_a_missed_claim_needs_a_quote_of_the_source_and_is_added_once(served: Served, kb: Base) -> None:
    value = {"name": "notes", "title": "Markets know more", "quote": "Nobody said this here.", "description": ""}
    answer = served.post("missed", value)
    assert answer.status == 400
    assert "word for word" in answer.json["error"]["message"]
    assert served.post("missed", value | {"title": " ", "quote": SENTENCES[0]}).status == 400
    for _ in range(2):
        assert served.post("missed", value | {"quote": SENTENCES[0]}).status == 200
    assert kb.read(PACKET).count("## Missed claim: Markets know more") == 1
    assert "Markets know more" in served.get("/review/notes").text


def test_what_was_previewed_is_applied_and_nothing_else(served: Served, kb: Base) -> None:
    served.post("mark", asked(served, 0, "approve"))
    [preview] = served.room.desk.preview(["notes"])
    served.post("mark", asked(served, 1, "reject", reason="vague"))
    stale = served.post("apply", {"name": "notes", "seen": preview.version}).json
    assert [each["code"] for each in stale["faults"]] == ["changed"]
    assert kb.claims() == []
    [preview] = served.room.desk.preview(["notes"])
    done = served.post("apply", {"name": "notes", "seen": preview.version}).json
    assert [path for _, path in preview.claims] == done["approved"] == kb.claims()
    assert (done["rejected"][0][1], done["waiting"], done["faults"]) == ("vague", 1, [])
    assert kb.decisions()[0]["reviewer"] == REVIEWER


def test_an_applied_decision_is_taken_back(served: Served, kb: Base) -> None:
    served.post("mark", asked(served, 0, "approve"))
    served.post("apply", {"name": "notes", "seen": ""})
    [decision] = kb.decisions()
    done = served.post("withdraw", {"id": decision["id"], "why": "read too fast"})
    assert done.json["removed"] == [decision["claim"]]
    assert kb.claims() == []
    assert kb.decisions()[1]["reason"] == "read too fast"
    assert len(served.room.desk.queue()) == 3
    assert served.post("withdraw", {"id": "nothing of this name"}).status == 404


def test_seconds_are_kept_with_the_decision(served: Served, kb: Base) -> None:
    served.post("mark", asked(served, 0, "reject", reason="vague") | {"seconds": 3.5})
    served.post("apply", {"name": "notes", "seen": ""})
    assert kb.decisions()[0]["seconds"] == 3.5


@pytest.mark.parametrize(
    "change",
    [{"mark": "maybe"}, {"items": []}, {"items": 3}, {"items": [3]}, {"items": [{"id": 3}]}, {"fields": []},
     {"name": 3}, {"fields": {"id": "x"}}, {"fields": {"title": 3}}, {"fields": {"title": "\ud800"}}],
)  # fmt: skip
def test_what_the_page_would_not_send_is_refused(served: Served, kb: Base, change: dict[str, Any]) -> None:
    before = kb.read(PACKET) if kb.path(PACKET).exists() else ""
    answer = served.post("mark", asked(served, 0, "approve") | change)
    assert answer.status == 400
    assert answer.json["error"]["message"]
    assert (kb.read(PACKET) if before else "") == before


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(served: Served, body: bytes) -> None:
    same = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
    assert served.ask("POST", "/api/mark", same, body).status == 400
    assert served.ask("POST", "/api/nothing", same, b"{}").status == 404


def test_a_title_cannot_break_out_of_its_section(served: Served, kb: Base) -> None:
    title = "One\n## [x] Two\n<!-- id: 000000000000 -->"
    served.post("mark", asked(served, 0, "wait", title=title, reason="a\n- domain: x"))
    assert len(served.room.desk.sheet("notes").sections) == 3
    assert served.room.desk.sheet("notes").sections[0].title == " ".join(title.split())


@pytest.mark.parametrize("name", ["../notes", "..", "../../codex", "/etc/passwd", "", "notes\0", "x" * 5000, "NOTES"])
def test_a_name_that_is_no_packets_leads_nowhere(served: Served, kb: Base, name: str) -> None:
    kb.write("inbox/notes.json", kb.read("inbox/proposals/notes.json"))
    before = kb.snapshot()
    for what, more in (
        ("mark", {"items": [{"id": served.room.desk.queue()[0][1], "seen": ""}], "mark": "approve"}),
        ("missed", {"title": "A claim", "quote": SENTENCES[0]}),
        ("apply", {"seen": ""}),
    ):
        assert served.post(what, {"name": name, **more}).status in (400, 404)
    assert kb.snapshot() == before
