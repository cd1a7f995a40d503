"""What a reviewer sees of a proposal: of a blind one nothing that says what the program thinks of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

# A search shows no proposal, and records take longer to load than many a question to answer.
if TYPE_CHECKING:
    from codex_kb.records import Proposal


def as_shown(proposal: Proposal) -> Proposal:
    """The proposal as it is put before the reviewer."""
    if not proposal.blind:
        return proposal
    return dataclasses.replace(proposal, relation="new", nearest=(), notes=(), target="", why="", debate=())
