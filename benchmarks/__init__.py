"""Measures codex beside its peers; see README.md."""
