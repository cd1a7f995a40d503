"""The pages: what `workflow` returns, put into templates that escape everything."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from codex_kb.errors import CodexError, NotFound
from codex_kb.review import debate, marking
from codex_kb.review import packet as packets
from codex_kb.review.reading import ADDS_TO, AS, Section
from codex_kb.review.standing import standing
from codex_kb.text import leaving
from codex_kb.text.fields import CONFIDENCES
from codex_kb.web import present
from codex_kb.web.room import Room
from codex_kb.workflow.desk import Item, Sheet
from codex_kb.workflow.links import links
from codex_kb.workflow.propose import AGENT
from codex_kb.workflow.queue import Waits, queue
from codex_kb.workflow.search import filters
from codex_kb.workflow.show import Shown, show

#: By what the queue is narrowed down.
FILTERS = ("domain", "source", "relation", "proposer", "age")
_AGES = {"1": "over a day", "7": "over a week", "30": "over a month"}
_HITS = 20
Query = Mapping[str, str]


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("codex_kb.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: leaving.shown(value) if type(value) is str else value,
    )  # fmt: skip
    made.filters["part"] = lambda text: quote(text, safe="")
    made.filters["path"] = lambda text: quote(text, safe="/")
    made.filters["name"] = lambda text: PurePosixPath(text).name
    made.filters["age"] = present.age
    return made


def rendered(template: str, room: Room, **values: Any) -> str:
    """A page or a part of one."""
    root = os.fspath(room.kb.layout.root.resolve())
    base = hashlib.sha256(root.encode(errors="surrogateescape")).hexdigest()[:12]
    return _templates().get_template(template).render({"base": base, "question": "", **values})


# -- the queue -------------------------------------------------------------------------------------


def waiting(room: Room, query: Query) -> list[Waits]:
    """What waits, as far as the filters let it through."""
    now = time.time()
    days = float(query["age"]) if query.get("age") in _AGES else 0.0

    def wanted(each: Waits) -> bool:
        named = all(getattr(each, name) == query[name] for name in FILTERS[:-1] if query.get(name))
        return named and now - each.since >= days * 86_400

    return [each for each in queue(room.kb) if (room.names is None or each.name in room.names) and wanted(each)]


def kept(query: Query) -> str:
    """The filters, to go on with in links."""
    return urlencode({name: query[name] for name in FILTERS if query.get(name)})


def of_queue(room: Room, query: Query) -> str:
    """All that waits, by source, with filters and how old the oldest is."""
    everything, now = waiting(room, {}), time.time()
    rows = waiting(room, query)
    sources: dict[str, list[Waits]] = {}
    for each in rows:
        sources.setdefault(each.name, []).append(each)
    chosen = {name: present.choices(getattr(each, name) for each in everything) for name in FILTERS[:-1]}
    return rendered(
        "queue.html", room, sources=sources, chosen=chosen, ages=_AGES, kept=kept(query), now=now,
        asked={name: query.get(name, "") for name in FILTERS},
        shown=len(rows), total=len(everything), marked=sum(each.mark != "wait" for each in rows),
        oldest=now - min((each.since for each in rows), default=now),
    )  # fmt: skip


# -- a source and its proposals ----------------------------------------------------------------------


def of_review(room: Room, name: str, query: Query) -> str:
    """A source with its quotes marked, and one of its proposals beside it."""
    sheet = room.desk.sheet(name)
    listed = waiting(room, query)
    ids = {each.id for each in listed if each.name == name} or {each.id for each in sheet.sections}
    sections = [each for each in sheet.sections if each.id in ids]
    at = query.get("at", "")
    undecided = next((each.id for each in sections if each.mark == "wait"), sections[0].id if sections else "")
    id_ = at if at in ids else undecided
    card = _card(room, room.desk.item(name, id_), sheet) if id_ else None
    return rendered(
        "review.html", room, sheet=sheet, sections=sections, blocks=present.blocks(sheet.source.body, sheet.spans),
        versions={each.id: marking.version(each) for each in sections}, card=card, kept=kept(query),
        after=after(listed, name), reason_keys=[(reason[0], reason) for reason in packets.REASONS],
        kind_keys=list(zip("ech", packets.KINDS, strict=True)),
    )  # fmt: skip


def after(listed: Sequence[Waits], name: str) -> str:
    """The packet to go on with after this one; empty where it is the last."""
    names = list(dict.fromkeys(each.name for each in listed))
    at = names.index(name) if name in names else -1
    later = [each for each in (*names[at + 1 :], *names[: max(at, 0)]) if each != name]
    open_ = {each.name for each in listed if each.mark == "wait"}
    return next((each for each in later if each in open_), later[0] if later else "")


def of_item(room: Room, name: str, id_: str) -> str:
    """One proposal, to be put into its page."""
    return rendered("card.html", room, card=_card(room, room.desk.item(name, id_), room.desk.sheet(name)))


def _card(room: Room, item: Item, sheet: Sheet) -> dict[str, Any]:
    """What the page says of a proposal."""
    proposal, section = item.proposal, item.section
    near = [(hit, present.differing(section.title, hit.title)) for hit in proposal.nearest] if proposal else []
    ids = [each.id for each in sheet.sections]
    confidence = section.fields.get("confidence", "")
    near_enough, kind = item.adds_to or ("", packets.KINDS[0])
    return {
        "item": item, "proposal": proposal, "section": section, "near": near, "number": ids.index(item.id) + 1,
        "of": len(ids), "confidences": present.others(confidence, CONFIDENCES), "said": _said(section),
        "adds_to": section.fields.get(ADDS_TO) or (packets.link(near_enough) if near_enough else ""),
        "held": sorted(section.noticed),
        "kind": section.fields.get(AS) or kind, "errors": [each.message for each in section.errors],
        "source": sheet.source.path, "points": debate.standing(proposal.debate) if proposal else (0, 0),
        "alone": section.title == packets.ALONE,
        "by": proposal.proposer if proposal and proposal.proposer.startswith(AGENT) else "",
    }  # fmt: skip


def _said(section: Section) -> str:
    """A section's mark in words; empty where it has none."""
    if section.mark == "reject" and section.fields.get("reason"):
        return f"reject: {section.fields['reason']}"
    return "" if section.mark == "wait" else section.mark


def of_preview(room: Room, name: str, query: Query) -> str:
    """What applying a packet would do."""
    found = room.desk.preview([name])
    sheet = room.desk.sheet(name)
    titles = {each.id: each.title for each in sheet.sections}
    return rendered(
        "preview.html", room, name=name, source=sheet.source, found=found[0] if found else None, titles=titles,
        kept=kept(query), after=after(waiting(room, query), name),
    )  # fmt: skip


def of_decided(room: Room, query: Query) -> str:
    """What was decided about the source of the path `of`, newest first, each to be taken back. Raises NotFound."""
    source = query.get("of", "")
    if source not in room.kb.store.source_paths():
        raise NotFound("no source has this path", hint="the queue lists what waits")
    shown = show(room.kb, source)
    left = [each.name for each in waiting(room, {}) if each.source == source]
    name = left[0] if left else ""
    return rendered(
        "decided.html", room, source=shown.source, left=len(left), name=name, kept=kept(query),
        after=after([each for each in waiting(room, query) if each.name != name], name), **_history(shown),
    )  # fmt: skip


def _history(shown: Shown) -> dict[str, Any]:
    """The decisions about something, newest first, and when those that stand were made, by id."""
    return {
        "decisions": sorted(shown.decisions, key=lambda each: each.time, reverse=True),
        "standing": {id_: each.time for id_, each in standing(shown.decisions).items()},
    }


# -- claims ----------------------------------------------------------------------------------------


def of_search(room: Room, query: Query) -> str:
    """Claims for a question."""
    asked, limits = query.get("q", ""), filters(query.get("domain", ""), query.get("confidence", ""))
    hits = room.searcher.search(asked, _HITS, limits, snippets=True) if asked.strip() else []
    found = [(hit, present.highlighted(hit.snippet, hit.matches)) for hit in hits]
    domains = present.choices(room.searcher.values("domain")) if asked.strip() else present.choices([limits.domain])
    return rendered("search.html", room, question=asked, filters=limits, found=found, domains=domains,
                    confidences=CONFIDENCES)  # fmt: skip


def of_claim(room: Room, path: str) -> str:
    """A claim with its evidence in context, its history, and its links both ways. Raises NotFound."""
    named = PurePosixPath(path)
    shown = None
    if not named.is_absolute() and ".." not in named.parts:
        try:
            shown = show(room.kb, path)
        except CodexError as error:
            raise NotFound("no claim has this path", hint="search for it") from error
    if shown is None or shown.claim is None:
        raise NotFound("no claim has this path", hint="search for it")
    claim = shown.claim
    text = present.unlinked(claim.body.lstrip().removeprefix(f"# {claim.title}"))  # the page's own heading
    return rendered(
        "claim.html", room, claim=claim, quotes=shown.quotes, near=shown.nearest, links=links(room.kb, claim.path),
        blocks=present.blocks(text), **_history(shown),
    )  # fmt: skip
