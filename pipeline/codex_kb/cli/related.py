"""codex related"""

from __future__ import annotations

import json
from collections.abc import Iterable

import click

from codex_kb.cli.common import global_options, json_option, open_kb, out, out_json
from codex_kb.errors import NotFound, UsageError
from codex_kb.workflow.related import Relations, Suggested
from codex_kb.workflow.search import batch


@click.command("related")
@click.argument("claims", metavar="CLAIM...", nargs=-1)
@click.option("-k", "count", metavar="N", type=click.IntRange(1), default=10, help="At most N claims each (10).")
@click.option("--explain", is_flag=True, help="Show the parts of each score.")
@click.option("--batch", "batch_file", metavar="FILE", type=click.File(encoding="utf-8"),
              help="Claims, one a line (- reads standard input); answers are JSON lines.")  # fmt: skip
@json_option
@global_options
def command(
    claims: tuple[str, ...], count: int, explain: bool, batch_file: Iterable[str] | None, as_json: bool
) -> None:
    """List the claims that a claim should link to. CLAIM is a path, a file's stem or a title."""
    if bool(claims) == (batch_file is not None):
        raise UsageError("name either claims or --batch", hint="codex related CLAIM")
    relations = Relations(open_kb())
    if batch_file is not None:
        for name, path in batch(iter(batch_file), "query"):
            click.echo(json.dumps({"id": name, **_answer(relations, path, count)}, ensure_ascii=False))
        return
    answers = {claim: relations.related(claim, count) for claim in claims}
    if as_json:
        out_json([
            {"claim": claim, "rank": rank, **_row(each, explain)}
            for claim, found in answers.items() for rank, each in enumerate(found, 1)
        ])  # fmt: skip
        return
    for claim, found in answers.items():
        if len(answers) > 1:
            out(claim)
        for each in found:
            _print(each, explain)


def _row(each: Suggested, explain: bool) -> dict[str, object]:
    card, score = each
    row: dict[str, object] = {
        "score": _round(score.total), "path": card.path, "title": card.title, "domain": card.domain,
        "confidence": card.confidence, "description": card.description,
    }  # fmt: skip
    if explain:
        row["explain"] = {name: _round(value) for name, value in score._asdict().items() if name != "total"}
    return row


def _print(each: Suggested, explain: bool) -> None:
    card, score = each
    challenged = " (challenged)" * card.challenged
    out(f"{score.total:.2f}  {card.title}{challenged}\n      {card.domain}, {card.confidence} · {card.path}")
    if explain:
        out(f"      meaning {score.meaning:.2f}, words {score.words:.2f}, "
            f"links {score.links:.2f}, mention {score.mention:.2f}")  # fmt: skip


def _answer(relations: Relations, path: str, count: int) -> dict[str, object]:
    try:
        found = relations.related(path, count)
    except NotFound as error:
        return {"hits": [], "error": str(error)}
    return {"hits": [{"path": each.card.path, "score": _round(each.score.total)} for each in found]}


def _round(score: float) -> float:
    return round(score, 6)
