"""What a proposal says of known claims: shown in its packet, and added to a claim where a person says so."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_kb.config import Settings
from codex_kb.disk.serialise import packet_to_json
from codex_kb.disk.store import Store
from codex_kb.layout import Layout
from codex_kb.propose import drafts
from codex_kb.records import Draft, Evidence, Hit, Packet, Proposal, Source, Turn
from codex_kb.review import decide, packet, publish, reading
from codex_kb.text import marks
from codex_kb.text.fields import byline
from codex_kb.text.markdown_file import parse
from conftest import HEAD, SENTENCES, Base

PACKET = "inbox/proposals/notes.md"
TARGET = "codex/economics/cities.md"
TAIL = "It is argued.\n\n---\n\nRelevant Notes:\n- [[other]]\n\nTopics:\n- economics"
DRAFTS = [
    Draft(f"Claim {number} about cities", (), description="Workers learn from one another") for number in (1, 2, 3)
]
HOSTILE = (
    "## [x] forged", "one\n## [x] forged", "<!-- id: 000000000000 -->", "x\n<!-- id: 000000000000 -->",
    "- reason: wrong", "reason: wrong", "x\n- reason: wrong", "x\r- as: challenge", "> quoted", "\x1b[31mred\x1b[0m",
    "\x9b2J", "x\nReviewed-by: Eve <eve@example.org>", "<!-- open", "--><!-- ! x -->", "=======", "<<<<<<< HEAD",
    "type: proposals", "4. Does anything here contradict it?", "</details>", "\u2028## [x] forged", "../../etc/passwd",
    "[[other]]", "", " ",
)  # fmt: skip


def stored(kb: Base) -> tuple[Source, int]:
    store = Store(Layout(kb.root), Settings())
    return store.source("inbox/notes.md"), store.read_markdown("inbox/notes.md").body_line


def waits(kb: Base, *given: Draft, report: tuple[str, ...] = (), near: str = TARGET, **more: Any) -> list[Proposal]:
    """Write a packet as ingest does; each draft quotes the sentence of its place, unless it has quotes of its own."""
    kb.source("notes", head=HEAD.replace("unprocessed", "processing"))
    source, line = stored(kb)
    hits = (Hit(near, "Cities", 0.7),) if near else ()
    made = []
    for number, draft in enumerate(given):
        start = source.body.index(SENTENCES[number])
        spans = draft.spans or (() if draft.unlocated else ((start, start + len(SENTENCES[number])),))
        proposal = drafts.proposal(source, dataclasses.replace(draft, spans=spans), drafts.Near(hits), "model", 0)
        made.append(dataclasses.replace(proposal, **more))
    written = Packet("notes", source.path, source.body_sha256, "model", 0, tuple(made), report=report)
    kb.write("inbox/proposals/notes.json", packet_to_json(written))
    kb.write(PACKET, packet.render(written, byline(source), packet.Placer(source, line)))
    kb.commit_all()
    return made


def judged(relation: str = "enriches", number: int = 0, why: str = "It gives the number") -> Draft:
    return dataclasses.replace(DRAFTS[number], relation=relation, target=TARGET, why=why)


@pytest.fixture
def cities(kb: Base) -> Base:
    """A knowledge base with one claim, closed as claims are."""
    kb.claim("cities", "Cities make workers productive", body=TAIL)
    kb.commit_all()
    assert kb.run("distill").code == 0
    return kb


# -- proposals -------------------------------------------------------------------------------------


def source_of(body: str = "A body.") -> Source:
    return Source("inbox/a.md", {}, body, "0" * 64, "A", "Ann", "", "", "boats", "processing")


NEAR = drafts.Near((Hit("codex/a.md", "A", 0.9), Hit("codex/b.md", "B", 0.2)))


@pytest.mark.parametrize(
    ("relation", "target", "expected"),
    [
        ("", "", ("duplicate", "", "", False)),
        ("new", "", ("new", "", "so", False)),
        ("new", "codex/b.md", ("new", "", "so", False)),
        ("challenges", "codex/b.md", ("challenges", "codex/b.md", "so", False)),
        ("challenges", "", ("duplicate", "", "", True)),
        ("enriches", "../../etc/passwd", ("duplicate", "", "", True)),
        ("approved", "codex/b.md", ("duplicate", "", "", True)),
    ],
)
def test_a_judgement_wins_where_it_names_a_near_claim(
    relation: str, target: str, expected: tuple[str, str, str, bool]
) -> None:
    draft = Draft("T", ((0, 1),), "D", "d", "likely", relation=relation, target=target, why="so")
    made = drafts.proposal(source_of(), draft, NEAR, "model", 0)
    assert (made.relation, made.target, made.why, bool(made.notes)) == expected


def test_quotes_that_are_not_located_count_for_the_id_and_rank_last() -> None:
    both = [Draft("T", ((0, 1),), unlocated=("x",)), Draft("T", ((0, 1),)), Draft("U", ((0, 1),), unlocated=("y",))]
    made = [drafts.proposal(source_of(), draft, drafts.Near(), "model", 0) for draft in both]
    assert len({p.id for p in made}) == 3
    assert made[0].unlocated == ("x",)
    assert drafts.ranked(made) == [made[1], made[0], made[2]]


# -- the packet ------------------------------------------------------------------------------------


def test_a_section_shows_what_each_question_needs(cities: Base) -> None:
    turns = (Turn("against", "Rents rise", "Rents rise too", ""),)
    first, *_ = waits(cities, judged(), debate=turns, notes=("the source names no domain",), report=("2 parts failed",))
    text = cities.read(PACKET)
    assert "- The run: 2 parts failed\n" in text
    section = text[text.index("## [ ]") :]
    start = stored(cities)[0].body.index(SENTENCES[0])
    assert section.startswith(f"""\
## [ ] Claim 1 about cities

<!-- id: {first.id} -->

- description: Workers learn from one another
- domain: general
- confidence: speculative
- adds to: [[cities]]
- as: extend
- reason:

> {SENTENCES[0]}

1. Does the quote say it?
   - Quote: notes.md, line 11 (characters {start}-{start + len(SENTENCES[0])})
2. Is it specific enough to be wrong? Please check:
   - the source names no domain
3. Is it new? Nearest claims (enriches):
   - enriches [[cities]]: It gives the number
   - 0.70 [[cities]]
4. Does anything here contradict it?

   <details>
   <summary>Debate:""")


def test_a_challenge_stands_below_the_last_question(cities: Base) -> None:
    waits(cities, judged("challenges", why="Rents eat it up"))
    text = cities.read(PACKET)
    assert "contradict it?\n   - challenges [[cities]]: Rents eat it up\n\n## Missed claim:\n" in text
    assert "- as: challenge\n" in text


def test_approving_a_quote_that_is_not_located_fails_unedited(cities: Base) -> None:
    draft = dataclasses.replace(judged(), unlocated=("Nobody wrote this.\nNot this either.",))
    first, *_ = waits(cities, draft)
    text = cities.read(PACKET)
    assert "does not stand in the source word for word.\n\n> Nobody wrote this.\n> Not this either.\n" in text
    before = cities.snapshot()
    for mark in "x+":
        cities.write(PACKET, text.replace("[ ]", f"[{mark}]"))
        refused = cities.run("review", "--apply")
        assert (refused.code, "a quote does not stand in the source word for word" in refused.err) == (1, True)
        assert cities.run("review", "--approve" if mark == "x" else "--add", first.id).code == 1
    cities.write(PACKET, text)
    assert cities.snapshot() == before
    cities.edit("> Nobody wrote this.\n> Not this either.", f"> {SENTENCES[1]}")
    cities.mark("x")
    assert cities.run("review", "--apply").code == 0


def test_a_debate_is_put_into_a_section_that_was_edited() -> None:
    proposal = sample()
    argued = dataclasses.replace(proposal, debate=(Turn("for", "It holds", "A quote", ""),))
    text = packet.render_section(proposal, lambda _: "Quote: a.md")
    for edited in (text.replace("- reason:", "- reason: ask Ann"), text + "\nmy remark\n", text.replace("\n", "\r\n")):
        fresh = packet.with_debate(edited, argued, lambda _: "Quote: a.md")
        assert fresh.count("<details>") == fresh.count("4. Does anything") == 1
        assert packet.with_debate(fresh, argued, lambda _: "Quote: a.md") == fresh
        assert packet.with_debate(fresh, proposal, lambda _: "Quote: a.md") == edited
    cut = text[: text.index("4. Does")]
    assert packet.with_debate(cut, proposal, lambda _: "Quote: a.md") == text


# -- nothing in a text forges anything -------------------------------------------------------------

texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=20)),
             max_size=4).map("\n".join),
)  # fmt: skip


def sample(text: str = "plain", **more: Any) -> Proposal:
    evidence = Evidence("inbox/a.md", "0" * 64, f"q{text}q", 0, len(text) + 2)
    values: dict[str, Any] = {
        "title": text, "description": text, "why": text, "notes": (text,), "unlocated": (text,),
        "debate": (Turn("for", text, text, ""), Turn("against", text, text, text)), "evidence": (evidence,),
        "nearest": (Hit(f"codex/{text}.md", text, 0.7),), "target": f"codex/{text}.md", "relation": "enriches",
    }  # fmt: skip
    return Proposal("0123456789ab", "inbox/a.md", "0" * 64, domain="boats", confidence="likely", proposer="model",
                    generation=0,
                    **{**values, "debate": (), **more} if text == "plain" else {**values, **more})  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(texts, texts, texts, texts, st.sampled_from(["new", "duplicate", "enriches", "challenges"]))
def test_what_was_written_comes_back(title: str, description: str, why: str, note: str, relation: str) -> None:
    draft = Draft(title or "T", ((0, 6),), description, "boats", "likely", (note,), (note, why))
    near = drafts.Near((Hit("codex/a.md", "A", 0.7),))
    made = drafts.proposal(source_of(), draft, near, "model", 0)
    made = dataclasses.replace(made, relation=relation, why=why, notes=(note,), target="codex/a.md",
                               debate=(Turn("for", why, note, ""),))  # fmt: skip
    written = Packet("a", "inbox/a.md", "0" * 64, "model", 0, (made,), ((note, why),), (why,))
    parsed = reading.parse(packet.render(written, note, lambda _: why))
    assert parsed.errors == ()
    [section] = parsed.sections
    assert (section.errors, section.mark, section.id, section.title) == ([], "wait", made.id, made.title)
    adds = {"adds to": "[[a]]", "as": packet.addition(made)[1]} if relation != "new" else {}  # type: ignore[index]
    assert section.fields == {
        "description": made.description, "domain": "boats", "confidence": "likely", "reason": "", **adds,
    }  # fmt: skip
    assert section.quotes == ["\n".join(packet.quote_lines(q)) for q in ("A body", note, why)]


@settings(max_examples=150, deadline=None)
@given(texts)
def test_below_the_quotes_every_line_is_ours_or_indented(text: str) -> None:
    shown = packet.render_section(sample(text), lambda _: text)
    below = shown[shown.index("\n1. Does") + 1 :].split("\n")
    assert all(line == "" or line.startswith("   ") or line[:3] in ("1. ", "2. ", "3. ", "4. ") for line in below)
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert "\r" not in shown


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_decide_nothing_and_reach_no_path_or_terminal(cities: Base, text: str) -> None:
    title = marks.one_line(f"Towns {text} learn")
    draft = dataclasses.replace(judged(why=text), title=title, description=f"So {text}")
    [made] = waits(cities, draft, notes=(text,), debate=(Turn("against", text, text, text),), report=(text,))
    before = cities.claims()
    assert cities.run("review", "--apply").code == 0
    assert cities.claims() == before
    for command in (["show", made.id], ["proposals"]):
        shown = cities.run(*command)
        assert (shown.code, "\x1b" in shown.out + shown.err, "\x9b" in shown.out + shown.err) == (0, False, False)
    assert cities.run("review", "--add", made.id).code == 0
    assert cities.claims() == before
    message = cities.git("log", "-1", "--format=%B")
    trailers = cities.git("log", "-1", "--format=%(trailers:key=Reviewed-by,valueonly)")
    assert trailers == "Rita Reviewer <rita@example.org>"
    assert "\x1b" not in message
    claim = parse(cities.path(TARGET).read_bytes(), "claim")
    assert (claim.faults, claim.fields["confidence"], "status" in claim.fields) == ((), "likely", False)
    assert cities.git("status", "--porcelain") == ""


def test_a_target_outside_of_the_claims_is_never_written(cities: Base) -> None:
    cities.write("notes.md", "---\ntype: note\n---\nmine\n")
    for target in ("../outside.md", "notes.md", "inbox/notes.md", "/etc/passwd"):
        [made] = waits(cities, judged(), target=target)
        before = cities.snapshot()
        refused = cities.run("review", "--add", made.id)
        assert (refused.code, "names no claim" in refused.err) == (1, True)
        assert cities.snapshot() == before


# -- adding to a claim -----------------------------------------------------------------------------


def test_adding_changes_the_claim_and_closes_the_source(cities: Base) -> None:
    before = cities.read(TARGET)
    waits(cities, judged())
    cities.mark("+")
    done = cities.run("review", "--apply")
    assert (done.code, f"added as extend: {TARGET}" in done.err) == (0, True)
    assert "0 approved, 1 added, 0 rejected, 0 wait" in done.err
    text = cities.read(TARGET)
    today = text.split("| Added: ")[1][:10]
    block = f"""\
### Additional Evidence (extend)
*Source: [[notes]] | Added: {today} | Extractor: model*

> {SENTENCES[0]}

Workers learn from one another.

"""
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("evidence: ")]
    assert "".join(lines) == before.replace("---\n\nRelevant", f"{block}---\n\nRelevant")
    [line] = [line for line in text.split("\n") if line.startswith("evidence: ")]
    [entry] = json.loads(line.removeprefix("evidence: "))
    body = stored(cities)[0].body
    assert entry["quote"] == SENTENCES[0] == body[entry["start"] : entry["end"]]
    fields = parse(cities.path("inbox/notes.md").read_bytes(), "notes").fields
    assert (fields["status"], fields["claims_extracted"]) == ("processed", [])
    assert fields["enrichments"] == ["Cities make workers productive"]
    [decision] = cities.decisions()
    assert (decision["verdict"], decision["claim"], decision["proposal"]["added_as"]) == ("approved", TARGET, "extend")
    assert (decision["proposal"]["target"], decision["proposal"]["why"]) == (TARGET, "It gives the number")
    message = cities.git("log", "-1", "--format=%B")
    assert message.startswith("model: add evidence to 1 claim from notes\n\nWhat: 0 approved, 1 added, 0 rejected, ")
    assert "- added as extend to Cities make workers productive: Claim 1 about cities\n" in message
    assert cities.git("status", "--porcelain") == ""
    assert "added as extend by Rita" in cities.run("show", TARGET).out


def test_the_index_stays_fresh_and_check_finds_nothing(cities: Base) -> None:
    entries = set(cities.path("codex/index").glob("??/*.jsonl"))
    first, second = waits(cities, judged(), judged(number=1))
    assert cities.run("review", "--add", first.id).code == 0
    assert not {p["code"] for p in cities.run("check", "--json").json} & {"stale-index", "ambiguous-link", "lost-quote"}
    assert cities.run("review", "--add", second.id).code == 0
    assert cities.run("status", "--json").json["index"] == {"fresh": True, "claims": 1}
    after = set(cities.path("codex/index").glob("??/*.jsonl"))
    assert (len(after), after & entries) == (1, set())
    assert cities.run("check", "--json").code == 1, "[[other]] is dead"
    assert {p["code"] for p in cities.run("check", "--json").json if p["severity"] == "error"} == {"dead-link"}
    assert [p["code"] for p in cities.run("check", "--json").json].count("no-decision") == 1
    head = cities.git("rev-parse", "HEAD")
    assert cities.run("distill").code == 0
    assert cities.git("rev-parse", "HEAD") == head


def test_the_entry_of_a_claim_with_a_twin_stays(cities: Base) -> None:
    cities.write("codex/towns/cities.md", cities.read(TARGET))
    assert cities.run("distill").code == 0
    cities.commit_all()
    [made] = waits(cities, judged())
    assert cities.run("review", "--add", made.id).code == 0, "the link was written for one of the two"
    assert "Additional Evidence" in cities.read(TARGET)
    assert "Additional Evidence" not in cities.read("codex/towns/cities.md")
    assert len(list(cities.path("codex/index").glob("??/*.jsonl"))) == 2
    assert cities.run("status", "--json").json["index"] == {"fresh": True, "claims": 2}


def test_two_proposals_and_a_new_claim_in_one_packet_all_land(cities: Base) -> None:
    waits(cities, judged(), judged("challenges", 1), DRAFTS[2])
    cities.mark("+", count=2)
    cities.mark("x", count=1)
    assert cities.run("review", "--apply").code == 0
    text = cities.read(TARGET)
    assert text.index("Evidence (extend)") < text.index("Evidence (challenge)") < text.index("---\n\nRelevant")
    fields = parse(text.encode(), "claim").fields
    assert ([e["quote"] for e in fields["evidence"]], fields["challenged_by"]) == (list(SENTENCES[:2]), ["[[notes]]"])
    assert 'challenged_by: ["[[notes]]"]\n' in text
    assert cities.git("log", "-1", "--format=%s") == "model: add 1 claim from notes"
    source = parse(cities.path("inbox/notes.md").read_bytes(), "notes").fields
    assert len(source["claims_extracted"]) == len(source["enrichments"]) == 1


def test_enrichments_come_when_the_packet_is_done_and_keep_what_is_there(cities: Base) -> None:
    first, second = waits(cities, judged(), DRAFTS[1])
    cities.edit("status: processing", 'enrichments:\n  - "an older one"\nstatus: processing', "inbox/notes.md")
    cities.commit_all()
    assert cities.run("review", "--add", first.id).code == 0
    assert "Cities make" not in cities.read("inbox/notes.md")
    assert cities.run("review", "--reject", second.id).code == 0
    fields = parse(cities.path("inbox/notes.md").read_bytes(), "notes").fields
    assert (fields["status"], fields["enrichments"]) == (
        "processed",
        ["an older one", "Cities make workers productive"],
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("- adds to: [[cities]]", "- adds to: [[nowhere]]", "[[nowhere]] names no claim that there is"),
        ("- adds to: [[cities]]", "- adds to:", "name the claim that it is added to"),
        ("- as: extend", "- as: prove", 'as "prove" is not one of extend, confirm, challenge'),
        ("- adds to: [[cities]]", "- adds to: [[Towns]]", "may mean codex/a/towns.md, codex/b/towns.md: name the path"),
    ],
)
def test_an_addition_that_cannot_be_made_changes_nothing(cities: Base, old: str, new: str, message: str) -> None:
    cities.claim("towns", "Towns grow", domain="a")
    cities.claim("towns", "Towns shrink", domain="b")
    waits(cities, judged())
    cities.mark("+")
    cities.edit(old, new)
    before = cities.snapshot()
    refused = cities.run("review", "--apply")
    assert (refused.code, message in refused.err) == (1, True)
    assert cities.snapshot() == before


@pytest.mark.parametrize("link", ["[[codex/b/towns]]", "[[Towns shrink|so]]", "codex/b/towns.md", "towns SHRINK"])
def test_a_person_names_another_claim_and_another_way(cities: Base, link: str) -> None:
    cities.claim("towns", "Towns grow", domain="a")
    cities.claim("towns", "Towns shrink", domain="b")
    waits(cities, judged())
    cities.edit("- adds to: [[cities]]", f"- adds to: {link}")
    cities.edit("- as: extend", "- as: confirm")
    cities.mark("+")
    assert cities.run("review", "--apply").code == 0
    assert "Evidence (confirm)" in cities.read("codex/b/towns.md")


def test_x_makes_a_claim_whatever_the_relation(cities: Base) -> None:
    before = cities.read(TARGET)
    [made] = waits(cities, judged("duplicate"))
    assert cities.run("review", "--approve", made.id, "--add", made.id).code == 2
    assert cities.run("review", "--approve", made.id).code == 0
    assert (cities.read(TARGET), len(cities.claims())) == (before, 2)
    assert "added_as" not in cities.decisions()[0]["proposal"]


def test_the_nearest_claim_stands_in_for_a_target_and_a_new_one_has_none(cities: Base) -> None:
    first, second = waits(cities, DRAFTS[0], judged("new", 1))
    assert (first.relation, first.target) == ("enriches", "")
    refused = cities.run("review", "--add", second.id)
    assert (refused.code, "name the claim that it is added to" in refused.err) == (1, True)
    assert cities.run("review", "--add", first.id).code == 0
    assert "Evidence (extend)" in cities.read(TARGET)


def test_a_claim_with_changes_of_the_users_own_stops_with_4(cities: Base) -> None:
    [made] = waits(cities, judged())
    cities.edit("It is argued.", "It is argued well.", TARGET)
    before = cities.snapshot()
    assert cities.run("review", "--add", made.id).code == 4
    assert cities.snapshot() == before


def test_a_source_that_shares_its_stem_is_linked_by_path(cities: Base) -> None:
    cities.source("deep/notes")
    [made] = waits(cities, judged("challenges"))
    assert cities.run("review", "--add", made.id).code == 0
    assert "[[inbox/notes]]" in cities.read(TARGET)
    assert "ambiguous-link" not in {p["code"] for p in cities.run("check", "--json").json}


# -- who depends on it -----------------------------------------------------------------------------


def test_claims_that_depend_on_a_challenged_one_are_named(cities: Base) -> None:
    for number, link in enumerate(["[[Cities]]", "cities make workers productive", TARGET, "[[other]]"]):
        cities.claim(f"dependent-{number}", f"Claim {number} rests on it", depends_on=[link])
    linked = "codex/economics/linked.md"
    cities.claim("linked", "A claim that only links", body="See [[cities]].")
    first, second = waits(cities, judged(), judged("challenges", 1))
    assert "look again" not in cities.run("review", "--add", first.id).err
    done = cities.run("review", "--add", second.id)
    assert [number for number in range(4) if f"look again at: codex/economics/dependent-{number}.md" in done.err] == [
        0, 1, 2,
    ]  # fmt: skip
    assert linked not in done.err
    notes = [p for p in cities.run("check", "--json").json if p["code"] == "depends-on-challenged"]
    assert [(p["path"][-4:-3], p["line"], p["severity"]) for p in notes] == [(str(n), 8, "note") for n in range(3)]
    assert notes[0]["message"] == f"depends on {TARGET}, which is challenged"


def test_check_notes_claims_that_depend_on_a_retired_one(kb: Base) -> None:
    kb.claim("old", "Old towns are rich", status="retired", depends_on=["old"])
    kb.claim("new", "New towns are rich", depends_on="[[old]]")
    [note] = [p for p in kb.run("check", "--json").json if p["code"] == "depends-on-challenged"]
    assert (note["path"], note["message"][-7:]) == ("codex/economics/new.md", "retired")


def test_a_title_with_a_slash_is_a_title(kb: Base) -> None:
    kb.claim("wages", "Wages and/or rents rise with size", status="retired")
    kb.claim("new", "New towns are rich", depends_on="[[Wages and/or rents rise with size]]")
    assert [p["path"] for p in kb.run("check", "--json").json if p["code"] == "depends-on-challenged"] == [
        "codex/economics/new.md",
    ]  # fmt: skip


# -- the file's bytes ------------------------------------------------------------------------------

HEADER = '---\ntype: claim  # a remark\nevidence: {evidence}\nchallenged_by: "Nobody has flown it"\ntags: [a, b]\n---\n'
EVIDENCE = Evidence("inbox/notes.md", "0" * 64, "Boats\r\nfloat.", 3, 16)
ADDED = publish.Addition("challenge", (EVIDENCE,), "They sink", "notes", "model", "2026-03-01")
BLOCK = """\
### Additional Evidence (challenge)
*Source: [[notes]] | Added: 2026-03-01 | Extractor: model*

> Boats
> float.

They sink."""


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("# T\n\nSo.\n", "# T\n\nSo.\n\n{}\n"),
        ("# T\n\nSo.", "# T\n\nSo.\n\n{}"),
        ("# T\n\nSo.\n\n---\n\nRelevant Notes:\n- [[a]]\n", "# T\n\nSo.\n\n{}\n\n---\n\nRelevant Notes:\n- [[a]]\n"),
        ("# T\n\nSo.\n\n\n---\nTopics:\n- [[a]]", "# T\n\nSo.\n\n\n{}\n\n---\nTopics:\n- [[a]]"),
        ("# T\n\n---\n\nSo.\n## Relevant Notes\n", "# T\n\n---\n\nSo.\n\n{}\n\n## Relevant Notes\n"),
        ("So.\n\n---\n\nTopics:\n\nRelevant Notes:\n", "So.\n\n{}\n\n---\n\nTopics:\n\nRelevant Notes:\n"),
        ("So.\n\n## Related Claims\n- [[a]]\n", "So.\n\n{}\n\n## Related Claims\n- [[a]]\n"),
        ("```\n---\nTopics:\n```\n\nSo.\n", "```\n---\nTopics:\n```\n\nSo.\n\n{}\n"),
        ("", "{}\n"),
    ],
)
def test_only_the_lines_that_change_are_changed(bom: bytes, newline: str, body: str, expected: str) -> None:
    head = HEADER.replace("{evidence}", "[]")
    data = bom + (head + body).replace("\n", newline).encode()
    done = publish.add_evidence(data, "claim.md", ADDED)
    evidence = json.dumps([dataclasses.asdict(EVIDENCE)])
    head = HEADER.replace("{evidence}", evidence).replace(
        '"Nobody has flown it"', '["Nobody has flown it", "[[notes]]"]'
    )
    assert done == bom + (head + expected.format(BLOCK)).replace("\n", newline).encode()


def test_an_addition_without_a_description_ends_with_its_quote() -> None:
    data = HEADER.replace("{evidence}", "[]").encode()
    done = publish.add_evidence(data, "claim.md", dataclasses.replace(ADDED, description="")).decode()
    assert done.rstrip().splitlines()[-1].startswith("> ")


def test_what_is_there_is_kept_and_nothing_comes_twice() -> None:
    entry = {**dataclasses.asdict(EVIDENCE), "quote": "Older", "page": 4}
    data = HEADER.replace("{evidence}", json.dumps([entry, "by hand"])).encode()
    once = publish.add_evidence(data, "claim.md", ADDED)
    twice = publish.add_evidence(once, "claim.md", dataclasses.replace(ADDED, kind="confirm", description="Yes!"))
    fields = parse(twice, "claim.md").fields
    assert [e["quote"] if isinstance(e, dict) else e for e in fields["evidence"]] == [
        "Older",
        "by hand",
        EVIDENCE.quote,
    ]
    assert fields["challenged_by"] == ["Nobody has flown it", "[[notes]]"]
    line = next(line for line in twice.decode().split("\n") if line.startswith("evidence: "))
    assert [e["start"] for e in json.loads(line[10:]) if isinstance(e, dict)] == [3, 3]
    assert twice.decode().endswith("\n\nYes!\n")


def test_review_decides_an_addition_without_any_files() -> None:
    body = "qplainq"
    proposal = sample(unlocated=(), debate=())
    text = packet.render(Packet("a", "inbox/a.md", "0" * 64, "m", 0, (proposal,)), "A", lambda _: "Quote: a.md, line 1")
    written = Packet("a", "inbox/a.md", "0" * 64, "m", 0, (proposal,))
    outcome = decide.decide(written, text.replace("[ ]", "[+]"), source_of(body), lambda name: [name])
    assert (outcome.errors, outcome.decided, outcome.waiting) == ((), 1, ())
    [added] = outcome.added
    assert (added.claim, added.kind, added.evidence[0].quote) == ("codex/plain.md", "extend", body)
    [row] = decide.decisions(outcome, {}, "Rita", "now")
    assert (row.claim, decide.added_as(row)) == ("codex/plain.md", "extend")


def test_additions_go_to_the_branch_that_the_settings_name(cities: Base) -> None:
    cities.write("codex.toml", '[git]\nbranch = "extract/{source}"\nsubject = "\\u202e{agent}: {n} from {source}"\n')
    first, second = waits(cities, judged(), judged("challenges", 1))
    main = cities.git("rev-parse", "main")
    for made in (first, second):
        assert cities.run("review", "--add", made.id).code == 0
    assert cities.git("rev-parse", "main") == main
    assert cities.git("log", "-1", "--format=%s", "extract/notes") == "model: 1 from notes"
    assert cities.git("show", f"extract/notes:{TARGET}") == cities.read(TARGET).strip()
    assert cities.read(TARGET).count("### Additional Evidence") == 2


def test_a_claim_that_is_a_link_is_not_written_through(cities: Base) -> None:
    cities.write("elsewhere.md", cities.path(TARGET).read_bytes())
    cities.path(TARGET).unlink()
    cities.path(TARGET).symlink_to("../../elsewhere.md")
    [made] = waits(cities, judged())
    before = cities.snapshot()
    assert cities.run("review", "--add", made.id).code in (1, 3)
    assert (cities.snapshot(), cities.path(TARGET).is_symlink()) == (before, True)


def test_an_editor_sees_what_is_wrong_with_an_addition(cities: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    waits(cities, judged())
    script = cities.root.parent / "editor.sh"
    script.write_text(
        'if grep -q "<!-- ! .*names no claim" "$1"; then sed -i "s/nowhere/cities/" "$1"; '
        'else sed -i "s/## \\[ \\]/## [+]/; s/to: .*/to: [[nowhere]]/" "$1"; fi'
    )
    monkeypatch.setenv("VISUAL", f"sh {script}")
    assert cities.run("review").code == 0
    assert "Evidence (extend)" in cities.read(TARGET)
