"""codex search"""

from __future__ import annotations

from collections.abc import Iterable

import click

from codex_kb import views
from codex_kb.cli.common import global_options, highlighted, json_option, open_kb, out_found, out_json, say
from codex_kb.errors import UsageError
from codex_kb.index.ranking import FAR, MODES
from codex_kb.text.fields import CONFIDENCES
from codex_kb.workflow.search import Filters, Searcher, batch


@click.command("search")
@click.argument("query", metavar="QUERY...", nargs=-1)
@click.option("-k", "count", metavar="N", type=click.IntRange(1), default=10, help="At most N hits (10).")
@click.option("--domain", metavar="D", default="", help="Only claims of this domain.")
@click.option("--confidence", type=click.Choice(CONFIDENCES), help="Only claims of this confidence.")
@click.option("--retired", is_flag=True, help="Retired claims too.")
@click.option("--mode", type=click.Choice(MODES), default="hybrid", help="Meaning and words, or one of them.")
@click.option("--explain", is_flag=True, help="Show the parts of each score.")
@click.option("--batch", "batch_file", metavar="FILE", type=click.File(encoding="utf-8", errors="surrogateescape"),
              help="Questions, one a line (- reads standard input); answers are JSON lines.")  # fmt: skip
@json_option
@global_options
def command(
    query: tuple[str, ...], count: int, domain: str, confidence: str | None, retired: bool, mode: str, explain: bool,
    batch_file: Iterable[str] | None, as_json: bool,
) -> None:  # fmt: skip
    """Find claims by meaning and words. Words that belong together need no quotes."""
    if bool(query) == (batch_file is not None):
        raise UsageError("name either a question or --batch", hint='codex search "what you want to know"')
    searcher = Searcher(open_kb(), mode)
    filters = Filters(domain, confidence or "", retired)
    if batch_file is not None:
        _say_left_out(searcher)
        for name, question in batch(iter(batch_file), "query"):
            out_json(views.answer(name, searcher.search(question, count, filters)))
        return
    found = searcher.search(" ".join(query), count, filters, snippets=True)
    _say_left_out(searcher)
    if found and mode == "hybrid" and found[0].score.total < FAR:
        say("no claim is close to this question; the nearest are far off")
    if as_json:
        out_json(views.hits(found, explain))
        return
    for hit in found:
        out_found(hit, explain, highlighted(hit.snippet, hit.matches))
    if not found:
        say(_nothing(searcher, filters))


def _nothing(searcher: Searcher, filters: Filters) -> str:
    """Why nothing was found: what a filter asks for and nobody has is named beside what there is."""
    if not searcher.index.claims:
        return f"no claims yet. next: codex {'review' if searcher.waiting() else 'ingest inbox/, then codex review'}"
    for name, wanted in (("domain", filters.domain), ("confidence", filters.confidence)):
        there = searcher.values(name)
        if wanted and wanted.casefold() not in map(str.casefold, there):
            return f"no claim has the {name} {wanted}; there are: {', '.join(there)}"
    return "no claims match"


def _say_left_out(searcher: Searcher) -> None:
    for line in searcher.left_out():
        say(f"left out {line}")
