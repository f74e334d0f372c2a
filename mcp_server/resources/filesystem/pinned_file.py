"""A file or directory that was looked at and is held."""

from __future__ import annotations

import errno
import os
import threading
from types import TracebackType
from typing import Final, Self

from mcp_server.resources.filesystem.file_kind import FileKind
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.file_stat import FileStat


class PinnedFile:
    """An inode, held by an `O_PATH` descriptor: what was checked is what is used, whatever its name means later.

    Such a descriptor alone reads nothing and wakes no device. Closed by `close`, by leaving a `with` block, or when
    it is forgotten.

    Args:
        location: Where it was found.
        fd: The descriptor; belongs to this object from now on.
        status: What `fstat` said of it.

    >>> descriptor = os.open("/", os.O_PATH)
    >>> with PinnedFile(None, descriptor, os.fstat(descriptor)) as pinned:
    ...     pinned.kind
    <FileKind.DIRECTORY: 'directory'>
    """

    __slots__ = ("_lock", "fd", "location", "status")

    def __init__(self, location: FileLocation, fd: int, status: os.stat_result) -> None:
        self.location: Final = location
        self.fd = fd
        # A call that was cancelled may still have a thread here while its descriptors are closed; without the lock that
        # thread could open what took over the number.
        self._lock = threading.Lock()
        self.status: Final = status

    @property
    def kind(self) -> FileKind:
        """What it is."""
        return FileKind.of(self.status.st_mode)

    @property
    def stat(self) -> FileStat:
        """What is known of it since it was pinned."""
        return FileStat.of(self.status)

    def reopen(self, flags: int) -> int:
        """Open the very inode for use and return a new descriptor, closed on exec.

        Raises:
            OSError: The kernel refused, or `/proc` is not there.
        """
        with self._lock:
            if self.fd < 0:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            return os.open(f"/proc/self/fd/{self.fd}", flags | os.O_CLOEXEC | os.O_NOCTTY)

    def close(self) -> None:
        """Let go; may be called twice."""
        with self._lock:
            descriptor, self.fd = self.fd, -1
            if descriptor >= 0:
                os.close(descriptor)

    def __del__(self) -> None:
        if self.fd >= 0:
            self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
