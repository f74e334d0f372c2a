"""Room on a filesystem."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final, Self

from mcp_server.security.audit.disk_level import DiskLevel

MEBIBYTES: Final = 1024 * 1024
GIBIBYTES: Final = 1024 * MEBIBYTES

# Each rung has a share and a size. The smaller of the two counts: a share alone would stop a
# desktop with 13 GB free on a 256 GB disk, a size alone would never let a small volume start.
WARN_SHARE: Final = 0.20
WARN_BYTES: Final = 1 * GIBIBYTES
REFUSE_SHARE: Final = 0.05
REFUSE_BYTES: Final = 256 * MEBIBYTES


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """What is free and what there is in all, in bytes.

    >>> DiskSpace(free_bytes=100 * MEBIBYTES, total_bytes=500 * GIBIBYTES).level.value
    'refuse'
    """

    free_bytes: int
    total_bytes: int

    @classmethod
    def of(cls, directory_fd: int) -> Self:
        """Ask the filesystem that holds an open directory; what only root may use does not count as free."""
        answer = os.fstatvfs(directory_fd)
        return cls(free_bytes=answer.f_bavail * answer.f_frsize, total_bytes=answer.f_blocks * answer.f_frsize)

    @property
    def level(self) -> DiskLevel:
        """The rung of the ladder. A filesystem that reports no size at all is taken as normal: a write will tell."""
        if self.total_bytes <= 0:
            return DiskLevel.NORMAL
        if self.free_bytes < min(REFUSE_SHARE * self.total_bytes, REFUSE_BYTES):
            return DiskLevel.REFUSE
        if self.free_bytes < min(WARN_SHARE * self.total_bytes, WARN_BYTES):
            return DiskLevel.WARN
        return DiskLevel.NORMAL
