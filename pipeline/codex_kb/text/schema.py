"""Frontmatter against the JSON Schemas of schemas/: what is missing or malformed, with its line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from codex_kb.records import Problem

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

#: What `codex init` puts into schemas/.
FILES = ("source.schema.json", "claim.schema.json", "decision.schema.json", "source.md", "claim.md", "decision.md")
_MAX_MESSAGE = 200


def packaged(name: str) -> str:
    """The text of one of FILES."""
    return resources.files("codex_kb").joinpath("schemas", name).read_text(encoding="utf-8")


@cache
def _validator(kind: str) -> Validator:
    import jsonschema  # noqa: PLC0415

    return jsonschema.Draft202012Validator(json.loads(packaged(f"{kind}.schema.json")))


def problems(
    kind: str, fields: Mapping[str, Any], path: str, lines: Mapping[str, int], names: Mapping[str, str]
) -> Iterator[Problem]:
    """What the schema of a source, claim or decision finds; `names` are the file's words for our fields."""
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
            yield Problem(path, lines.get(their, 1), "schema", message, f"see schemas/{kind}.md")
