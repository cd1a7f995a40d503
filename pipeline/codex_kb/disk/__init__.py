"""Files, transactions, git: what touches a disk."""
