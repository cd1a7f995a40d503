"""The Python face: `open` a knowledge base, ask and decide as at the command line, get records and no JSON.

Failures are those of `codex_kb.errors`. Nothing here is decided but by whoever calls `decide`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from codex_kb.kb import KnowledgeBase, silent
from codex_kb.layout import find_root
from codex_kb.workflow import read
from codex_kb.workflow.read import Passage
from codex_kb.workflow.related import Relations, Suggested
from codex_kb.workflow.search import Found, Searcher, filters
from codex_kb.workflow.show import Shown, Status, behind, show, status

# Who only asks needs nothing of what writes: it is loaded where it is used.
if TYPE_CHECKING:
    from codex_kb.apply.reviewed import Reviewed
    from codex_kb.records import Problem, Proposal
    from codex_kb.workflow.distill import Distilled
    from codex_kb.workflow.ingest import Ingested
    from codex_kb.workflow.propose import Proposed, Suggestion
    from codex_kb.workflow.undo import Undone

_NOTHING: Mapping[str, str] = MappingProxyType({})


def open(root: str | PathLike[str] | None = None, *, commit: bool = True, say: Callable[[str], None] = silent) -> Base:
    """The knowledge base at a root, or the nearest from the working directory upward.

    `commit=False` leaves commits to you; `say` is told what the command line would write to standard error.

    Raises:
        NotFound: there is none.
    """
    named = None if root is None else str(root)
    return Base(KnowledgeBase(find_root(named, Path.cwd()), say=say, commits=commit))


class Base:
    """One knowledge base, for as long as you like: each answer is from the files as they are then.

    Only codex.toml and the model are read once: after a change of either open it again. Use it in one thread.
    """

    def __init__(self, kb: KnowledgeBase) -> None:
        self._kb = kb
        self._searchers: dict[str, Searcher] = {}
        self._relations = Relations(kb)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of open files; the next question opens them again."""
        for searcher in self._searchers.values():
            searcher.close()
        self._relations.close()

    @property
    def root(self) -> Path:
        """The folder with codex.toml."""
        return self._kb.layout.root

    # -- from sources to claims --------------------------------------------------------------------

    def ingest(
        self, *paths: str | PathLike[str], model: str | None = None, max_claims: int | None = None,
        limit: int | None = None, again: bool = False, jobs: int | None = None, budget: float | None = None,
        dry_run: bool = False, engine: str | None = None,
    ) -> Ingested:  # fmt: skip
        """Propose claims from the unprocessed sources under some paths (from the root); what stopped it is in there.

        Raises:
            NotFound: a path does not exist.
            UsageError: the model, the engine or a path cannot be used.
        """
        from codex_kb.workflow.ingest import Ingest  # noqa: PLC0415

        run = Ingest(self._kb, model, max_claims, again, jobs, budget, dry_run, engine)
        return run.run([str(path) for path in paths], limit, self.root)

    def propose(self, agent: str, source: str, suggested: Suggestion) -> Proposed:
        """Have an agent's suggestion about a source wait for a person, as what is ingested does; never a claim.

        Raises:
            NotFound: there is no such source (path, file or stem).
            RefusedFile: it cannot be read or edited.
            UsageError: the quote does not stand in it, it is no source to propose from, or the agent has no name.
            Conflict: another run holds the lock, or the source has changes of the user's own.
        """
        from codex_kb.workflow.propose import propose  # noqa: PLC0415

        return propose(self._kb, agent, source, suggested)

    def proposals(self, *sources: str) -> list[Proposal]:
        """What waits for a decision, from these sources or from all, best first within a source.

        Raises:
            NotFound: nothing waits for a named source.
        """
        from codex_kb.workflow.proposals import proposals  # noqa: PLC0415

        return [each for packet in proposals(self._kb, sources) for each in packet.proposals]

    def decide(
        self, *, approve: Sequence[str] = (), reject: Mapping[str, str] = _NOTHING, add: Sequence[str] = (),
        reviewer: str | None = None, anyway: bool = False,
    ) -> Reviewed:  # fmt: skip
        """Decide about proposals by id; `reject` gives reasons, `add` adds to the claim that a proposal names.

        The reviewer is "Name <email>", else git's user. `faults` in the result are the sources that were left as
        they are, ids that nobody knows or that were decided otherwise, and approvals that say nearly what a claim
        says: they wait, but with `anyway`.

        Raises:
            UsageError: several have an id, one is decided in two ways, or nobody is known as the reviewer.
        """
        from codex_kb.workflow.review import Review  # noqa: PLC0415

        return Review(self._kb, self._kb.reviewer(reviewer), anyway).named(approve, reject, add)

    def undo(self, name: str, why: str = "", *, reviewer: str | None = None) -> Undone:
        """Take back what was decided: by an id, a claim (path, stem or title) or a commit of a review.

        Raises:
            NotFound: no decision is meant.
            UsageError: several may be, or nobody is known as the reviewer.
            Edited: a claim was edited since; `difference` tells how. Nothing was changed.
        """
        from codex_kb.workflow.undo import undo  # noqa: PLC0415

        return undo(self._kb, name, self._kb.reviewer(reviewer), why)

    def distill(self, full: bool = False, engine: str | None = None) -> Distilled:
        """Bring the committed index in line with the claims."""
        from codex_kb.workflow.distill import distill  # noqa: PLC0415

        return distill(self._kb, full, engine=engine)

    # -- questions ---------------------------------------------------------------------------------

    def search(
        self, question: str, k: int = 10, *, domain: str = "", confidence: str = "", retired: bool = False,
        mode: str = "hybrid", since: str = "", until: str = "", **facets: str,
    ) -> list[Found]:  # fmt: skip
        """The k best claims for a question, best first, each with the sentence that shows why.

        `since` and `until` are dates, `facets` what a claim's source, author, tag or by (who approved it) contain.

        Raises:
            UsageError: the question is empty, or there is no such mode, date or facet.
        """
        searcher = self._searchers.get(mode) or self._searchers.setdefault(mode, Searcher(self._kb, mode))
        asked = filters(domain, confidence, retired, since, until, facets)
        return searcher.search(question, k, asked, snippets=True)

    def related(self, claim: str, k: int = 10) -> list[Suggested]:
        """The k claims that a claim (path, stem or title) should link to, best first.

        Raises:
            NotFound: there is no such claim.
        """
        return self._relations.related(claim, k)

    def show(self, name: str) -> Shown:
        """A proposal by id, a claim by path, stem or title, or a source, with everything behind it.

        Raises:
            NotFound: there is none.
        """
        return show(self._kb, name)

    def evidence(
        self, sentence: str, k: int = 10, *, domain: str = "", confidence: str = "", retired: bool = False
    ) -> list[tuple[Found, Shown]]:
        """The k claims nearest to a sentence, best first, each with its quotes and decisions; no verdict.

        Raises:
            UsageError: the sentence is empty.
        """
        found = self.search(sentence, k, domain=domain, confidence=confidence, retired=retired)
        known = behind(self._kb, [hit.card.path for hit in found])
        return [(hit, known[hit.card.path]) for hit in found if hit.card.path in known]

    def passage(
        self, source: str, start: int = 0, end: int | None = None, *, lines: tuple[int, int | None] | None = None,
        most: int | None = None,
    ) -> Passage:  # fmt: skip
        """The characters `start` to `end` of a source's body, or these lines of its file; at most `most` characters.

        Raises:
            NotFound: there is no such source (path, file or stem).
            RefusedFile: it cannot be read.
            UsageError: it has no such lines or characters.
        """
        return read.passage(self._kb, source, start, end, lines, most)

    def claim_file(self, path: str) -> str:
        """A claim's file, frontmatter and all. Raises NotFound, RefusedFile."""
        return read.claim_file(self._kb, path)

    def packet_file(self, name: str) -> str:
        """A review packet that waits, by the name of its file without `.md`. Raises NotFound, RefusedFile."""
        return read.packet_file(self._kb, name)

    def check(self, *paths: str | PathLike[str]) -> list[Problem]:
        """What is wrong, everywhere or below some paths (from the root).

        Raises:
            NotFound: a path does not exist.
        """
        from codex_kb.workflow import check  # noqa: PLC0415

        return check.run(self._kb, self._paths(paths))

    def status(self) -> Status:
        """Counts of everything, and whether the index agrees with the claims."""
        return status(self._kb)

    def _paths(self, paths: Sequence[str | PathLike[str]]) -> list[Path]:
        return [self.root / path for path in paths]
