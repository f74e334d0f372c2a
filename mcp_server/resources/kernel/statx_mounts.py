"""Which mount an open file is on, for a process that cannot open `/proc`."""

from __future__ import annotations

import errno
import os
import sys
from typing import Any, Final

from mcp_server.resources.kernel.mount_table import MountTable

_AT_EMPTY_PATH: Final = 0x1000
_STATX_MNT_ID: Final = 0x1000
# struct statx: `stx_mask` is its first word, `stx_mnt_id` stands behind four times of 16 bytes and the device numbers.
_STRUCT_BYTES: Final = 256
_MASK_BYTES: Final = 4
_MOUNT_ID: Final = slice(0x90, 0x98)


class StatxMounts(MountTable):
    """Asks `statx(2)` for the mount id, which takes no right to open anything; a thin door without any policy.

    The type of a file system is still read from `/proc`, so it is asked for before `/proc` is out of reach.

    Raises:
        OSError: The C library has no such call (`ENOSYS`).

    Source: statx(2), `STATX_MNT_ID`, Linux 5.8; a wrapper in the GNU C library since 2.28.

    >>> descriptor = os.open("/proc", os.O_PATH)
    >>> StatxMounts().mount_id(descriptor) == MountTable().mount_id(descriptor)
    True
    >>> os.close(descriptor)
    """

    __slots__ = ("_buffer", "_get_errno", "_statx")

    def __init__(self) -> None:
        import ctypes

        library = ctypes.CDLL(None, use_errno=True)
        try:
            self._statx = library.statx
        except AttributeError as error:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from error
        self._statx.restype = ctypes.c_int
        self._statx.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint, ctypes.c_char_p)
        self._buffer: Any = ctypes.create_string_buffer
        self._get_errno = ctypes.get_errno

    def mount_id(self, descriptor: int) -> int:
        """Return the id of the mount the open file `descriptor` was reached through.

        Raises:
            OSError: The kernel refused, or cannot tell (`ENOSYS`).
        """
        answer = self._buffer(_STRUCT_BYTES)
        while self._statx(descriptor, b"", _AT_EMPTY_PATH, _STATX_MNT_ID, answer) != 0:
            number = self._get_errno()
            if number != errno.EINTR:
                raise OSError(number, os.strerror(number))
        raw: bytes = answer.raw
        if not int.from_bytes(raw[:_MASK_BYTES], sys.byteorder) & _STATX_MNT_ID:
            raise OSError(errno.ENOSYS, "the kernel tells no mount id")
        return int.from_bytes(raw[_MOUNT_ID], sys.byteorder)
