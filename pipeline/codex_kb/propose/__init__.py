"""Sources become proposals."""
