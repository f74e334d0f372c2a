"""The system call `openat2`: open a path with rules for how it may be resolved."""

from __future__ import annotations

import errno
import os
from typing import Any, Final

RESOLVE_NO_XDEV: Final = 0x01
RESOLVE_NO_MAGICLINKS: Final = 0x02
RESOLVE_NO_SYMLINKS: Final = 0x04
RESOLVE_BENEATH: Final = 0x08

# Since Linux 5.1 new calls have one number on every architecture but alpha.
_NUMBER: Final = 437


class Openat2:
    """`openat2(2)` by `ctypes`; a thin door without any policy.

    The C library of Debian 12 has no wrapper for it, so it is called by number. `ctypes` is imported here and not
    above: it costs several milliseconds, and a server answers `initialize` before it opens its first file.

    Raises:
        OSError: The kernel or a system call filter does not offer it (`ENOSYS`).

    Source: openat2(2), Linux 5.6.

    >>> import os
    >>> root = os.open("/", os.O_PATH)
    >>> try:
    ...     os.close(Openat2().open(root, "proc", flags=os.O_PATH, resolve=RESOLVE_BENEATH))
    ... except OSError as error:
    ...     assert error.errno == errno.ENOSYS
    >>> os.close(root)
    """

    __slots__ = ("_byref", "_get_errno", "_how", "_size", "_structure", "_syscall")

    def __init__(self) -> None:
        import ctypes

        library = ctypes.CDLL(None, use_errno=True)
        self._syscall = library.syscall
        self._syscall.restype = ctypes.c_long
        self._syscall.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t)
        # struct open_how is three 64-bit words: flags, mode, resolve.
        self._structure: Any = ctypes.c_uint64 * 3
        self._size = ctypes.sizeof(self._structure)
        self._get_errno = ctypes.get_errno
        self._byref: Any = ctypes.byref
        self._how: dict[tuple[int, int, int], Any] = {}
        self._probe()

    def open(self, directory: int, path: str | bytes, *, flags: int, mode: int = 0, resolve: int = 0) -> int:
        """Open `path` relative to the open directory `directory` and return the new descriptor, closed on exec.

        Args:
            directory: Descriptor of the directory to start from.
            path: The path, without a NUL.
            flags: As for `open(2)`; `O_CLOEXEC` is added.
            mode: The mode of a created file; only with `O_CREAT`.
            resolve: `RESOLVE_*` rules.

        Raises:
            ValueError: The path holds a NUL; `ctypes` would silently cut it there.
            OSError: The kernel refused.
        """
        name = os.fsencode(path)
        if 0 in name:
            raise ValueError("embedded null byte")
        key = (flags, mode, resolve)
        how = self._how.get(key)
        if how is None:
            # A filled structure is never changed again, so threads may share it.
            how = self._how[key] = self._byref(self._structure(flags | os.O_CLOEXEC, mode, resolve))
        while True:
            result: int = self._syscall(_NUMBER, directory, name, how, self._size)
            if result >= 0:
                return result
            number = self._get_errno()
            if number != errno.EINTR:
                raise OSError(number, os.strerror(number))

    def _probe(self) -> None:
        directory = os.open(".", os.O_PATH | os.O_CLOEXEC)
        try:
            os.close(self.open(directory, ".", flags=os.O_PATH, resolve=RESOLVE_BENEATH))
        except OSError as error:
            # A filter of a container answers EPERM for calls it does not know; that is absence as well.
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from error
        finally:
            os.close(directory)
