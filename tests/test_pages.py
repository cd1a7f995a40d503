"""The pages: what they show, and that all that others wrote stays text."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from codex_kb import api
from codex_kb.web import pages
from codex_kb.workflow.propose import Suggestion
from conftest import HEAD, SENTENCES, Base
from served import Served

SCRIPT = "<script>alert(1)</script>"


class Tags(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_queue_lists_all_that_waits_and_can_be_narrowed_down(served: Served, kb: Base) -> None:
    other = [f"Harbour number {n} is deeper than the town behind it needs for its boats." for n in range(4)]
    kb.source("ports", other, HEAD.replace("economics", "geography"))
    assert kb.run("ingest", "inbox").code == 0
    served.mark(*served.room.desk.queue()[0], "approve")
    whole = served.get("/").text
    assert "The oldest waits for less than an hour" in whole
    assert SENTENCES[0].rstrip(".") in whole
    assert ">approve</b>" in whole
    narrow = served.get("/?domain=geography").text
    assert "Harbour number" in narrow
    assert SENTENCES[0].rstrip(".") not in narrow
    assert "?at=" in narrow
    assert "domain=geography" in narrow
    assert "0 of" in served.get("/?age=7").text
    assert "0 of" in served.get("/?proposer=nobody").text
    assert served.get("/?relation=new&source=inbox/notes.md").status == 200


def test_a_review_has_the_source_with_what_is_quoted_beside_a_proposal(served: Served) -> None:
    page = served.get("/review/notes").text
    ids = [id_ for _, id_ in served.room.desk.queue()]
    marked = re.findall(r'<mark data-ids="(\w+)"[^>]*>([^<]+)</mark>', page)
    assert sorted(id_ for id_, _ in marked) == sorted(ids)
    assert {text for _, text in marked} == set(SENTENCES)
    assert f'id="card" data-id="{ids[0]}" data-mark="wait"' in page
    assert f'id="card" data-id="{ids[1]}"' in served.get(f"/review/notes?at={ids[1]}").text
    assert f'data-id="{ids[2]}"' in served.get(f"/item/notes/{ids[2]}").text
    assert served.get("/item/notes/000000000000").status == 404


@pytest.mark.parametrize("text", [SCRIPT, '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "</textarea><b>bold"])
def test_what_sources_and_claims_contain_is_text(kb: Base, text: str) -> None:
    sentences = [f"Towns that {text} grow faster than all the other towns around them do.", *SENTENCES]
    head = HEAD.replace("Notes on towns", f"'Notes {text}'").replace("domain: economics", f"domain: 'economics {text}'")
    kb.source("notes", sentences, head.replace("Ann Archer", f"'{text}'"))
    kb.claim("near", sentences[0], description=text, confidence=text, source=text)
    kb.commit_all()
    assert kb.run("ingest", "inbox").code == 0
    with Served(kb.root) as served:
        served.open()
        (name, id_), *_ = served.room.desk.queue()
        served.mark(name, id_, "reject", reason=text, title=text, description=text, domain=text)
        served.post("missed", {"name": name, "title": text + " is so", "quote": SENTENCES[0]})
        for path in ("/", "/review/notes", f"/review/notes?at={id_}", "/preview/notes", f"/search?q={quote(text)}+town",
                     f"/claim/codex/economics/near.md?x={quote(text)}", f"/?domain={quote(text)}",
                     f"/decided?of=inbox/notes.md&domain={quote(text)}"):  # fmt: skip
            page = served.get(path)
            assert page.status == 200, path
            tags = Tags(page.text).found
            assert "img" not in {tag for tag, _ in tags}
            assert all(given.get("src", "").startswith("/static/") for tag, given in tags if tag == "script")
            assert not any(name.startswith("on") for _, given in tags for name in given)
        assert text in unescape(served.get("/review/notes").text)


def test_a_source_that_would_steer_the_eye_is_shown_as_it_is(kb: Base) -> None:
    kb.ingest(sentences=[*SENTENCES, "Boats \u202etxet\u202c turn slowly in the harbours of the larger towns."])
    with Served(kb.root) as served:
        served.open()
        assert "\u202e" not in served.get("/review/notes").text


def test_blind_proposals_look_like_others_without_hints(kb: Base) -> None:
    kb.ingest()
    kb.claim("near", SENTENCES[0])
    kb.commit_all()
    with Served(kb.root) as served:
        served.open()
        assert "Nearest claims" in served.get("/review/notes").text
    record = "inbox/proposals/notes.json"
    kb.write(record, kb.read(record).replace('"blind": false', '"blind": true'))
    assert '"blind": true' in kb.read(record)
    with Served(kb.root) as served:
        served.open()
        for name, id_ in served.room.desk.queue():
            card = served.get(f"/item/{name}/{id_}").text
            assert "blind" not in card.casefold()
            assert "Nearest" not in card
            assert "Please check" not in card
            assert "data-adds" not in card


def test_a_preview_says_what_becomes_of_what(served: Served) -> None:
    assert "Nothing is marked" in served.get("/preview/notes").text
    (name, first), (_, second), _ = served.room.desk.queue()
    served.mark(name, first, "approve")
    served.mark(name, second, "reject", reason="vague")
    page = served.get("/preview/notes").text
    assert "notes: 1 approved, 1 rejected, 1 wait" in page
    assert re.search(r"codex/economics/[\w-]+\.md", page)
    assert "vague" in page
    served.mark(name, first, "approve", domain="../../etc")
    assert "To be mended first" in served.get("/preview/notes").text


def test_a_claim_has_its_evidence_history_and_links(served: Served, kb: Base) -> None:
    (name, first), *_ = served.room.desk.queue()
    served.mark(name, first, "approve")
    done = served.post("apply", {"name": name, "seen": ""}).json
    [path] = done["approved"]
    stem = path.rpartition("/")[2].removesuffix(".md")
    kb.claim("depends", "Boats depend on it", depends_on=[stem], body=f"See [[{stem}]].")
    kb.claim("links", "Boats link to it", body=f"See [[{stem}]].")
    page = served.get(f"/claim/{quote(path)}").text
    depending, _, rest = page.partition("Links to")
    assert "Boats depend on it" in depending.partition("Depends on it")[2]
    assert "Boats link to it" in rest.partition("Linked from")[2]
    assert f'data-withdraw="{first}"' in page
    assert "inbox/notes.md" in page
    assert "Rita Reviewer" in page
    assert "Boats depend on it" in served.get("/search?q=boats+depend").text
    assert f'data-withdraw="{first}"' in served.get(done["page"]).text


@pytest.mark.parametrize("path", ["../../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "/etc/passwd", "inbox/notes.md",
                                  ".codex-kb/port", "codex.toml", "codex/%00", "none.md", "%ff"])  # fmt: skip
def test_a_claims_page_shows_claims_alone(served: Served, path: str) -> None:
    answer = served.get(f"/claim/{path}")
    assert answer.status == 404
    assert "root:" not in answer.text


def test_a_source_without_proposals_has_one_box(kb: Base) -> None:
    kb.source(sentences=["What now?", "And then?"])
    assert kb.run("ingest", "inbox").code == 0
    with Served(kb.root) as served:
        served.open()
        page = served.get("/review/notes").text
        assert "Nothing to claim here" in page
        assert 'data-box="1"' in page
        [(name, id_)] = served.room.desk.queue()
        served.mark(name, id_, "approve")
        assert served.post("apply", {"name": name, "seen": ""}).status == 200
    assert "null-result" in kb.read("inbox/notes.md")


def test_what_fails_is_a_page_that_says_what_to_do(served: Served, kb: Base) -> None:
    kb.path("inbox/notes.md").unlink()
    answer = served.get("/review/notes")
    assert answer.status == 404
    assert "inbox/notes.md" in answer.text
    assert served.get("/decided?of=../x").status == 404


def test_a_fault_of_ours_is_said_and_the_server_goes_on(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "of_queue", lambda *_: 1 / 0)
    answer = served.get("/")
    assert answer.status == 500
    assert "a fault of ours: ZeroDivisionError" in answer.text
    assert served.get("/review/notes").status == 200


def test_a_card_has_all_that_a_packet_has(kb: Base) -> None:
    kb.ingest()
    near = kb.claim("near", "Boats <b>float</b>")
    kb.commit_all()
    value = json.loads(kb.read("inbox/proposals/notes.json"))
    value["proposals"][0] |= {
        "debate": [{"side": "for", "point": "<b>It says so</b>", "quote": "dispersed information", "place": ""},
                   {"side": "against", "point": "It does not", "quote": SENTENCES[0], "place": "inbox/notes.md"}],
        "relation": "challenges", "target": near, "why": "it <i>denies</i> it",
        "unlocated": ["<u>Nobody</u> said this."], "notes": ["<s>check</s> this"],
    }  # fmt: skip
    kb.write("inbox/proposals/notes.json", json.dumps(value))
    kb.path("inbox/proposals/notes.md").unlink()
    with Served(kb.root) as served:
        served.open()
        page = served.get("/review/notes")
        text = unescape(page.text)
        for said in ("Debate: points that hold: 0 for, 1 against", "<b>It says so</b>", "the point is lost",
                     "it <i>denies</i> it", "Not located: this does not stand", "<u>Nobody</u> said this.",
                     "<s>check</s> this", "challenges", 'data-kind="challenge"', "[[near]]"):  # fmt: skip
            assert said in text, said
        assert not {"i", "u", "s"} & {tag for tag, _ in Tags(page.text).found}
        assert "<b>It" not in page.text
        (name, id_), *_ = served.room.desk.queue()
        kb.edit("- reason:", "- reason: one\n- reason: two")
        assert "a second reason in one section" in served.get(f"/item/{name}/{id_}").text


def test_what_says_nearly_the_same_as_a_claim_is_shown_beside_it(served: Served, kb: Base) -> None:
    (name, id_), *_ = served.room.desk.queue()
    served.mark(name, id_, "approve")
    title = served.room.desk.item(name, id_).section.title
    kb.claim("same", title)
    kb.commit_all()
    page = served.get("/preview/notes").text
    assert "Waits: a claim says nearly the same" in page
    assert "/claim/codex/economics/same.md" in page
    done = served.post("apply", {"name": name, "seen": ""}).json
    assert "says nearly what codex/economics/same.md says" in done["faults"][0]["message"]
    card = served.get(f"/item/{name}/{id_}").text
    assert "Nearly the same as" in card
    assert 'data-adds="[[same]]"' in card


def test_a_named_source_is_alone_and_its_pages_stay_when_all_is_decided(kb: Base) -> None:
    kb.source("ports", [f"Harbour number {n} is deeper than the town behind it needs for its boats." for n in range(3)])
    kb.ingest()
    with Served(kb.root, "notes") as served:
        served.open()
        assert "Harbour number" not in served.get("/").text
        for name, id_ in served.room.desk.queue():
            served.mark(name, id_, "reject", reason="vague")
        done = served.post("apply", {"name": "notes", "seen": ""}).json
        assert served.get(done["page"]).status == 200
        assert "Nothing waits for review" in served.get("/").text


def test_what_an_agent_proposed_says_so_and_what_the_program_proposed_does_not(served: Served, kb: Base) -> None:
    assert "proposed by" not in served.get("/review/notes").text
    with api.open(kb.root) as base:
        done = base.propose("ada", "inbox/notes.md", Suggestion("Cities teach those who work there", SENTENCES[1]))
    assert done.proposal
    assert "proposed by agent:ada" in served.get(f"/item/notes/{done.proposal.id}").text


def test_a_claims_page_shows_texts_of_links_and_whole_words(kb: Base) -> None:
    around = " ".join(f"Is {'w' * 30}{number:03} so?" for number in range(40))
    kb.ingest(sentences=[f"{around} {SENTENCES[0]} {around}"])
    with Served(kb.root) as served:
        served.open()
        for name, id_ in served.room.desk.queue():
            served.mark(name, id_, "approve")
        path = served.post("apply", {"name": "notes", "seen": ""}).json["approved"][0]
        page = unescape(served.get(f"/claim/{quote(path)}").text)
    assert "](<" in kb.read(path)
    assert "](<" not in page
    shown = [each for part in re.findall(r'<span class="dim">([^<]*)</span>', page) for each in part.split()]
    assert shown
    assert {*shown} <= {*around.split()}
