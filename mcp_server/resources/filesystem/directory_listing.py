"""One page of a directory."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.resources.filesystem.directory_entry import DirectoryEntry, entry_of
from mcp_server.resources.filesystem.file_limits import FileLimits
from mcp_server.resources.filesystem.tree_walk import directory_names


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


def listing_of(
    descriptor: int, limits: FileLimits, *, offset: int = 0, max_entries: int | None = None
) -> DirectoryListing:
    """Return one page of an open directory.

    Args:
        descriptor: A readable descriptor of the directory; stays open.
        limits: How many names are looked at, and the most entries of a page.
        offset: How many names to leave out.
        max_entries: Most entries of the page; never more than `limits.max_entries`.

    Raises:
        OSError: The directory cannot be read.

    >>> import os
    >>> descriptor = os.open("/", os.O_RDONLY)
    >>> first = listing_of(descriptor, FileLimits(), max_entries=1)
    >>> len(first.entries), first.next_offset
    (1, 1)
    >>> os.close(descriptor)
    """
    most = limits.max_entries if max_entries is None else max(1, min(max_entries, limits.max_entries))
    names, is_truncated = directory_names(descriptor, max_entries=limits.max_scan_entries)
    page = names[offset : offset + most]
    entries = tuple(entry for name, kind in page if (entry := entry_of(descriptor, name, kind)) is not None)
    end = offset + len(page)
    return DirectoryListing(entries, end if end < len(names) else None, is_truncated)
