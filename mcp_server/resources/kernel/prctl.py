"""The system call `prctl`: what a process may set of itself."""

from __future__ import annotations

import errno
import os

# Read by type checkers alone: every sandbox imports this file as it starts, and `typing` takes as long as all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_SET_PDEATHSIG: Final = 1
_GET_PDEATHSIG: Final = 2
_GET_DUMPABLE: Final = 3
_SET_DUMPABLE: Final = 4
_CAPBSET_READ: Final = 23
_CAPBSET_DROP: Final = 24
_SET_CHILD_SUBREAPER: Final = 36
_GET_CHILD_SUBREAPER: Final = 37
_SET_NO_NEW_PRIVS: Final = 38
_GET_NO_NEW_PRIVS: Final = 39
_CAP_AMBIENT: Final = 47
_CAP_AMBIENT_IS_SET: Final = 1
_CAP_AMBIENT_CLEAR_ALL: Final = 4


class Prctl:
    """`prctl(2)`, as far as a sandbox needs it; a thin door without any policy.

    Source: prctl(2).

    >>> Prctl().is_dumpable()
    True
    """

    __slots__ = ("_byref", "_c_int", "_get_errno", "_prctl")

    def __init__(self) -> None:
        import ctypes

        self._prctl = ctypes.CDLL(None, use_errno=True).prctl
        self._prctl.restype = ctypes.c_int
        self._prctl.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong)
        self._get_errno = ctypes.get_errno
        self._byref = ctypes.byref
        self._c_int = ctypes.c_int

    def set_no_new_privs(self) -> None:
        """Let no exec of this thread, or of what it starts, gain rights any more, for good.

        Raises:
            OSError: The kernel refused.
        """
        self._call(_SET_NO_NEW_PRIVS, 1)

    def has_no_new_privs(self) -> bool:
        """Return whether that is so."""
        return self._call(_GET_NO_NEW_PRIVS) == 1

    def set_dumpable(self, dumpable: bool) -> None:
        """Set whether the process may be traced and dumped by its own user; an exec sets it anew.

        Raises:
            OSError: The kernel refused.
        """
        self._call(_SET_DUMPABLE, int(dumpable))

    def is_dumpable(self) -> bool:
        """Return whether the process may be traced and dumped by its own user."""
        return self._call(_GET_DUMPABLE) == 1

    def set_child_subreaper(self, subreaper: bool) -> None:
        """Set whether orphaned descendants become children of this process; its children do not inherit it.

        Raises:
            OSError: The kernel refused.
        """
        self._call(_SET_CHILD_SUBREAPER, int(subreaper))

    def is_child_subreaper(self) -> bool:
        """Return whether orphaned descendants become children of this process."""
        return self._read(_GET_CHILD_SUBREAPER) != 0

    def set_parent_death_signal(self, number: int) -> None:
        """Set the signal that this process gets when the *thread* that started it ends; 0 for none.

        An exec of a set-user-id program clears it. A parent that has already ended sends nothing, so the caller
        compares `os.getppid()` afterwards.

        Raises:
            OSError: There is no such signal.
        """
        self._call(_SET_PDEATHSIG, number)

    def parent_death_signal(self) -> int:
        """Return that signal, 0 for none."""
        return self._read(_GET_PDEATHSIG)

    def drop_from_bounding_set(self, capability: int) -> None:
        """Take a capability out of the bounding set of this thread, for good.

        Raises:
            OSError: The thread lacks CAP_SETPCAP (`EPERM`), or the kernel knows no such capability (`EINVAL`).
        """
        self._call(_CAPBSET_DROP, capability)

    def is_in_bounding_set(self, capability: int) -> bool:
        """Return whether a capability is in the bounding set of this thread.

        Raises:
            OSError: The kernel knows no such capability (`EINVAL`), which is how one finds the last.
        """
        return self._call(_CAPBSET_READ, capability) == 1

    def clear_ambient(self) -> None:
        """Empty the ambient set of this thread.

        Raises:
            OSError: The kernel refused.
        """
        self._call(_CAP_AMBIENT, _CAP_AMBIENT_CLEAR_ALL)

    def is_ambient(self, capability: int) -> bool:
        """Return whether a capability is in the ambient set of this thread.

        Raises:
            OSError: The kernel knows no such capability (`EINVAL`).
        """
        return self._call(_CAP_AMBIENT, _CAP_AMBIENT_IS_SET, capability) == 1

    def _call(self, option: int, argument: int = 0, second: int = 0) -> int:
        result: int = self._prctl(option, argument, second, 0, 0)
        return self._checked(result)

    def _read(self, option: int) -> int:
        answer = self._c_int()
        self._checked(self._prctl(option, self._byref(answer), 0, 0, 0))
        return answer.value

    def _checked(self, result: int) -> int:
        if result < 0:
            number = self._get_errno() or errno.EIO
            raise OSError(number, os.strerror(number))
        return result
