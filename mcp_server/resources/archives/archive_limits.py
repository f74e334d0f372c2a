"""The bounds of one archive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KIBIBYTES: Final = 1024
MEBIBYTES: Final = 1024 * KIBIBYTES
SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much of an archive is read, and how much may come out of it.

    Args:
        max_archive_bytes: Largest archive.
        max_member_bytes: Largest file in it: what one write takes, and what is held in memory at once.
        max_total_bytes: Most bytes that come out of it, what is left out included.
        max_members: Most names in it, with the directories that they imply.
        max_depth: Most directories one below the other in a name.
        max_name_bytes: Longest name with its directories.
        max_directory_bytes: Largest directory of a zip archive, which is kept in memory; an entry takes about 100.
        max_header_bytes: Most bytes of a name or of attributes that stand before a member of a tar archive.
        max_ratio: How many times larger than what was read may be what comes out of it. Deflate cannot pass 1,032:1;
            source code packs at about 5:1, logs at 20:1 to 100:1.
        ratio_from_bytes: From how many bytes on the ratio counts: of a small file it says nothing.
        max_seconds: How long one pass through it may take, in seconds.

    >>> ArchiveLimits().max_ratio
    200
    """

    max_archive_bytes: int = 256 * MEBIBYTES
    max_member_bytes: int = 16 * MEBIBYTES
    max_total_bytes: int = 512 * MEBIBYTES
    max_members: int = 10_000
    max_depth: int = 32
    max_name_bytes: int = 1_024
    max_directory_bytes: int = 8 * MEBIBYTES
    max_header_bytes: int = 64 * KIBIBYTES
    max_ratio: int = 200
    ratio_from_bytes: int = 1 * MEBIBYTES
    max_seconds: float = 60 * SECONDS
