"""The system call `seccomp`: install a filter of system calls."""

from __future__ import annotations

import errno
import os

# Read by type checkers alone: every sandbox imports this file as it starts, and `typing` takes as long as all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_SET_MODE_FILTER: Final = 1
_FLAG_TSYNC: Final = 1
# One instruction of classic BPF.
_INSTRUCTION_BYTES: Final = 8
_MAX_INSTRUCTIONS: Final = 4096

# The call is older than the time from which numbers are the same everywhere.
_NUMBERS: Final = {"x86_64": 317, "aarch64": 277}


class Seccomp:
    """`seccomp(2)` with `SECCOMP_SET_MODE_FILTER`; a thin door without any policy.

    Raises:
        OSError: The call's number is not known for this machine (`ENOSYS`).

    Source: seccomp(2), Linux 3.17.

    >>> Seccomp().install(b"")
    Traceback (most recent call last):
    ValueError: a filter holds 1 to 4096 instructions of 8 bytes
    """

    __slots__ = ("_byref", "_get_errno", "_number", "_program_type", "_syscall")

    def __init__(self) -> None:
        import ctypes

        number = _NUMBERS.get(os.uname().machine)
        # A 32-bit program on a 64-bit kernel has other numbers.
        if number is None or ctypes.sizeof(ctypes.c_void_p) != _INSTRUCTION_BYTES:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        self._number = number
        self._syscall = ctypes.CDLL(None, use_errno=True).syscall
        self._syscall.restype = ctypes.c_long
        self._syscall.argtypes = (ctypes.c_long, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p)
        # struct sock_fprog: a length, padding, a pointer. Written as two words, whose first is little-endian here.
        self._program_type: Any = ctypes.c_uint64 * 2
        self._byref: Any = ctypes.byref
        self._get_errno = ctypes.get_errno

    def install(self, program: bytes, *, all_threads: bool = False) -> None:
        """Filter all system calls of the calling thread, and of all that it starts from now on, for good.

        Args:
            program: Classic BPF over `struct seccomp_data`, as an array of `struct sock_filter`.
            all_threads: Filter the other threads of the process as well, or none at all.

        Raises:
            ValueError: The program is empty, too long, or no whole number of instructions.
            OSError: `no_new_privs` is not set (`EACCES`), the kernel found the program invalid (`EINVAL`), or
                another thread has filters that this one has not (`ESRCH`).
        """
        instructions, rest = divmod(len(program), _INSTRUCTION_BYTES)
        if rest or not 0 < instructions <= _MAX_INSTRUCTIONS:
            raise ValueError(f"a filter holds 1 to {_MAX_INSTRUCTIONS} instructions of {_INSTRUCTION_BYTES} bytes")
        import ctypes

        code = ctypes.create_string_buffer(program, len(program))
        head = self._program_type(instructions, ctypes.addressof(code))
        flags = _FLAG_TSYNC if all_threads else 0
        result: int = self._syscall(self._number, _SET_MODE_FILTER, flags, self._byref(head))
        if result < 0:
            number = self._get_errno() or errno.EIO
            raise OSError(number, os.strerror(number))
        if result > 0:
            raise OSError(errno.ESRCH, f"thread {result} has other filters")
