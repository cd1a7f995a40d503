"""Decisions become what they change: claims, evidence, the log, the packet, the source and the index, as one act."""
