"""Kills writing commands at any moment, goes on as a user would, and compares with a run that nothing stopped."""
