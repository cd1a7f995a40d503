"""codex related"""

from __future__ import annotations

from collections.abc import Iterable

import click

from codex_kb import views
from codex_kb.cli.common import complete_claim, global_options, json_option, open_kb, out, out_found, out_json
from codex_kb.errors import NotFound, UsageError
from codex_kb.workflow.related import Relations
from codex_kb.workflow.search import batch


@click.command("related")
@click.argument("claims", metavar="CLAIM...", nargs=-1, shell_complete=complete_claim)
@click.option("-k", "count", metavar="N", type=click.IntRange(1), default=10, help="At most N claims each (10).")
@click.option("--explain", is_flag=True, help="Show the parts of each score.")
@click.option("--batch", "batch_file", metavar="FILE", type=click.File(encoding="utf-8", errors="surrogateescape"),
              help="Claims, one a line (- reads standard input); answers are JSON lines.")  # fmt: skip
@json_option
@global_options
def command(
    claims: tuple[str, ...], count: int, explain: bool, batch_file: Iterable[str] | None, as_json: bool
) -> None:
    """List the claims that a claim should link to. CLAIM is a path, a file's stem or a title.

    It lists as many as -k says, near or not: scores only compare the claims of one list.
    """
    if bool(claims) == (batch_file is not None):
        raise UsageError("name either claims or --batch", hint="codex related CLAIM")
    relations = Relations(open_kb())
    if batch_file is not None:
        for name, path in batch(iter(batch_file), "query"):
            out_json(_answer(relations, name, path, count))
        return
    answers = {claim: relations.related(claim, count) for claim in claims}
    if as_json:
        out_json(views.related(answers, explain))
        return
    for claim, found in answers.items():
        if len(answers) > 1:
            out(claim)
        for each in found:
            out_found(each, explain)


def _answer(relations: Relations, asked: object, path: str, count: int) -> dict[str, object]:
    try:
        return views.answer(asked, relations.related(path, count))
    except NotFound as error:
        return views.no_answer(asked, error)
