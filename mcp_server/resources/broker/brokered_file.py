"""A file or directory that a broker looked at and opened."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from typing import Final

from mcp_server.resources.broker.answers import error_of
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.pinned_file import PinnedFile

# Neither waiting for who holds a lease on it, nor becoming anybody's terminal.
_AGAIN: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class BrokeredFile(PinnedFile):
    """An inode, held by a descriptor through which it can be read and nothing else.

    Not by a mere handle (`O_PATH`), as in the server's own process: a confined process can make one of any file there
    is, and whoever opened that for it would open what it may not. So what a broker hands over is opened already, by the
    broker and under its restrictions, and is looked at before it is used.

    Args:
        location: Where it was found.
        fd: The descriptor; belongs to this object from now on. Below zero where it could not be opened.
        status: What `fstat` said of it.
        refused: Why it could not be opened, as a number; 0 where it was.

    >>> descriptor = os.open("/", os.O_RDONLY)
    >>> with BrokeredFile(None, descriptor, os.fstat(descriptor)) as pinned:
    ...     pinned.kind
    <FileKind.DIRECTORY: 'directory'>
    """

    __slots__ = ("_refused",)

    def __init__(self, location: FileLocation, fd: int, status: os.stat_result, *, refused: int = 0) -> None:
        super().__init__(location, fd, status)
        self._refused: Final = refused

    def reopen(self, flags: int) -> int:
        """Open the very inode for reading, with a position of its own, and return a new descriptor.

        Args:
            flags: For reading; nothing else can be had of it.

        Raises:
            OSError: It could not be opened by the broker, was closed, or is to be written.
        """
        if flags & os.O_ACCMODE != os.O_RDONLY or flags & (os.O_TRUNC | os.O_CREAT):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        with self._lock:
            self._check()
            return os.open(f"/proc/self/fd/{self.fd}", _AGAIN | flags & os.O_DIRECTORY)

    def duplicate(self) -> int:
        """Return a new descriptor of the same opening, whose position means nothing: for reading at an offset.

        Raises:
            OSError: It could not be opened by the broker, or was closed.
        """
        with self._lock:
            self._check()
            return os.dup(self.fd)

    def _check(self) -> None:
        if self._refused:
            raise error_of(self._refused)
        if self.fd < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def status_of_handed_over(descriptor: int) -> os.stat_result:
    """Return what a descriptor of a broker's stands for: a file or a directory that is open for reading.

    Raises:
        ValueError: It is anything else: a handle of what nobody opened, a pipe to wait at, something to write to.

    >>> handle = os.open("/etc", os.O_PATH)
    >>> status_of_handed_over(handle)
    Traceback (most recent call last):
    ValueError: what was handed over is not open for reading
    >>> os.close(handle)
    """
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    if flags & os.O_PATH or flags & os.O_ACCMODE != os.O_RDONLY:
        raise ValueError("what was handed over is not open for reading")
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise ValueError("what was handed over is neither a file nor a directory")
    return status
