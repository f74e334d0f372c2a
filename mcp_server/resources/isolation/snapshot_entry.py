"""One name of a snapshot."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Self

from mcp_server.resources.isolation.entry_kind import EntryKind


@dataclass(frozen=True, slots=True)
class SnapshotEntry:
    """What was known of an inode at one moment.

    Args:
        kind: What it is.
        inode: Its number.
        size_bytes: Its size; 0 for everything but a file.
        modified_ns: When its content last changed, in nanoseconds since the epoch; its owner may set it at will.
        changed_ns: When its inode last changed; nobody can set it, and on some file systems a write through a memory
            map leaves it as it was.
        sha256: The hash of its content, hexadecimal; None where nobody looked.

    >>> SnapshotEntry.of(os.stat("/")).kind
    <EntryKind.DIRECTORY: 'directory'>
    """

    kind: EntryKind
    inode: int
    size_bytes: int
    modified_ns: int
    changed_ns: int
    sha256: str | None = None

    @classmethod
    def of(cls, status: os.stat_result, *, sha256: str | None = None) -> Self:
        """Return the entry of the inode that `status` describes."""
        size = status.st_size if stat.S_ISREG(status.st_mode) else 0
        return cls(EntryKind.of(status), status.st_ino, size, status.st_mtime_ns, status.st_ctime_ns, sha256)

    def looks_like(self, other: SnapshotEntry) -> bool:
        """Whether everything but the content is the same; see `changed_ns` for what that is worth."""
        return (self.kind, self.inode, self.size_bytes, self.modified_ns, self.changed_ns) == (
            other.kind,
            other.inode,
            other.size_bytes,
            other.modified_ns,
            other.changed_ns,
        )
