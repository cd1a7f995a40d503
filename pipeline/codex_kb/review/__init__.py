"""Proposals become decisions, and decisions claims; no input or output."""
