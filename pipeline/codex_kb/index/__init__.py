"""Claims become an index, and the index answers."""
