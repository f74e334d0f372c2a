"""What is known of a file without reading it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from mcp_server.resources.filesystem.file_kind import FileKind


@dataclass(frozen=True, slots=True)
class FileStat:
    """Kind, size and times of one inode.

    Args:
        kind: What it is.
        size: Its size in bytes.
        modified: When its content last changed, in seconds since the epoch.
        accessed: When it was last read.
        changed: When its inode last changed.
        mode: Its permission bits.
        links: How many names it has.

    >>> FileStat.of(os.stat("/")).kind
    <FileKind.DIRECTORY: 'directory'>
    """

    kind: FileKind
    size: int
    modified: float
    accessed: float
    changed: float
    mode: int
    links: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileStat:
        """Return the part of `status` that clients may see."""
        return cls(
            kind=FileKind.of(status.st_mode),
            size=status.st_size,
            modified=status.st_mtime,
            accessed=status.st_atime,
            changed=status.st_ctime,
            mode=stat.S_IMODE(status.st_mode),
            links=status.st_nlink,
        )
