"""What earlier versions of this program wrote into packets and today's does not: nobody typed it."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.records import Proposal

#: Lines of the instructions in the head.
HEAD = (
    "quotes; a quote must stand in the source word for word. Leave the id lines as they are.",
    "the quote: say it better where it does not fit. Leave the id lines as they are.",
)
#: Lines of the instructions that stood in every head before they had a file of their own.
INSTRUCTIONS = (
    "<!--",
    "Put a mark between the brackets of a heading:",
    "  x  approve: it becomes a claim, as it then stands here",
    '  +  add its quotes to the claim after "adds to:", and make no new one; as: extend, confirm, challenge',
    '  -  reject: say why after "reason:" (duplicate, vague, unsupported, trivial, wrong, or your own words)',
    'Leave the brackets empty to decide later. Delete a whole section to reject it as "removed".',
    "You may change titles, descriptions, domains, confidence (proven, likely, experimental, speculative) and",
    "quotes; a quote must stand in the source word for word. A description starts as the sentence beside",
    "the quote: say it better where it does not fit, or leave it empty. Leave the id lines as they are.",
    "The questions below the quotes are for you to decide by; write no answers there.",
    "Save and close. Edited elsewhere or later? Then run: codex review --apply",
    "-->",
)
#: How the first version began what stood near a proposal.
NEAREST = "Nearest claims ("


def wrote(head: str) -> bool:
    """Is this the head of a packet that an earlier version wrote? An editor may have wrapped it."""
    words = " ".join(head.split())
    return any(line in words for line in HEAD)


def section(proposal: Proposal, place: str) -> Iterator[str]:
    """What the first version wrote below the fields and quotes; `place` says where a quote stands."""
    yield place
    if proposal.notes:
        yield "Please check:"
        yield from (f"- {note}" for note in proposal.notes)
