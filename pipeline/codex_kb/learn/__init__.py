"""Decisions to generations: what reviewers prefer, whether it may be relied on, and what it loses. Pure."""
