"""codex search"""

from __future__ import annotations

from collections.abc import Iterable

import click

from codex_kb import views
from codex_kb.cli.common import (
    complete_domain,
    global_options,
    here,
    highlighted,
    json_option,
    open_kb,
    out,
    out_found,
    out_json,
    say,
)
from codex_kb.errors import UsageError
from codex_kb.index.catalog import Filters
from codex_kb.index.ranking import FAR, MODES
from codex_kb.text.fields import CONFIDENCES
from codex_kb.workflow.search import Searcher, batch, filters


@click.command("search")
@click.argument("query", metavar="QUERY...", nargs=-1)
@click.option("-k", "count", metavar="N", type=click.IntRange(1), default=10, help="At most N hits (10).")
@click.option("--domain", metavar="D", default="", shell_complete=complete_domain, help="Only claims of this domain.")
@click.option("--confidence", type=click.Choice(CONFIDENCES), help="Only claims of this confidence.")
@click.option("--source", metavar="S", default="", help="Only claims of a source whose path or attribution has this.")
@click.option("--author", metavar="A", default="", help="Only claims of sources by this author.")
@click.option("--since", metavar="DATE", default="", help="Only claims created then or later: 2026, 2026-03, …")
@click.option("--until", metavar="DATE", default="", help="Only claims created then or before, not their sources.")
@click.option("--tag", metavar="T", default="", help="Only claims with this tag.")
@click.option("--by", metavar="NAME", default="", help="Only claims that this person approved.")
@click.option("--retired", is_flag=True, help="Retired claims too.")
@click.option("--mode", type=click.Choice(MODES), default="hybrid", help="Meaning and words, or one of them.")
@click.option("--format", "form", type=click.Choice(["text", "vimgrep"]), default="text",
              help="vimgrep: path:line:column:title, for quickfix lists.")
@click.option("--explain", is_flag=True, help="Show the parts of each score.")
@click.option("--batch", "batch_file", metavar="FILE", type=click.File(encoding="utf-8", errors="surrogateescape"),
              help="Questions, one a line (- reads standard input); answers are JSON lines.")  # fmt: skip
@json_option
@global_options
def command(
    query: tuple[str, ...], count: int, domain: str, confidence: str | None, since: str, until: str, retired: bool,
    mode: str, explain: bool, form: str, batch_file: Iterable[str] | None, as_json: bool, **asked: str,
) -> None:  # fmt: skip
    """Find claims by meaning and words. Words that belong together need no quotes."""
    if bool(query) == (batch_file is not None):
        raise UsageError("name either a question or --batch", hint='codex search "what you want to know"')
    if as_json and form != "text":
        raise UsageError("--json is a format of its own", hint="leave out --format")
    searcher = Searcher(open_kb(), mode)
    wanted = filters(domain, confidence or "", retired, since, until, asked)
    if batch_file is not None:
        _say_left_out(searcher)
        for name, question in batch(iter(batch_file), "query"):
            # Programs compare paths: each file counts, also one that says what another says.
            out_json(views.answer(name, searcher.search(question, count, wanted, twins=True)))
        return
    found = searcher.search(" ".join(query), count, wanted, snippets=True)
    _say_left_out(searcher)
    if found and mode == "hybrid" and found[0].score.total < FAR:
        say("no claim is close to this question; the nearest are far off")
    if as_json:
        out_json(views.hits(found, explain))
        return
    for hit in found:
        if form == "vimgrep":
            out(f"{here(hit.card.path)}:{hit.line}:1:{hit.card.title}")
            continue
        out_found(hit, explain, highlighted(hit.snippet, hit.matches))
    if not found:
        say(_nothing(searcher, wanted))


def _nothing(searcher: Searcher, wanted: Filters) -> str:
    """Why nothing was found: what a filter asks for and nobody has is named beside what there is."""
    if not searcher.index.claims:
        return f"no claims yet. next: codex {'review' if searcher.waiting() else 'ingest inbox/, then codex review'}"
    for name, value in (("domain", wanted.domain), ("confidence", wanted.confidence)):
        there = searcher.values(name)
        if value and value.casefold() not in map(str.casefold, there):
            return f"no claim has the {name} {value}; there are: {', '.join(there)}"
    return "no claims match"


def _say_left_out(searcher: Searcher) -> None:
    for line in searcher.left_out():
        say(f"left out {line}")
