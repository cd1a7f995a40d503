"""What the frontmatter must hold: JSON Schemas with their prose, as `codex init` writes them to schemas/."""

from __future__ import annotations

from importlib import resources

#: What `codex init` puts into schemas/.
FILES = ("source.schema.json", "claim.schema.json", "decision.schema.json", "source.md", "claim.md", "decision.md")


def packaged(name: str) -> str:
    """The text of one of FILES."""
    return resources.files("codex_kb").joinpath("schemas", name).read_text(encoding="utf-8")
