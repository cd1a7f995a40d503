"""What is near to a proposal now: the claims that there are, and those that come into being beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from codex_kb.index import opened
from codex_kb.index.entry import title_text
from codex_kb.kb import KnowledgeBase
from codex_kb.propose import drafts
from codex_kb.records import Approved, Hit, Packet, Proposal
from codex_kb.review import publish
from codex_kb.text.wikilinks import name_key

if TYPE_CHECKING:
    from codex_kb.ports import Vectors

_NEAREST = 8


def _new_paths(kb: KnowledgeBase, approved: Sequence[Approved]) -> dict[str, str]:
    """Where each approved proposal's claim goes, by id; no stem is given twice in the knowledge base."""
    if not approved:
        return {}
    taken = {publish.stem_key(PurePosixPath(path).stem) for path in kb.store.claim_paths()}
    taken |= {publish.stem_key(PurePosixPath(path).stem) for path in kb.store.source_paths()}
    paths = {}
    for each in approved:
        stem = publish.free_stem(each.title, taken)
        taken.add(publish.stem_key(stem))
        paths[each.proposal.id] = f"{kb.settings.write_folder}/{each.domain}/{stem}.md"
    return paths


@dataclass(frozen=True, slots=True)
class Placed:
    """Approvals with the paths of the claims that they become, by id, and what is near to each, by path."""

    approved: tuple[Approved, ...]
    paths: Mapping[str, str]
    links: Mapping[str, tuple[Hit, ...]]


class Nearby:
    """Looks up what is near, for one run: each text is embedded once, the claims are looked at each time."""

    def __init__(self, kb: KnowledgeBase) -> None:
        self._kb = kb
        self._known: dict[str, Vectors] = {}

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        if new:
            self._known.update(zip(new, self._kb.encoder.encode(new), strict=True))
        return np.stack([self._known[text] for text in texts])

    def refreshed(self, packet: Packet) -> Packet:
        """The packet with the claims that are nearest now, and the hint that follows from them."""
        if not packet.proposals:
            return packet
        index = opened.load(self._kb, announce=False)
        try:
            if not index.claims:
                found: list[tuple[Hit, ...]] = [() for _ in packet.proposals]
            else:
                vectors = self._vectors([p.title for p in packet.proposals])
                found = index.nearest_titles(vectors, drafts.NEAREST + 1)
        finally:
            index.close()
        own = self._own_claims(packet)
        found = [tuple(hit for hit in hits if hit.path != own.get(p.repeat_of))[: drafts.NEAREST]
                 for p, hits in zip(packet.proposals, found, strict=True)]  # fmt: skip
        proposals = tuple(self._beside(p, hits) for p, hits in zip(packet.proposals, found, strict=True))
        return dataclasses.replace(packet, proposals=proposals)

    def _own_claims(self, packet: Packet) -> dict[str, str | None]:
        """By the id of a decision that is asked for again the claim that it made, which would tell the answer."""
        if not any(p.repeat_of for p in packet.proposals):
            return {}
        return {each.id: each.claim for each in self._kb.store.decisions()[0]}

    def _beside(self, proposal: Proposal, hits: tuple[Hit, ...]) -> Proposal:
        """The proposal beside these claims; what its proposer judged stays."""
        said = proposal.relation
        if not proposal.target and said in {drafts.relation(proposal.nearest, alike) for alike in (True, False)}:
            said = drafts.relation(hits, not hits or self._alike(proposal.title, hits[0]))
        return dataclasses.replace(proposal, nearest=hits, relation=said)

    def _alike(self, title: str, hit: Hit) -> bool:
        """Are the titles alone as near as duplicates are? A claim whose description is this title is none."""
        if hit.score < drafts.DUPLICATE:
            return True
        one, other = self._vectors([title, hit.title])
        return float(one @ other) >= drafts.DUPLICATE

    def placed(self, approved: Sequence[Approved]) -> Placed:
        """Where approvals go, and the claims nearest to each, those that come with it included."""
        paths = _new_paths(self._kb, approved)
        return Placed(tuple(approved), paths, self._links(approved, paths))

    def _links(self, approved: Sequence[Approved], paths: Mapping[str, str]) -> dict[str, tuple[Hit, ...]]:
        if not approved:
            return {}
        vectors = self._vectors([title_text(a.title, a.description) for a in approved])
        index = opened.load(self._kb, announce=False)
        known = index.nearest_titles(vectors, _NEAREST)
        index.close()
        near = {}
        for one, (own, hits) in enumerate(zip(approved, known, strict=True)):
            beside = [
                Hit(paths[other.proposal.id], other.title, round(float(vectors[one] @ vectors[two]), 4))
                for two, other in enumerate(approved) if two != one
            ]  # fmt: skip
            ranked = sorted([*hits, *beside], key=lambda hit: (-hit.score, hit.path))
            near[paths[own.proposal.id]] = tuple(ranked[:_NEAREST])
        return near

    def repeated(self, placed: Placed, noticed: Mapping[str, Collection[str]]) -> dict[str, Hit]:
        """The approvals, by id, that say nearly what a claim or an approval before them says, and were not shown to.

        `noticed` are for each id the paths of the claims that its section says are near.
        """
        approved, paths, links = placed.approved, placed.paths, placed.links
        if not approved:
            return {}
        known = self._in_force(approved, [hit.path for hits in links.values() for hit in hits])
        beside: dict[str, str] = {}
        held = {}
        for each in approved:
            path, title = paths[each.proposal.id], name_key(each.title)
            near = [hit for hit in links[path] if hit.score >= drafts.DUPLICATE and self._alike(each.title, hit)]
            others = {**known, **beside}
            found = [Hit(other, each.title, 1.0) for other, key in others.items() if key == title]
            found += [hit for hit in near if hit.path in others]
            shown = {*_shown(each.proposal), *noticed.get(each.proposal.id, ())}
            unseen = [hit for hit in found if hit.path not in shown]
            if unseen:
                held[each.proposal.id] = unseen[0]
            else:
                beside[path] = title
        return held

    def _in_force(self, approved: Sequence[Approved], paths: Sequence[str]) -> dict[str, str]:
        """The claims at these paths or with the title of an approval, retired ones left out: path → title's key."""
        index = opened.load(self._kb, announce=False)
        try:
            named = index.catalog.named({name_key(each.title) for each in approved})
            cards = index.catalog.cards(sorted({row for _, row in named}))
            known = {card.path: card for card in cards.values()} | index.catalog.by_path(paths)
        finally:
            index.close()
        return {path: name_key(card.title) for path, card in known.items() if card.status != "retired"}


def _shown(proposal: Proposal) -> set[str]:
    """The claims that the proposal was shown to repeat."""
    return {proposal.target, *(hit.path for hit in proposal.nearest)} if proposal.relation == "duplicate" else set()
