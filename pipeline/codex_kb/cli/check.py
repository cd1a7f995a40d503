"""codex check"""

from __future__ import annotations

from pathlib import Path

import click

from codex_kb.cli.common import global_options, json_option, open_kb, out_problems, say
from codex_kb.workflow import check


@click.command("check")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--set-aside", is_flag=True, help="Drop what a run that was cut off left to do; it is kept apart.")
@json_option
@global_options
def command(paths: tuple[Path, ...], set_aside: bool, as_json: bool) -> int:
    """List what is wrong: frontmatter, links, quotes, duplicates, the index. Notes are no faults."""
    if set_aside:
        kept = check.set_aside(open_kb())
        say(f"kept apart in {kept}; its files stand as they are" if kept else "no run was cut off")
        return 0
    problems = check.run(open_kb(), paths)
    wrong = sum(p.severity == "error" for p in problems)
    out_problems(problems, as_json)
    say(f"problems: {wrong}, notes: {len(problems) - wrong}" if problems else "nothing is wrong")
    return 1 if wrong else 0
