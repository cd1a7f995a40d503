"""What is shown of one proposal: as little as deciding it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from codex_kb.cli.pick.screen import Line, columns, plain, wrapped
from codex_kb.layout import packet_path
from codex_kb.propose import drafts
from codex_kb.records import Proposal
from codex_kb.review.packet import ALONE, quote_lines
from codex_kb.review.reading import Section
from codex_kb.text.marks import one_line
from codex_kb.workflow.desk import Item, Passage, Preview

#: Lines of the surroundings on each side of a quote, of a quote that is long, and of one whose middle is left out.
_AROUND, _LONG, _QUOTE = 2, 3, 9
_MARKED = {"approve": "approved", "add": "added", "reject": "rejected"}
_MORE = "…"
_PICTURE = re.compile(r"!\[[^\]\n]*\]\([^)\s]*\)")
_DANGLING = re.compile(r"(?:^|\s+)(?:[-*+>]|#{1,6}|\d+[.)])$")
_WORD = re.compile(r"\w+")
#: Where a block of Markdown ends within surroundings.
_BLOCK = re.compile(r"\s*\n(?=\s*(?:\n|[-*+#>|]|\d+[.)]\s))\s*")


def source(item: Item, left: int, width: int) -> list[Line]:
    """The heading of a source: its title, who wrote it and when, its file, how many of its proposals are open."""
    about = [item.source.title, item.source.author, item.source.date]
    text = ", ".join(plain(each) for each in about if each)
    lines = wrapped(text, width, "== ")[:2]
    where = wrapped(f"{item.source.path} · {left} open", width, "   ")
    return [*(Line(each, "bold") for each in lines), *map(Line, where)]


def proposal(item: Item, progress: str, width: int) -> list[Line]:
    """One proposal, or the box of a source without one; it names who proposed it where that is not usual."""
    section = item.section
    lines = [Line(each, "bold") for each in wrapped(section.title or "(no title)", width)]
    if item.proposal is None:
        return [*_head(item, progress, width), *lines]
    return [*_head(item, progress, width), *lines, *_description(item, width), *_quotes(item, width),
            *_hints(item, item.proposal, width)]  # fmt: skip


def alone(item: Item) -> bool:
    """Is this the box of a source that is read without its proposals first?"""
    return item.proposal is None and item.section.title == ALONE


def said(item: Item) -> str:
    """How it is marked, with the reason; empty where it is not."""
    mark = _MARKED.get(item.section.mark, "")
    reason = item.section.fields.get("reason", "") if mark == "rejected" else ""
    return f"{mark} as {reason}" if reason else mark


def _head(item: Item, progress: str, width: int) -> list[Line]:
    """Progress, place, domain and confidence, and how it is marked; on one line where that is wide enough."""
    fields = item.section.fields
    about = []
    if item.proposal:
        unsupported = "?" if drafts.NO_CONFIDENCE in item.proposal.notes else ""
        usual = item.proposal.proposer in ("", item.proposer)
        by = "" if usual else f"by {one_line(item.proposal.proposer)}"
        about = [fields.get("domain", "") or "no domain", fields.get("confidence", "") + unsupported, by, _beside(item)]
    end = [each for each in (*about, f"MARKED: {said(item)}" if said(item) else "") if each]
    line = item.passages[0].line if item.passages else 0
    path = item.passages[0].source if item.passages else item.source.path
    file = PurePosixPath(path).name
    long, short = (f"{file}:{line}", f"line {line}") if line else (file, "")
    short = short if path == item.source.path else long
    texts = [" · ".join(each for each in (progress, place, *end) if each) for place in (long, short)]
    text = next((each for each in texts if columns(plain(each)) <= width), texts[-1])
    return [Line(each, "dim") for each in wrapped(text, width)]


def _beside(item: Item) -> str:
    """Whence the description, where it adds nothing to what is shown; empty where it says more."""
    text = _words(item.section.fields.get("description", ""))
    if not text:
        return "no description"
    for passage in item.passages[:1]:
        sides = (("before it", passage.before), ("after it", passage.after), ("in the quote", passage.quote))
        return next((f"description: {side}" for side, around in sides if text in _words(around)), "")
    return ""


def _words(text: str) -> str:
    """Words alone: a description is cleaned of the marks and stops of the sentence that it was."""
    return " ".join(_WORD.findall(text))


def _description(item: Item, width: int) -> list[Line]:
    """The description, where it is no sentence that is shown beside the quote."""
    text = item.section.fields.get("description", "")
    return [Line(each) for each in wrapped(text, width, "= ")] if text and not _beside(item) else []


def _quotes(item: Item, width: int) -> Iterator[Line]:
    written = ["\n".join(quote_lines(each.quote)) for each in item.passages]
    if [one_line(each) for each in item.section.quotes[: len(written)]] != [one_line(each) for each in written]:
        for quote in item.section.quotes:  # somebody edited them
            yield from _quote(quote, width)
        return
    for number, passage in enumerate(item.passages):
        yield from _passage(passage, width, around=number == 0)
    for quote in item.proposal.unlocated if item.proposal else ():
        yield Line("! not located, this does not stand in the source word for word:")
        yield from _quote(quote, width)


def _passage(passage: Passage, width: int, around: bool) -> Iterator[Line]:
    """A quote in its surroundings, of which the nearest lines are shown."""
    before, after = (
        wrapped(text, width, "  ") if around and text else []
        for text in map(_flowing, (passage.before, passage.after))
    )
    quote = list(_quote(passage.quote, width))
    most = _AROUND if len(quote) <= _LONG else 1  # a long quote needs less around it
    if len(before) > most:
        before = [_cut(before[-most], width, 0), *before[len(before) - most + 1 :]]
    if len(after) > most:
        after = [*after[: most - 1], _cut(after[most - 1], width, -1)]
    yield from (Line(each, "dim") for each in before)
    if not passage.line:
        yield Line("! this quote no longer stands in the source:")
    yield from quote
    yield from (Line(each, "dim") for each in after)


def _flowing(text: str) -> str:
    """Surroundings on one line, without pictures and without the mark of a list that the quote itself stands behind."""
    text = _DANGLING.sub("", _PICTURE.sub("", text).strip())
    return _BLOCK.sub(" / ", text)


def _cut(line: str, width: int, at: int) -> str:
    """A line of surroundings that something is left out before (`at` 0) or after (-1)."""
    words = line.split()
    while len(words) > 1 and columns(" ".join(words)) > width - 4:
        del words[at]
    return f"  {_MORE} {' '.join(words)}" if at == 0 else f"  {' '.join(words)} {_MORE}"


def _quote(quote: str, width: int) -> Iterator[Line]:
    lines = [line for part in quote.splitlines() if part.strip() for line in wrapped(part, width, "> ")]
    if len(lines) > _QUOTE:
        left = len(lines) - _QUOTE + 1
        lines = [*lines[: _QUOTE - 3], f"> {_MORE} {left} lines more, i shows them {_MORE}", *lines[-2:]]
    return (Line(each, "bold") for each in lines)


def _hints(item: Item, shown: Proposal, width: int) -> Iterator[Line]:
    """What is near where that matters, and what is to be looked at."""
    near = next((hit for hit in shown.nearest if hit.path == shown.target), next(iter(shown.nearest), None))
    if shown.relation != "new" or (near and near.score >= drafts.ENRICHES):
        what = f"{near.score:.2f} {near.title}" if near else shown.target
        why = f" ({one_line(shown.why)})" if shown.why else ""
        yield from map(Line, wrapped(f"{shown.relation}: {what}{why}", width, "~ ")[:3])
    for path in sorted(item.section.noticed):
        yield from map(Line, wrapped(f"{path} says nearly the same: + adds to it, y makes another claim", width, "! "))
    told = (drafts.NO_DESCRIPTION, drafts.NO_CONFIDENCE)
    notes = "; ".join(one_line(each) for each in shown.notes if each not in told)
    if notes:
        yield from map(Line, wrapped(f"please check: {notes}", width, "? "))
    if shown.debate:
        yield from map(Line, wrapped(f"debated in {len(shown.debate)} points: i shows them", width, "? "))
    for error in item.section.errors:
        yield from map(Line, wrapped(error.message, width, "! "))


def preview(each: Preview, sections: Mapping[str, Section], width: int) -> list[Line]:
    """What will be done to one source and what will not, and what to do about that."""
    told: list[tuple[str, str]] = []
    if each.told:
        told.append(("", each.told if each.decided else f"{each.name}: nothing can be applied"))
    if each.fault:
        told += [("! ", str(each.fault)), ("  → ", each.fault.hint or "it is left as it is")]
    told += [("! ", f"{packet_path(each.name)}:{error.line}: {error.message}") for error in each.errors]
    if each.errors:
        told.append(("  → ", "nothing of this source is applied before that is mended: b goes there, e edits it"))
    for id_, hit in (each.held or {}).items():
        told.append(("! ", f"waits: {sections[id_].title if id_ in sections else id_}"))
        told.append(("  → ", f"{hit.path} says nearly the same ({hit.score:.2f}): b goes there, + adds to it, "
                             "y makes another claim"))  # fmt: skip
    for title, hit in each.missed:
        told.append(("! ", f"waits: {title}"))
        told.append(("  → ", f"{hit.path} says nearly the same ({hit.score:.2f}): delete its section in the packet, or "
                             "apply again to make it all the same"))  # fmt: skip
    return [Line(line) for first, text in told for line in wrapped(text, width, first)]
