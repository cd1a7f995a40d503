"""A claim by what people call it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from codex_kb.errors import NotFound, UsageError
from codex_kb.index.catalog import Card, Catalog
from codex_kb.kb import KnowledgeBase
from codex_kb.text import wikilinks


def find_claim(kb: KnowledgeBase, catalog: Catalog, named: str) -> str:
    """The path of a claim named by path (from the root or from here), stem, file or title.

    Raises:
        NotFound: there is no such claim, or several have the name.
    """
    wanted = named.strip()
    for path in (wanted.removeprefix("./"), _relative(kb, wanted)):
        if catalog.by_path([path]):
            return path
    rows = [row for _, row in catalog.named({wikilinks.target(wanted)})]
    found = sorted(card.path for card in catalog.cards(rows).values() if _is_called(card, wanted))
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(f"{named} may mean {', '.join(found)}", hint="name the path")
    raise NotFound("no such claim", path=named, hint="codex search finds claims by meaning")


def _is_called(card: Card, name: str) -> bool:
    file = PurePosixPath(card.path)
    return name.casefold() in (file.stem.casefold(), file.name.casefold(), card.title.casefold())


def _relative(kb: KnowledgeBase, path: str) -> str:
    try:
        return kb.layout.relative(Path(path))
    except (UsageError, ValueError):
        return ""
