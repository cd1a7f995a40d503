"""How the lines of a file end: git may write CRLF into a checkout of what it keeps with LF."""

from __future__ import annotations


def with_line_feeds(data: bytes) -> bytes:
    """A file with LF at the end of each line that ends with CRLF."""
    return data.replace(b"\r\n", b"\n")


def ended_alike(version: bytes, data: bytes) -> bytes:
    """Another state of a file with its lines ended as this one's; as it is where either mixes LF and CRLF."""
    plain = with_line_feeds(version)
    crlf = plain.replace(b"\n", b"\r\n")
    if version not in (plain, crlf):
        return version
    ours = with_line_feeds(data)
    if data == ours:
        return plain
    return crlf if data == ours.replace(b"\n", b"\r\n") else version
