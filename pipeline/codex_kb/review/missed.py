"""A claim that nobody proposed: what a person typed into its section, as if it had been proposed."""

from __future__ import annotations

from codex_kb.records import Packet, Proposal, Source
from codex_kb.review import packet as packets
from codex_kb.review.marked import evidence_at
from codex_kb.review.reading import Section
from codex_kb.text import cues, ground
from codex_kb.text.fields import CONFIDENCES, NO_DOMAIN, folder_name

#: The fields that its section may have.
FIELDS = ("reason", "description", "domain", "confidence")


def _complete(section: Section, source: Source) -> None:
    """Give the section what a person may leave out: domain and confidence, read as for a proposal."""
    section.quotes = [quote.strip() for quote in section.quotes if quote.strip()]
    said, _ = cues.confidence(" ".join(section.quotes))
    usual = {"domain": folder_name(source.domain) or NO_DOMAIN, "confidence": said or CONFIDENCES[-1]}
    section.fields |= {name: section.fields.get(name) or value for name, value in usual.items()}


def proposal(packet: Packet, section: Section, source: Source) -> Proposal:
    """The proposal that a section makes; who made it is not known here. Quotes that do not stand in it are left out.

    The section gets what a person may leave out.
    """
    _complete(section, source)
    spans = [span for quote in section.quotes if (span := ground.locate(quote, source.body))]
    evidence = tuple(evidence_at(source, span) for span in spans)
    fields = section.fields
    return Proposal(
        id=packets.proposal_id(source.path, section.title, [each.quote for each in evidence]),
        source=source.path, source_sha256=source.body_sha256, title=section.title,
        description=fields.get("description", ""), domain=fields["domain"], confidence=fields["confidence"],
        relation="new", evidence=evidence, nearest=(), proposer="", generation=packet.generation, missed=True,
        alone=bool(packet.later),
    )  # fmt: skip
