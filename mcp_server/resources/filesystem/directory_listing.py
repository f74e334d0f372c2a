"""One page of a directory."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.resources.filesystem.directory_entry import DirectoryEntry


@dataclass(frozen=True, slots=True)
class DirectoryListing:
    """Entries of a directory, sorted by name, from an offset on.

    Args:
        entries: This page.
        next_offset: Where the next page starts, None after the last.
        truncated: Whether the directory holds more names than are looked at.

    >>> DirectoryListing((), None).truncated
    False
    """

    entries: tuple[DirectoryEntry, ...]
    next_offset: int | None
    truncated: bool = False
