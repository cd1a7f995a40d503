"""What taking decisions back changes: claims, log, packet, source and index as if they had not been, as one act."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from codex_kb import acts
from codex_kb.acts import Act
from codex_kb.apply import additions, entries, reopen
from codex_kb.apply.log import Log
from codex_kb.disk import gate
from codex_kb.disk.store import as_claim, claim_evidence, is_claim
from codex_kb.disk.transaction import Change
from codex_kb.errors import Conflict, Edited, RefusedFile
from codex_kb.kb import KnowledgeBase
from codex_kb.layout import decisions_path, is_markdown, never_claims, packet_path, record_path
from codex_kb.records import Approved, Claim, Decision, Hit, Proposal
from codex_kb.review import publish
from codex_kb.review.decide import added_as
from codex_kb.review.publish import Addition
from codex_kb.review.standing import counting, proposal_of, quotes_of, standing, withdrawn
from codex_kb.text import markdown_file, newlines, wikilinks
from codex_kb.text.fields import text as text_of
from codex_kb.text.marks import counted, one_line

_TOPIC = re.compile(r"^Topics:\n- \[\[(.+)\]\]$", re.MULTILINE)
#: So many earlier states of a claim are looked at for the one before evidence was added.
_VERSIONS = 50


@dataclass(frozen=True, slots=True)
class Taken:
    """The act that takes decisions about one source back, and what it comes to.

    `rows` are the lines appended, `removed` claims that go, `changed` those that lose evidence, `look_again` claims
    that link to one that goes or depend on one that changes.
    """

    act: Act
    rows: tuple[Decision, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    look_again: tuple[str, ...]


def taken_back(kb: KnowledgeBase, source: str, ids: Sequence[str], reviewer: str, why: str) -> Taken:
    """What taking back the decisions with these ids, all about one source, changes. Writes nothing.

    Raises:
        Edited: a claim is no longer what the decision wrote.
        Conflict: a claim has evidence of a later decision, was moved, or a sparse checkout leaves it out.
        NotFound: the source is gone.
        RefusedFile: a file cannot be read, or edited without changing other parts.
    """
    return _Undoing(kb, source, ids, reviewer, why).taken()


class _Undoing:
    """Gathers what goes and what comes back."""

    def __init__(self, kb: KnowledgeBase, source: str, ids: Sequence[str], reviewer: str, why: str) -> None:
        self.kb = kb
        self.reviewer = reviewer
        self.why = why
        self.name = kb.store.names(kb.store.readable_packets()[0]).of(source)
        self.branch = acts.branch_for(kb.settings.git, self.name)
        self.source = source
        self.log = Log(kb, self.name)
        self.known = self.log.decisions()
        stands = standing(self.known)
        self.decisions = [stands[each] for each in ids]
        #: Lines that count about the same proposals: where people disagreed all are taken back.
        self.lines = [line for each in ids for line in counting(self.known)[each]]
        self.left = {each: decision for each, decision in stands.items() if each not in ids}
        #: What git has of claims that a person deleted, by path: they go with the decision.
        self.deleted: dict[str, bytes] = {}

    def taken(self) -> Taken:
        """The act."""
        kb, now = self.kb, self.kb.now()
        rows = tuple(withdrawn(each, self.reviewer, self.why, now) for each in self.decisions)
        claims = self._claims()
        removed = (*(c.path for c in claims if c.after is None), *self.deleted)
        changed = tuple(c.path for c in claims if c.after is not None)
        links = self._links(removed, changed)
        again = self._look_again(removed, changed, links)
        waiting = [each for each in self.decisions if not each.shown.get("repeat_of")]
        if not waiting:  # what was asked again changed the log alone
            return Taken(Act(tuple(self.log.appended(rows)), self._message((), (), ()), self.branch), rows, (), (), ())
        waits = reopen.Waits(kb, self.name, self.source, self.branch)
        known = [each for each in self.known if each.source == self.source and not each.shown.get("repeat_of")]
        source = waits.opened(known, self.left)
        packet = waits.packet([self._proposal(each) for each in waiting], source.after or b"")
        changes = [*claims, *links, *self.log.appended(rows), *packet, source]
        ours = (packet_path(self.name), record_path(self.name))
        gone = [*claims, *(Change(path, data, None) for path, data in self.deleted.items())]
        act = Act((*changes, *entries.changes(kb, gone)), self._message(removed, changed, again), self.branch,
                  tuple(c.path for c in changes if c.path not in ours and c.before != c.after),
                  tuple(self.deleted))  # fmt: skip
        return Taken(act, rows, removed, changed, again)

    def _proposal(self, line: Decision) -> Proposal:
        try:
            return proposal_of(line)
        except (ValueError, KeyError, TypeError) as error:
            raise RefusedFile(
                f"the line of {line.id} does not tell what was proposed: {error}", path=decisions_path(self.name),
                hint="git log -p shows what it was",
            ) from error  # fmt: skip

    # -- claims ------------------------------------------------------------------------------------

    def _claims(self) -> list[Change]:
        """Claims without the evidence that was added, and those that the decisions made gone."""
        before: dict[str, bytes] = {}
        after: dict[str, bytes | None] = {}
        for line in reversed([each for each in self.lines if each.claim and added_as(each)]):
            if (data := self._read(line)) is not None:
                path = str(line.claim)
                before.setdefault(path, data)
                after[path] = self._without(path, after.get(path) or data, line)
        for line in (each for each in self.lines if each.claim and not added_as(each)):
            if (data := self._made(line)) is not None:
                path = str(line.claim)
                before.setdefault(path, data)
                self._require_as_written(path, after.get(path) or data, line)
                after[path] = None
        return [Change(path, before[path], after[path]) for path in before if after[path] != before[path]]

    def _read(self, line: Decision) -> bytes | None:
        """A claim's bytes; None where it is gone for good. Raises Conflict where it is only elsewhere."""
        path = str(line.claim)
        self._require_claims_folder(line)
        gate.target(self.kb.layout.root, path)  # it is to be written: what may not be is not read
        data = gate.read_if_there(self.kb.layout.root, path)
        if data is not None and not is_claim(markdown_file.parse(data, path).fields):
            raise self._no_claim(line)
        if data is None and self.kb.repository and self.kb.repository.sparse([path]):
            raise Conflict("is left out by a sparse checkout", path=path,
                           hint=f"git sparse-checkout add {path.rpartition('/')[0]}, then run again")  # fmt: skip
        return data

    def _require_claims_folder(self, line: Decision) -> None:
        """Stop where what a log calls a claim is none: a log may be a stranger's, and what it names goes."""
        path, settings = str(line.claim), self.kb.settings
        folders = (*settings.kb.claims, settings.write_folder)
        below = any(path.startswith(f"{folder}/") for folder in folders)
        if not (below and is_markdown(path)) or never_claims(path):
            raise self._no_claim(line)

    def _no_claim(self, line: Decision) -> RefusedFile:
        return RefusedFile(
            f"the line of {line.id} names {line.claim} as its claim, which is none", path=decisions_path(self.name),
            hint="git log -p shows what it was",
        )  # fmt: skip

    def _made(self, line: Decision) -> bytes | None:
        """The claim that a decision made; None where it is gone, or the file is another decision's by now."""
        path = str(line.claim)
        later = [each for each in self.left.values() if each.claim == path and not added_as(each)]
        data = None if later else self._read(line)
        if data is None and not later:
            self._require_not_moved(line)
            deleted = self.kb.repository.blob(path) if self.kb.repository and not self.branch else None
            self.deleted |= {} if deleted is None else {path: deleted}
        added = [each.id for each in self.left.values() if each.claim == path and added_as(each)]
        if data is not None and added:
            raise Conflict("evidence was added to it since", path=path, hint=f"codex undo {added[-1]}, then this")
        return data

    def _require_not_moved(self, line: Decision) -> None:
        for claim in self.kb.store.claims()[0]:
            if line.id in publish.approved_ids(claim):
                raise Conflict(f"its claim was moved to {claim.path}", path=str(line.claim),
                               hint=f"git mv {claim.path} {line.claim}, then run again")  # fmt: skip

    def _require_as_written(self, path: str, data: bytes, line: Decision) -> None:
        """Stop where a person edited a claim since."""
        repository = self.kb.repository
        written = next(repository.versions(path, self.branch, added=True), None) if repository else None
        if written is None:
            written = self._rendered(path, data, line)
        if (wrote := _unlinked(written)) != (now := _unlinked(data)):
            raise _edited(path, wrote, now, "it was edited since",
                          "git rm -f it or put it back, and run again; or retire it: status: retired")  # fmt: skip

    def _rendered(self, path: str, data: bytes, line: Decision) -> bytes:
        """The claim as the decision wrote it, as far as its own fields tell: for where git does not."""
        claim = as_claim(markdown_file.parse(data, path), path)
        topic = _TOPIC.search(claim.body)
        return publish.claim_text(
            Approved(self._proposal(line), claim.title, claim.description, claim.domain, claim.confidence,
                     tuple(claim_evidence(claim))),
            self.kb.store.source(self.source), path, _near(claim),
            (text_of(claim.fields.get("source")), line.reviewer), text_of(claim.fields.get("created")),
            topic[1] if topic else "",
        ).encode()  # fmt: skip

    def _without(self, path: str, data: bytes, line: Decision) -> bytes:
        """The claim without what a decision added; as it is where that is gone already."""
        found = self._found(path, data, line)
        if not found:
            return data
        versions = [newlines.ended_alike(each, data) for each in self._versions(path)]
        bare = publish.without_evidence(data, path, found[0], versions) if len(found) == 1 else None
        if bare is None:
            earlier = (each for each in versions if each != data)
            had = (v for v in earlier if any(self._is_of(each, line) for each in publish.additions_in(v, path)))
            raise _edited(path, next(had, data), data, "the evidence that was added to it was edited since",
                          "take it out by hand, or put it back as it was, and run again")  # fmt: skip
        return bare

    def _found(self, path: str, data: bytes, line: Decision) -> list[Addition]:
        """What in a claim may be a decision's addition: that with its quotes, else what no other decision added."""
        found = [each for each in publish.additions_in(data, path) if self._is_of(each, line)]
        ours = quotes_of(line)
        left = (each for each in self.left.values() if each.claim == path and added_as(each))
        others = {quote for each in left for quote in quotes_of(each)}
        quoted = [({e.quote for e in each.evidence}, each) for each in found]
        return [each for quotes, each in quoted if quotes & ours] or [
            each for quotes, each in quoted if not quotes & others
        ]

    @staticmethod
    def _is_of(addition: Addition, line: Decision) -> bool:
        return (
            (addition.kind, addition.extractor) == (added_as(line), one_line(line.proposer))
            and {e.source for e in addition.evidence} <= {line.source}
        )  # fmt: skip

    def _versions(self, path: str) -> list[bytes]:
        repository = self.kb.repository
        return list(itertools.islice(repository.versions(path, self.branch), _VERSIONS)) if repository else []

    def _links(self, removed: Sequence[str], changed: Sequence[str]) -> list[Change]:
        """Other claims without the links that were written into them because a claim that goes is near."""
        found = []
        for path in additions.linking(self.kb, removed):
            data = None if path in (*removed, *changed) else gate.read_if_there(self.kb.layout.root, path)
            if data is not None:
                bare = publish.without_links(data, {PurePosixPath(each).stem for each in removed})
                found += [Change(path, data, bare)] if bare != data else []
        return found

    def _look_again(self, removed: Sequence[str], changed: Sequence[str], links: Sequence[Change]) -> tuple[str, ...]:
        """Claims that link to one that goes by more than what was just taken out of them, or depend on one changed."""
        names = {wikilinks.name_key(PurePosixPath(path).stem) for path in removed}
        now = {c.path: as_claim(markdown_file.parse(c.after or b"", c.path), c.path) for c in links}
        free = {path for path, claim in now.items() if not names & wikilinks.targets(claim.fields, claim.body)}
        found = set(additions.linking(self.kb, removed)) - free
        found |= {path for path, depends in additions.linking(self.kb, changed).items() if depends}
        return tuple(sorted(found - set(removed)))

    # -- the commit --------------------------------------------------------------------------------

    def _message(self, removed: Sequence[str], changed: Sequence[str], again: Iterable[str]) -> str:
        count = len(self.decisions)
        stems = sorted({PurePosixPath(path).stem for path in (*changed, *again)})
        told = [f"- {_verdict(each)}: {each.title}" for each in self.decisions]
        generations = sorted({each.generation for each in self.decisions})
        return acts.message(
            self.kb.settings.git,
            f"undo: take back {counted(count, 'decision')} from {self.name}",
            "\n".join([
                f"What: {counted(len(removed), 'claim')} removed, evidence taken out of {len(changed)}; the proposals "
                "wait again.",
                *told,
                f"Why: {' '.join(self.why.split()) or 'not said'}",
                f"Connections: {'; '.join(stems) or 'none'}",
            ]),
            {
                "Source": self.source,
                "Proposed-by": ", ".join(sorted({each.proposer for each in self.decisions})),
                "Reviewed-by": self.reviewer,
                "Generation": ", ".join(map(str, generations)),
            },
        )  # fmt: skip


def _unlinked(data: bytes) -> bytes:
    """A claim as it is compared: whatever newlines git wrote, and without the links that come and go."""
    return publish.without_links(newlines.with_line_feeds(data))


def _verdict(decision: Decision) -> str:
    how = added_as(decision)
    return f"added as {how}" if how else decision.verdict


def _near(claim: Claim) -> list[Hit]:
    """The claims that a new claim links to, from its text."""
    return [Hit(f"{stem}.md", "", score) for stem, score in publish.near_links(claim.body)]


def _edited(path: str, written: bytes, data: bytes, what: str, hint: str) -> Edited:
    was, now = (text.decode(errors="replace").splitlines(keepends=True) for text in (written, data))
    shown = "".join(_ended(difflib.unified_diff(was, now, f"{path} (as decided)", f"{path} (now)")))
    return Edited(what, path=path, difference=shown, hint=hint)


def _ended(lines: Iterable[str]) -> Iterator[str]:
    return (line if line.endswith("\n") else f"{line}\n" for line in lines)
