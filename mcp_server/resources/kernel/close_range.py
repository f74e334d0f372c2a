"""The system call `close_range`: close many descriptors at once."""

from __future__ import annotations

import contextlib
import errno
import os

# Read by type checkers alone: every sandbox imports this file as it starts, and `typing` takes as long as all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_LAST: Final = 0xFFFF_FFFF
_FLAG_CLOEXEC: Final = 4

# Since Linux 5.1 new calls have one number on every architecture but alpha.
_NUMBER: Final = 436


class CloseRange:
    """`close_range(2)` by `ctypes`; a thin door without any policy.

    Where the kernel has no such call, or a filter of a container forbids it, `/proc/self/fd` tells what is open. That
    is no substitute where another thread opens files at the same time.

    Source: close_range(2), Linux 5.9, the flag since 5.11.

    >>> descriptor = os.dup(0)
    >>> CloseRange().close(descriptor, descriptor)
    >>> os.fstat(descriptor)
    Traceback (most recent call last):
    OSError: [Errno 9] Bad file descriptor
    """

    __slots__ = ("_get_errno", "_syscall")

    def __init__(self) -> None:
        import ctypes

        self._syscall = ctypes.CDLL(None, use_errno=True).syscall
        self._syscall.restype = ctypes.c_long
        self._syscall.argtypes = (ctypes.c_long, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint)
        self._get_errno = ctypes.get_errno

    def close(self, first: int, last: int | None = None) -> None:
        """Close every open descriptor from `first` to `last`, both included; to the very last without it.

        Raises:
            ValueError: The range is empty or negative.
            OSError: The kernel refused, or has no such call and `/proc` is missing as well.
        """
        for descriptor in self._left_over(first, last, 0):
            # One of them was the descriptor that the list was read through.
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def close_on_exec(self, first: int, last: int | None = None) -> None:
        """Mark the same descriptors to be closed on exec.

        Raises:
            ValueError: The range is empty or negative.
            OSError: The kernel refused, or has no such call and `/proc` is missing as well.
        """
        for descriptor in self._left_over(first, last, _FLAG_CLOEXEC):
            try:
                os.set_inheritable(descriptor, False)
            except OSError as error:
                if error.errno != errno.EBADF:
                    raise

    def _left_over(self, first: int, last: int | None, flags: int) -> list[int]:
        """Let the kernel do it; return the descriptors that are left because it cannot."""
        if last is None:
            last = _LAST
        if not 0 <= first <= last <= _LAST:
            raise ValueError("a range begins at 0 or above and ends where it begins or above")
        if self._syscall(_NUMBER, first, last, flags) == 0:
            return []
        number = self._get_errno() or errno.EIO
        # Linux 5.9 and 5.10 know the call, but not the flag.
        if number not in (errno.ENOSYS, errno.EPERM) and (number != errno.EINVAL or not flags):
            raise OSError(number, os.strerror(number))
        return [descriptor for descriptor in map(int, os.listdir("/proc/self/fd")) if first <= descriptor <= last]
