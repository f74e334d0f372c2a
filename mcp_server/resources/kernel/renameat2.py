"""The system call `renameat2`: rename without replacing, or exchange two names."""

from __future__ import annotations

import errno
import os
from typing import Final

RENAME_NOREPLACE: Final = 0x1
RENAME_EXCHANGE: Final = 0x2


class Renameat2:
    """`renameat2(2)` by `ctypes`; a thin door without any policy.

    Source: renameat2(2), Linux 3.15; a wrapper in the GNU C library since 2.28.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     descriptor = os.open(folder, os.O_PATH)
    ...     for name in ("a", "b"):
    ...         open(os.path.join(folder, name), "x").close()
    ...     try:
    ...         Renameat2().rename(descriptor, "a", descriptor, "b", flags=RENAME_NOREPLACE)
    ...     except FileExistsError:
    ...         print("kept")
    ...     os.close(descriptor)
    kept
    """

    __slots__ = ("_get_errno", "_renameat2")

    def __init__(self) -> None:
        import ctypes

        library = ctypes.CDLL(None, use_errno=True)
        try:
            self._renameat2 = library.renameat2
        except AttributeError as error:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from error
        self._renameat2.restype = ctypes.c_int
        self._renameat2.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
        self._get_errno = ctypes.get_errno

    def rename(
        self, old_directory: int, old: str | bytes, new_directory: int, new: str | bytes, *, flags: int = 0
    ) -> None:
        """Rename `old` in `old_directory` to `new` in `new_directory`.

        Args:
            old_directory: Descriptor of the directory that holds `old`.
            old: The name there, without a NUL.
            new_directory: Descriptor of the directory that is to hold `new`.
            new: The name there, without a NUL.
            flags: `RENAME_NOREPLACE` fails where `new` exists; `RENAME_EXCHANGE` swaps the two.

        Raises:
            ValueError: A name holds a NUL.
            OSError: The kernel refused; `EINVAL` where the file system knows no such flag.
        """
        old_name, new_name = os.fsencode(old), os.fsencode(new)
        if b"\0" in old_name or b"\0" in new_name:
            raise ValueError("embedded null byte")
        while self._renameat2(old_directory, old_name, new_directory, new_name, flags) != 0:
            number = self._get_errno()
            if number != errno.EINTR:
                raise OSError(number, os.strerror(number))
