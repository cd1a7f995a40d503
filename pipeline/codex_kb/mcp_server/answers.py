"""What the verbs return as answers to an agent: short, quoted, with the place of everything. Pure.

What no reader sees is left out: it may be addressed to the agent alone. Quotes are found in the source all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from codex_kb import views
from codex_kb.index.catalog import Card
from codex_kb.index.ranking import FAR
from codex_kb.mcp_server.fitting import NOTICE, Answer, Entry, cut, fitting, page, quoted, room
from codex_kb.records import Claim, Decision, Proposal
from codex_kb.review.blind import as_shown
from codex_kb.review.challenges import challenges
from codex_kb.review.decide import added_as
from codex_kb.review.standing import standing
from codex_kb.text.fields import text as field
from codex_kb.text.marks import visible
from codex_kb.workflow.read import Passage
from codex_kb.workflow.related import Suggested
from codex_kb.workflow.search import Found
from codex_kb.workflow.show import Quote, Shown, Status

if TYPE_CHECKING:
    from codex_kb.workflow.propose import Proposed

#: Characters of a title, a line, a quote and a part of a longer text.
_TITLE, _LINE, _QUOTE, _BODY = 200, 160, 400, 1_500
#: Tokens that each part of a claim's answer takes at most.
_FOR_QUOTES, _FOR_CHALLENGES, _FOR_DECISIONS, _FOR_NEAREST = 1_000, 500, 350, 350
_DIGITS = 4


def hits(found: Sequence[Found], offset: int, more: bool) -> Answer:
    """Claims that a search found."""
    entries = [_hit(each, each.snippet) for each in found]
    head = "Claims, best first." if found else "No claim matches. Ask in other words, or without filters."
    if found and not offset and found[0].score.total < FAR:
        head = "No claim is close to this question; these are the nearest."
    return page("claims", head, entries, offset, more, "search_claims")


def related(claim: str, found: Sequence[Suggested], offset: int, more: bool) -> Answer:
    """Claims that a claim should link to."""
    head = f"Claims near {cut(claim, _TITLE)}, best first." if found else "No claim is near."
    return page("claims", head, [_hit(each) for each in found], offset, more, "related_claims")


def _hit(each: Found | Suggested, snippet: str = "") -> Entry:
    value: dict[str, Any] = {"score": round(each.score.total, _DIGITS), **_card(each.card)}
    if snippet:
        value["snippet"] = cut(snippet, 240)
    return Entry([_place(each), *quoted(value["title"]), *quoted(value.get("snippet", ""))], value)


def _place(each: Found | Suggested) -> str:
    card = each.card
    return f"{each.score.total:.2f} {cut(card.path, 400)} ({cut(_about(card), _LINE)})"


def _about(card: Card) -> str:
    return ", ".join(filter(None, [card.domain, card.confidence, card.status, "challenged" * card.challenged]))


def _card(card: Card) -> dict[str, Any]:
    value = {"path": card.path, "title": cut(card.title, _TITLE), "domain": card.domain,
             "confidence": card.confidence, "description": cut(card.description, _LINE)}  # fmt: skip
    return value | {"standing": _standing(card.status, card.challenged)}


def _standing(status: str, challenged: bool) -> str:
    return "retired" if status == "retired" else "challenged" if challenged else "in force"


def evidence(found: Sequence[tuple[Found, Shown]], offset: int, more: bool) -> Answer:
    """The claims nearest to a sentence with their quotes and what people recorded against them."""
    head = "No claim is near."
    if found:
        head = "The nearest claims with their quotes. Nearness is no verdict: read whether they bear on the sentence."
    return page("claims", head, [_behind(*each) for each in found], offset, more, "find_evidence")


def _behind(hit: Found, known: Shown) -> Entry:
    assert known.claim is not None
    quotes, against = _quotes(known, _FOR_QUOTES), _against(known.claim)
    value: dict[str, Any] = {
        "score": round(hit.score.total, _DIGITS), **_card(hit.card), "quotes": [each.value for each in quotes],
        "challenges": [each.value["text"] for each in against],
    }  # fmt: skip
    lines = [_place(hit), *quoted(cut(hit.card.title, _TITLE)), *_lines(quotes)]
    if not quotes:
        value["snippet"] = cut(hit.snippet, _QUOTE)
        lines += ["   No quotes on record; from its text:", *quoted(value["snippet"])]
    return Entry([*lines, *_lines(against)], value)


def _lines(entries: Sequence[Entry]) -> list[str]:
    return [line for each in entries for line in each.lines]


def _quotes(known: Shown, most: int) -> list[Entry]:
    return fitting([_quote(each) for each in known.quotes], most)


def _quote(each: Quote) -> Entry:
    e = each.evidence
    text = cut(e.quote, _QUOTE)
    gone = "" if each.stands else "; it no longer stands there"
    line = f"   Quote from {cut(e.source, 400)}, characters {e.start}-{e.end}{gone}:"
    value = {"source": e.source, "start": e.start, "end": e.end, "quote": text, "stands": each.stands}
    return Entry([line, *quoted(text)], value)


def _against(found: Claim) -> list[Entry]:
    """What people recorded against a claim."""
    texts = [cut(each, _QUOTE) for each in challenges(found)]
    return fitting([Entry(["   Recorded against it:", *quoted(text)], {"text": text}) for text in texts],
                   _FOR_CHALLENGES)  # fmt: skip


def claim(known: Shown, start: int = 0) -> Answer:
    """One claim with everything behind it, and its text from a character on."""
    found = known.claim
    assert found is not None
    stands = _standing(found.status, bool(found.fields.get("challenged_by")))
    quotes, against, decisions, nearest = _quotes(known, _FOR_QUOTES), _against(found), _decisions(known), _near(known)
    body = visible(found.body)[start:]
    text = body[: room(body, _BODY)]
    value: dict[str, Any] = {
        "notice": NOTICE, "path": found.path, "title": cut(found.title, _TITLE), "domain": cut(found.domain, _LINE),
        "confidence": cut(found.confidence, _LINE), "description": cut(found.description, _QUOTE),
        "standing": stands, "attribution": cut(field(found.fields.get("source")), _LINE), "text": text,
        "next_start": start + len(text) if len(text) < len(body) else None,
        "quotes": [each.value for each in quotes], "quotes_left_out": len(known.quotes) - len(quotes),
        "challenges": [each.value["text"] for each in against], "decisions": [each.value for each in decisions],
        "nearest": [each.value for each in nearest],
    }  # fmt: skip
    about = ", ".join(filter(None, [value["domain"], value["confidence"], stands]))
    lines = [f"{cut(found.path, 400)} ({about})", NOTICE, *quoted(value["title"]), *quoted(value["description"]),
             *_lines([*quotes, *against, *decisions, *nearest]), "   Its text:", *quoted(text)]  # fmt: skip
    if value["next_start"]:
        lines.append(f"More: read_claim with start {value['next_start']}.")
    return Answer("\n".join(lines), value)


def _decisions(known: Shown) -> list[Entry]:
    """What was decided and counts, the latest first."""
    return fitting([_decision(each) for each in reversed(standing(known.decisions).values())], _FOR_DECISIONS)


def _decision(each: Decision) -> Entry:
    value = {
        "verdict": "added evidence" if added_as(each) else each.verdict, "by": cut(each.reviewer, _LINE),
        "time": cut(each.time[:19], 40), "proposer": cut(each.proposer, _LINE), "source": each.source,
    }  # fmt: skip
    return Entry([f"   {value['time']} {value['verdict']} by {value['by']}; proposed by {value['proposer']} from "
                  f"{cut(each.source, 400)}"], value)  # fmt: skip


def _near(known: Shown | Proposal) -> list[Entry]:
    return fitting([
        Entry([f"   Near: {hit.score:.2f} {cut(hit.path, 400)}"],
              {"path": hit.path, "title": cut(hit.title, _TITLE), "score": hit.score})
        for hit in known.nearest
    ], _FOR_NEAREST)  # fmt: skip


def proposals(found: Sequence[Proposal], offset: int, more: bool) -> Answer:
    """What waits for a person's decision."""
    head = "Proposals that wait for a person's decision; none of them is a claim." if found else "Nothing waits."
    entries = [_proposal(each) for each in views.proposals(found)]
    return page("proposals", head, entries, offset, more, "list_proposals")


def _proposal(each: views.Value) -> Entry:
    quotes = [cut(e["quote"], _QUOTE) for e in each["evidence"][:2]]
    kept = ("id", "source", "domain", "confidence", "relation", "proposer")
    value: dict[str, Any] = {name: each[name] for name in kept}
    value |= {"title": cut(each["title"], _TITLE), "description": cut(each["description"], _LINE), "quotes": quotes,
              "nearest": [hit["path"] for hit in each["nearest"][:2]]}  # fmt: skip
    line = f"{each['id']} from {cut(each['source'], 400)}, {each['relation']}, proposed by {cut(each['proposer'], 80)}"
    return Entry([line, *quoted(value["title"]), *(line for quote in quotes for line in quoted(quote))], value)


_BECAME = {
    "proposed": "It waits for a person's decision. It is no claim: do not cite it.",
    "waiting": "It waits for a person's decision already; nothing was written.",
    "held back": "People decided about it before; nothing was written. Do not propose it again in other words.",
}


def proposed(found: Proposed) -> Answer:
    """What became of an agent's proposal."""
    each = as_shown(found.proposal) if found.proposal else None
    nearest = _near(each) if each else []
    value: dict[str, Any] = {
        "notice": NOTICE, "status": found.status, "reason": cut(found.reason, _QUOTE), "id": each.id if each else None,
        "packet": found.packet or None, "relation": each.relation if each else None,
        "nearest": [hit.value for hit in nearest],
    }  # fmt: skip
    lines = [f"{found.status}: {_BECAME[found.status]}"]
    if each:
        lines.append(f"id {each.id} in {cut(found.packet, 400)}, {each.relation}")
    if nearest or found.reason:
        lines.append(NOTICE)
    return Answer("\n".join([*lines, *_lines(nearest), *quoted(cut(found.reason, _QUOTE))]), value)


def passage(found: Passage) -> Answer:
    """A part of a source."""
    source, left = found.source, len(found.source.body) - found.end
    value: dict[str, Any] = {
        "notice": NOTICE, "path": source.path, "title": cut(source.title, _TITLE), "author": cut(source.author, _LINE),
        "date": cut(source.date, 40), "url": cut(source.url, _QUOTE), "status": cut(source.status, 40),
        "text": visible(found.text), "start": found.start, "end": found.end, "first_line": found.first,
        "last_line": found.last, "characters": len(source.body), "next_start": found.end if left else None,
    }  # fmt: skip
    by = ", ".join(filter(None, (value["author"], value["date"], value["url"])))
    lines = [f"{cut(source.path, 400)}, lines {found.first}-{found.last}, characters {found.start}-{found.end} of "
             f"{len(source.body)}", NOTICE, *quoted(value["title"]), *quoted(by), "   Its text:",
             *quoted(value["text"])]  # fmt: skip
    if left:
        lines.append(f"More: read_source with start {found.end}.")
    return Answer("\n".join(lines), value)


def status(now: Status) -> Answer:
    """Counts of everything."""
    value = views.status(now)
    sources = ", ".join(f"{count} {cut(name, 40)}" for name, count in now.sources.items()) or "none"
    fresh = "up to date" if now.fresh else "not up to date (searches are all the same)"
    text = (f"Claims: {now.claims}. Proposals that wait for people: {now.proposals}. Sources: {sources}.\n"
            f"Problems that codex check lists: {now.problems}. Committed index: {fresh}. "
            f"Generation: {now.generation}.")  # fmt: skip
    return Answer(text, value)
