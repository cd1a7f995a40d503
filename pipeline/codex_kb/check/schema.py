"""A field of the frontmatter is missing, or is not what schemas/ asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from codex_kb.check.facts import Facts
from codex_kb.records import Problem
from codex_kb.text.schema import packaged

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

ID = "schema"
DEFAULT = "error"

_MAX_MESSAGE = 200


def check(facts: Facts) -> Iterator[Problem]:
    """Fields of sources and claims that are missing or malformed, with their lines."""
    for source in facts.sources:
        yield from _faults("source", source.fields, source.path, source.lines, facts.names)
    for each in facts.claims:
        yield from _faults("claim", each.claim.fields, each.claim.path, each.lines, {})


@cache
def _validator(kind: str) -> Validator:
    import jsonschema  # noqa: PLC0415

    return jsonschema.Draft202012Validator(json.loads(packaged(f"{kind}.schema.json")))


def _faults(
    kind: str, fields: Mapping[str, Any], path: str, lines: Mapping[str, int], names: Mapping[str, str]
) -> Iterator[Problem]:
    """What the schema of this kind finds; `names` are the file's words for our fields."""
    for error in sorted(_validator(kind).iter_errors(dict(fields)), key=lambda e: (list(map(str, e.path)), e.message)):
        if error.validator == "required" and not error.path:
            missing = error.message.split("'")[1]
            their = names.get(missing, missing)
            yield Problem(path, 1, "missing-field", f"{their} is missing", f"add a line: {their}: …")
        else:
            key = str(error.path[0]) if error.path else "frontmatter"
            their = names.get(key, key)
            message = f"{their}: {error.message}"
            if error.validator == "pattern":
                message = f"{their}: {error.instance!r} does not have the form that is asked for"
            if len(message) > _MAX_MESSAGE:
                message = message[:_MAX_MESSAGE] + "…"
            yield Problem(path, lines.get(their, 1), ID, message, f"see schemas/{kind}.md")
