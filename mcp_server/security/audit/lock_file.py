"""One writer a log."""

from __future__ import annotations

import fcntl
import os
import struct
from typing import Final

from mcp_server.errors.already_locked_error import AlreadyLockedError

_NAME: Final = "lock"


class LockFile:
    """An exclusive lock on the file `lock` in the log's directory, held until `release`.

    It belongs to the open file, not to the process: closing another descriptor of the same file does not lose it, as
    the older POSIX locks do. When the process dies the kernel releases it.

    Args:
        directory_fd: Descriptor of the log's directory.
        shown_as: How the directory is named in the error.

    Raises:
        AlreadyLockedError: Another process writes this log.

    >>> import tempfile
    >>> folder = os.open(tempfile.mkdtemp(), os.O_RDONLY)
    >>> lock = LockFile(folder, shown_as="audit")
    >>> lock.release(); os.close(folder)
    """

    def __init__(self, directory_fd: int, *, shown_as: str) -> None:
        self._fd = os.open(_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600, dir_fd=directory_fd)
        try:
            _lock(self._fd)
        except BlockingIOError as error:
            os.close(self._fd)
            raise AlreadyLockedError(
                "another process is writing this audit log; end it, or give this server a state directory of its own",
                source=shown_as,
            ) from error
        except BaseException:
            os.close(self._fd)
            raise

    def release(self) -> None:
        """Let the next writer in."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _lock(fd: int) -> None:
    if hasattr(fcntl, "F_OFD_SETLK"):
        # struct flock: l_type, l_whence, l_start, l_len, l_pid; "0q" pads it to the kernel's alignment.
        whole_file = struct.pack("hhqqi0q", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        try:
            fcntl.fcntl(fd, fcntl.F_OFD_SETLK, whole_file)
        except PermissionError as error:  # EACCES is the other name POSIX allows for a lock that is taken
            raise BlockingIOError(error.errno, "locked") from error
    else:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
