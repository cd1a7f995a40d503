"""What earlier versions of this program wrote into packets and today's does not: nobody typed it."""

from __future__ import annotations

from collections.abc import Iterator

from codex_kb.records import Proposal

#: Lines of the instructions in the head.
HEAD = (
    "quotes; a quote must stand in the source word for word. Leave the id lines as they are.",
    "the quote: say it better where it does not fit. Leave the id lines as they are.",
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
