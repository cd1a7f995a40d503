"""Evidence added to claims that are there: which claim is meant, what changes in it, who should look again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from codex_kb.disk.store import stem_title
from codex_kb.disk.transaction import Change
from codex_kb.errors import NotFound, RefusedFile
from codex_kb.index import opened as indexes
from codex_kb.kb import KnowledgeBase
from codex_kb.records import Source
from codex_kb.review import publish
from codex_kb.review.marked import Added
from codex_kb.text import wikilinks
from codex_kb.text.marks import one_line


def named(kb: KnowledgeBase, name: str) -> list[str]:
    """The paths of the claims that a path, a file's stem or a title may mean."""
    found = indexes.load(kb, announce=False, every_file=True)
    try:
        if found.catalog.by_path([name]):
            return [name]
        rows = [row for _, row in found.catalog.named({wikilinks.target(name)})]
        return sorted(card.path for card in found.catalog.cards(rows).values())
    finally:
        found.close()


def changes(kb: KnowledgeBase, added: Sequence[Added]) -> list[Change]:
    """The claims with their new evidence.

    Raises:
        NotFound: a claim is gone.
        RefusedFile: one is a link to elsewhere, or cannot be edited.
    """
    before: dict[str, bytes] = {}
    after: dict[str, bytes] = {}
    for each in added:
        path = each.claim
        if path not in before:
            if kb.layout.path(path).is_symlink():
                raise RefusedFile("a link, which is not written to", path=path, hint="add to the claim it leads to")
            before[path] = after[path] = kb.store.read_bytes(path)
        addition = publish.Addition(
            each.kind, each.evidence, each.description, _link(kb, each.proposal.source),
            one_line(each.proposal.proposer), kb.today(),
        )  # fmt: skip
        after[path] = publish.add_evidence(after[path], path, addition)
    return [Change(path, before[path], after[path]) for path in before]


def _link(kb: KnowledgeBase, source: str) -> str:
    """What names a source in a link: its stem, or its path where another file has the same stem."""
    stem = PurePosixPath(source).stem
    key = wikilinks.name_key(stem)
    others = (path for path in (*kb.store.source_paths(), *kb.store.claim_paths()) if path != source)
    alone = all(wikilinks.name_key(PurePosixPath(path).stem) != key for path in others)
    return stem if alone else str(PurePosixPath(source).with_suffix(""))


def title(kb: KnowledgeBase, path: str) -> str:
    """A claim's title, its stem where the claim is gone."""
    try:
        return kb.store.claim(path).title
    except (NotFound, RefusedFile):
        return stem_title(path)


def enrichments(kb: KnowledgeBase, source: Source, claims: Sequence[str]) -> list[str]:
    """What a source lists as the claims that it was added to, with the titles of these."""
    before = source.fields.get("enrichments")
    known = before if isinstance(before, list) else [before] if before else []
    titles = dict.fromkeys(title(kb, path) for path in claims)
    return [*known, *(each for each in titles if each not in known)]


def linking(kb: KnowledgeBase, paths: Sequence[str]) -> dict[str, set[str]]:
    """The paths of the claims, none of them retired, that link to some; for each the names it depends on of these."""
    if not paths:
        return {}
    found = indexes.load(kb, announce=False, every_file=True)
    try:
        cards = found.catalog.by_path(sorted(set(paths))).values()
        linking = found.catalog.links_to([card.id for card in cards])
        near = found.catalog.cards(sorted({row for row, _ in linking}))
    finally:
        found.close()
    names = {name for card in cards for name in wikilinks.names_of(card.path, card.title)}
    return {
        path: _depends(kb, path) & names
        for path in sorted(card.path for card in near.values() if card.status != "retired")
    }


def look_again(kb: KnowledgeBase, added: Sequence[Added]) -> list[str]:
    """The paths of the claims that depend on one that is challenged by what was added."""
    challenged = [each.claim for each in added if each.kind == "challenge"]
    return [path for path, depends in linking(kb, challenged).items() if depends]


def _depends(kb: KnowledgeBase, path: str) -> set[str]:
    try:
        return wikilinks.depends_on(kb.store.claim(path).fields)
    except (NotFound, RefusedFile):
        return set()
