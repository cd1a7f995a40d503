"""What can be learned from a claim that a person added: the features of the sentence that they quote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codex_kb.kb import KnowledgeBase
from codex_kb.propose import kinds
from codex_kb.propose.background import Background
from codex_kb.propose.briefing import Briefing
from codex_kb.propose.preference import Preference
from codex_kb.propose.team import Team
from codex_kb.records import Draft, Evidence, Source

_SENTENCES = "extractive"
#: A quote is of a sentence where both share so much of what either covers.
_SAME = 0.5


def sentences(kb: KnowledgeBase, source: Source) -> list[Draft]:
    """Every sentence of a source that may be proposed, in the untaught order."""
    team = Team(kb, _SENTENCES, 1, 0.0, again=False, keyless=True)
    briefing = Briefing(_SENTENCES, kb.encoder, Background(kb, None, ()), Preference(), 1, team.answers)
    found = kinds.load(briefing).propose(source, 1)
    return [*found.drafts, *found.left]


def features(known: Sequence[Draft], evidence: Sequence[Evidence]) -> Mapping[str, float]:
    """The features of the sentence that a quote is of; nothing where it is of none."""
    shares = [(max(_shared(span, each) for span in draft.spans for each in evidence), draft) for draft in known]
    share, best = max(shares, key=lambda pair: pair[0], default=(0.0, None))
    return best.features if best and share >= _SAME else {}


def _shared(span: tuple[int, int], evidence: Evidence) -> float:
    """What both cover, as a part of what either does."""
    both = min(span[1], evidence.end) - max(span[0], evidence.start)
    either = max(span[1], evidence.end) - min(span[0], evidence.start)
    return max(0, both) / max(1, either)
