"""Who runs one step over many items."""
