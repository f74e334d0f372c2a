"""The system calls of `inotify`: being told of changes in directories."""

from __future__ import annotations

import errno
import os
import struct
from typing import Any, Final

from mcp_server.resources.kernel.inotify_event import InotifyEvent

IN_CLOSE_WRITE: Final = 0x8
IN_MOVED_FROM: Final = 0x40
IN_MOVED_TO: Final = 0x80
IN_CREATE: Final = 0x100
IN_DELETE: Final = 0x200
IN_DELETE_SELF: Final = 0x400
IN_MOVE_SELF: Final = 0x800
IN_UNMOUNT: Final = 0x2000
IN_Q_OVERFLOW: Final = 0x4000
IN_IGNORED: Final = 0x8000
IN_ONLYDIR: Final = 0x01000000

_HEADER: Final = struct.Struct("iIII")
_BUFFER_BYTES: Final = 16 * 1024


class Inotify:
    """An `inotify(7)` queue; a thin door without any policy.

    Raises:
        OSError: The account has too many queues, or the kernel has none.

    Source: inotify(7), Linux 2.6.27.

    >>> queue = Inotify()
    >>> queue.read()
    []
    >>> queue.close()
    """

    __slots__ = ("_get_errno", "_library", "fd")

    def __init__(self) -> None:
        import ctypes

        self._library: Any = ctypes.CDLL(None, use_errno=True)
        self._get_errno = ctypes.get_errno
        self._library.inotify_add_watch.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)
        self.fd = self._checked(self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def add(self, directory: int, mask: int) -> int:
        """Watch the very directory behind an open descriptor and return the number of the watch.

        One inode has one watch: adding it again returns the same number with the new mask.

        Raises:
            OSError: It is no directory, or there are too many watches.
        """
        path = b"/proc/self/fd/%d" % directory
        return self._checked(self._library.inotify_add_watch(self.fd, path, mask | IN_ONLYDIR))

    def remove(self, watch: int) -> None:
        """Stop watching; an unknown number is ignored."""
        self._library.inotify_rm_watch(self.fd, watch)

    def read(self) -> list[InotifyEvent]:
        """Return what happened, as much as one buffer holds; nothing when nothing did. Never waits."""
        try:
            data = os.read(self.fd, _BUFFER_BYTES)
        except BlockingIOError:
            return []
        events = []
        at = 0
        while at < len(data):
            watch, mask, _cookie, length = _HEADER.unpack_from(data, at)
            at += _HEADER.size
            events.append(InotifyEvent(watch, mask, os.fsdecode(data[at : at + length].rstrip(b"\0"))))
            at += length
        return events

    def close(self) -> None:
        """Close the queue; may be called twice."""
        descriptor, self.fd = self.fd, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _checked(self, result: int) -> int:
        if result < 0:
            number = self._get_errno() or errno.EIO
            raise OSError(number, os.strerror(number))
        return result
