"""What may be set aside unread: proposals with a score below nearly all that people approved.

The share of approvals below the (k+1)-th smallest of n is Beta(k+1, n-k), whatever the scores are like (tolerance
limits, Wilks 1941, doi:10.1214/aoms/1177731788; Angelopoulos et al. 2021, arXiv:2110.01052). Only approvals count:
a loss averaged over packets looks small because most packets have no approval to lose. What is said holds for each
look; for all looks at once, let each have the delta that limits.spent gives it.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codex_kb.learn.limits import at_least

#: The share of what would be set aside that is shown anyway.
SHOWN_ANYWAY = 0.1


@dataclass(frozen=True)
class Threshold:
    """Scores strictly below `below` are set aside.

    `rank` of the `approvals` held-out approvals lie there; `limit` is the share of approvals that is lost, at most.
    """

    below: float
    rank: int
    approvals: int
    limit: float


def threshold(approved_scores: npt.ArrayLike, alpha: float, delta: float = 0.1) -> Threshold | None:
    """Where at most `alpha` of approvals are lost, in 1 - delta of cases; None where there are fewer than `needed`.

    `approved_scores` (n,) are those of held-out approvals. With them in order, a₁ ≤ … ≤ aₙ, what is strictly below
    a₍ₖ₊₁₎ is set aside, for the largest k ≥ 0 with BetaInv(1 - delta; k+1, n-k) ≤ alpha. Equal scores lose less.

    Raises:
        ValueError: a score is not a number, or alpha is not between 0 and 1.
    """
    from scipy.special import betaincinv  # noqa: PLC0415 (a heavy import)

    scores = np.sort(np.asarray(approved_scores, float))
    if not np.isfinite(scores).all() or not 0 < alpha < 1:
        raise ValueError("scores are numbers, and alpha lies between 0 and 1")
    ranks = np.arange(len(scores))
    limits = betaincinv(ranks + 1, len(scores) - ranks, 1 - delta)
    allowed = int((limits <= alpha).sum())
    if not allowed:
        return None
    return Threshold(float(scores[allowed - 1]), allowed - 1, len(scores), float(limits[allowed - 1]))


def needed(alpha: float, delta: float = 0.1) -> int:
    """How many approvals `threshold` needs in all: the smallest n with (1 - alpha)ⁿ ≤ delta."""
    return math.ceil(math.log(delta) / math.log(1 - alpha))


def broken(anyway: int, approvals: int, alpha: float, delta: float = 0.1) -> bool:
    """Do decisions prove that more than `alpha` of approvals are lost?

    `anyway` of the `approvals` were of what is shown though it lies below: were `alpha` of all there, and SHOWN_ANYWAY
    of these shown, it would be SHOWN_ANYWAY·alpha / (SHOWN_ANYWAY·alpha + 1 - alpha) of those seen (exact test).
    """
    share = SHOWN_ANYWAY * alpha / (SHOWN_ANYWAY * alpha + 1 - alpha)
    return approvals > 0 and at_least(anyway, approvals, delta) > share


def shown_anyway(proposal: str, share: float = SHOWN_ANYWAY) -> bool:
    """Is this proposal shown although it would be set aside? A hash of its id tells: the same for everybody."""
    digest = hashlib.sha256(b"shown anyway\0" + proposal.encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64
