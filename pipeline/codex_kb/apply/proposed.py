"""Proposals that come to wait: beside what is near, in the packet of their source, which is set to processing."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from codex_kb.acts import Act, branch_for, message
from codex_kb.disk.serialise import packet_to_json
from codex_kb.disk.transaction import Change, change
from codex_kb.errors import RefusedFile
from codex_kb.index.opened import ClaimIndex
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import packet_path, record_path
from codex_kb.propose import drafts
from codex_kb.records import Draft, Packet, Proposal, Source
from codex_kb.review import account, packet, reading, relocate
from codex_kb.text import markdown_file
from codex_kb.text.fields import PROCESSING, byline, status_of
from codex_kb.text.marks import counted


def beside(
    kb: KnowledgeBase, claims: ClaimIndex, source: Source, found: Sequence[Draft], proposer: str, generation: int
) -> list[Proposal]:  # fmt: skip
    """Drafts as proposals beside their nearest claims, each once."""
    vectors = kb.encoder.encode([draft.title for draft in found])
    made: dict[str, Proposal] = {}
    for draft, hits in zip(found, claims.nearest_titles(vectors, drafts.NEAREST), strict=True):
        cards = claims.catalog.by_path([hit.path for hit in hits])
        domains = {path: card.domain for path, card in cards.items()}
        alike = drafts.alike(kb.encoder, draft.title, hits)
        near = drafts.Near(hits, drafts.near_domain(hits, domains), alike)
        each = drafts.proposal(source, draft, near, proposer, generation)
        made.setdefault(each.id, each)
    return list(made.values())


def changes(kb: KnowledgeBase, written: Packet, before: Packet | None, source: Source, data: bytes) -> list[Change]:
    """Packet, its record and the source's status. What waits in an earlier packet stays as it was edited.

    `data` are the source's bytes.

    Raises:
        RefusedFile: the earlier packet was cut off, or the source's frontmatter cannot be edited.
    """
    field_name = kb.settings.fields.get("status", "status")
    after = data
    if status_of(source.fields) != PROCESSING:
        after = markdown_file.set_fields(data, {field_name: PROCESSING}, written.source)
    # The lines are those of the source as it is from now on
    place = packet.Placer(source, markdown_file.parse(after, written.source).body_line, kb.store.quoted)
    text = packet.render(written, byline(source), place)
    if before is not None:
        text, written = _merged(kb, written, before, source, place)
    return [
        change(kb.layout.root, packet_path(written.name), text.encode()),
        change(kb.layout.root, record_path(written.name), packet_to_json(written)),
        Change(written.source, data, after),
    ]


def _merged(
    kb: KnowledgeBase, written: Packet, before: Packet, source: Source, place: packet.Placer
) -> tuple[str, Packet]:
    """The packet that waits, with what is new appended."""
    old, _ = relocate.relocated(before, source)
    known = {p.id for p in before.proposals}
    added = [p for p in written.proposals if p.id not in known]
    both = dataclasses.replace(written, proposals=(*old.proposals, *added), proposed=before.proposed)
    text = kb.store.packet_text(before)
    if text is None:
        return packet.render(both, byline(source), place), both
    if not before.proposals:
        return packet.with_missed(packet.render(both, byline(source), place), reading.parse(text).missed), both
    parsed = reading.parse(packet.retold(text, written))
    if not account.is_whole(before, parsed):
        raise RefusedFile(account.ENDS_EARLY, path=packet_path(before.name), hint="mend it, then run this again")
    sections = [section.text.rstrip("\r\n") + "\n\n" for section in parsed.sections]
    return reading.join(parsed, [*sections, *(packet.render_section(p, place) + "\n" for p in added)]), both


def act(
    kb: KnowledgeBase, made: Sequence[Change], written: Packet, source: Source, proposer: str, why: str
) -> Act:  # fmt: skip
    """The changes as one act, on the source's branch; `proposer` made the packet's proposals, `why` says how so."""
    claims = counted(len(written.proposals), "claim")
    text = message(
        kb.settings.git,
        f"{proposer}: propose {claims} from {written.name}",
        f"What: {claims} proposed from {byline(source)}.\n"
        f"Why: {why}; the proposals wait in {packet_path(written.name)}.",
        {"Source": written.source, "Proposed-by": proposer, "Generation": str(written.generation)},
    )
    return Act(tuple(made), text, branch_for(kb.settings.git, written.name), (written.source,))
