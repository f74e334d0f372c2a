"""The bounds of one client's files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KIBIBYTES: Final = 1024
MEBIBYTES: Final = 1024 * KIBIBYTES
SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class FileLimits:
    """What one operation may take; a folder's own quota stands in its `RootConfig`.

    Args:
        max_read_bytes: Most bytes one read returns. Counted as they arrive, for the size of `/proc`-like files lies.
        max_write_bytes: Largest content one write accepts.
        max_entries: Most names one page of a listing holds.
        max_scan_entries: Most names looked at in one directory before the listing calls itself truncated.
        max_walk_entries: Most entries one walk yields, and one recursive removal or move takes.
        max_depth: How deep a walk descends below its start; each level holds one descriptor.
        max_walk_seconds: How long one walk may take, in seconds.

    >>> FileLimits().max_read_bytes // MEBIBYTES
    16
    """

    max_read_bytes: int = 16 * MEBIBYTES
    max_write_bytes: int = 16 * MEBIBYTES
    max_entries: int = 1_000
    max_scan_entries: int = 250_000
    max_walk_entries: int = 50_000
    max_depth: int = 64
    max_walk_seconds: float = 20 * SECONDS
