"""The system calls of Landlock: give up rights to files, ports and other processes."""

from __future__ import annotations

import errno
import os
from sys import byteorder

# Read by type checkers alone: every sandbox imports this file as it starts, and `typing` takes as long as all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# Linux 5.13, ABI 1.
ACCESS_FS_EXECUTE: Final = 1 << 0
ACCESS_FS_WRITE_FILE: Final = 1 << 1
ACCESS_FS_READ_FILE: Final = 1 << 2
ACCESS_FS_READ_DIR: Final = 1 << 3
ACCESS_FS_REMOVE_DIR: Final = 1 << 4
ACCESS_FS_REMOVE_FILE: Final = 1 << 5
ACCESS_FS_MAKE_CHAR: Final = 1 << 6
ACCESS_FS_MAKE_DIR: Final = 1 << 7
ACCESS_FS_MAKE_REG: Final = 1 << 8
ACCESS_FS_MAKE_SOCK: Final = 1 << 9
ACCESS_FS_MAKE_FIFO: Final = 1 << 10
ACCESS_FS_MAKE_BLOCK: Final = 1 << 11
ACCESS_FS_MAKE_SYM: Final = 1 << 12
# Linux 5.19, ABI 2: rename and link across directories; below it they are always denied.
ACCESS_FS_REFER: Final = 1 << 13
# Linux 6.2, ABI 3; below it truncation cannot be denied.
ACCESS_FS_TRUNCATE: Final = 1 << 14
# Linux 6.10, ABI 5.
ACCESS_FS_IOCTL_DEV: Final = 1 << 15
# Linux 7.1, ABI 9: connect to a socket by its path.
ACCESS_FS_RESOLVE_UNIX: Final = 1 << 16

# Linux 6.7, ABI 4.
ACCESS_NET_BIND_TCP: Final = 1 << 0
ACCESS_NET_CONNECT_TCP: Final = 1 << 1
# Linux 7.2, ABI 10.
ACCESS_NET_BIND_UDP: Final = 1 << 2
ACCESS_NET_CONNECT_SEND_UDP: Final = 1 << 3

# Linux 6.12, ABI 6.
SCOPE_ABSTRACT_UNIX_SOCKET: Final = 1 << 0
SCOPE_SIGNAL: Final = 1 << 1

# Each row: the ABI, and what it brought. The first row is all 13 rights of ABI 1.
_FS_BY_ABI: Final = (
    (1, ACCESS_FS_REFER - 1),
    (2, ACCESS_FS_REFER),
    (3, ACCESS_FS_TRUNCATE),
    (5, ACCESS_FS_IOCTL_DEV),
    (9, ACCESS_FS_RESOLVE_UNIX),
)
_NET_BY_ABI: Final = (
    (4, ACCESS_NET_BIND_TCP | ACCESS_NET_CONNECT_TCP),
    (10, ACCESS_NET_BIND_UDP | ACCESS_NET_CONNECT_SEND_UDP),
)
_SCOPES_BY_ABI: Final = ((6, SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL),)

_OF_A_FILE: Final = (
    ACCESS_FS_EXECUTE
    | ACCESS_FS_WRITE_FILE
    | ACCESS_FS_READ_FILE
    | ACCESS_FS_TRUNCATE
    | ACCESS_FS_IOCTL_DEV
    | ACCESS_FS_RESOLVE_UNIX
)

# Since Linux 5.1 new calls have one number on every architecture but alpha.
_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_VERSION_FLAG: Final = 1
_RULE_PATH_BENEATH: Final = 1
_RULE_NET_PORT: Final = 2


_FS_NAMES: Final = (
    *("execute", "write_file", "read_file", "read_dir", "remove_dir", "remove_file", "make_char", "make_dir"),
    *("make_reg", "make_sock", "make_fifo", "make_block", "make_sym", "refer", "truncate", "ioctl_dev", "resolve_unix"),
)
"""In the order of their bits."""


class Landlock:
    """`landlock_create_ruleset(2)` and its two companions; a thin door without any policy.

    What a kernel knows is told by one number, the ABI: 0 where it knows nothing of Landlock, or was started without
    it. Rights of a later ABI are refused by the kernel, so who wants the most asks `fs_rights`, `net_rights` and
    `scopes` what there is.

    Attributes:
        abi: What the kernel offers, 0 where it offers nothing.

    Source: landlock(7); include/uapi/linux/landlock.h.

    >>> Landlock.fs_rights(1) == ACCESS_FS_REFER - 1
    True
    >>> Landlock.file_rights(2) == ACCESS_FS_EXECUTE | ACCESS_FS_WRITE_FILE | ACCESS_FS_READ_FILE
    True
    >>> Landlock().abi >= 0
    True
    """

    __slots__ = ("_add_rule", "_create_ruleset", "_get_errno", "_restrict_self", "abi")

    def __init__(self) -> None:
        import ctypes

        library = ctypes.CDLL(None, use_errno=True)
        number, integer, text = ctypes.c_long, ctypes.c_int, ctypes.c_char_p
        # Subscripting gives a new function each time, and so each call its own types.
        self._create_ruleset = library["syscall"]
        self._create_ruleset.argtypes = (number, text, ctypes.c_size_t, ctypes.c_uint32)
        self._add_rule = library["syscall"]
        self._add_rule.argtypes = (number, integer, integer, text, ctypes.c_uint32)
        self._restrict_self = library["syscall"]
        self._restrict_self.argtypes = (number, integer, ctypes.c_uint32)
        for function in (self._create_ruleset, self._add_rule, self._restrict_self):
            function.restype = number
        self._get_errno = ctypes.get_errno
        # Absent, disabled at boot or hidden by a filter of a container: in each case there is no Landlock for us.
        self.abi: int = max(0, self._create_ruleset(_CREATE_RULESET, None, 0, _VERSION_FLAG))

    @staticmethod
    def fs_rights(abi: int) -> int:
        """Return all rights to files that ABI `abi` knows."""
        return _known(_FS_BY_ABI, abi)

    @staticmethod
    def fs_names(rights: int) -> tuple[str, ...]:
        """Return the names of rights to files, as the kernel's own documentation has them, in lower case.

        >>> Landlock.fs_names(ACCESS_FS_READ_FILE | ACCESS_FS_EXECUTE)
        ('execute', 'read_file')
        """
        return tuple(name for bit, name in enumerate(_FS_NAMES) if rights >> bit & 1)

    @staticmethod
    def file_rights(abi: int) -> int:
        """Return those rights that a rule may give to what is no directory; the kernel refuses the others there."""
        return _known(_FS_BY_ABI, abi) & _OF_A_FILE

    @staticmethod
    def net_rights(abi: int) -> int:
        """Return all rights to ports that ABI `abi` knows."""
        return _known(_NET_BY_ABI, abi)

    @staticmethod
    def scopes(abi: int) -> int:
        """Return all scopes that ABI `abi` knows."""
        return _known(_SCOPES_BY_ABI, abi)

    def create_ruleset(self, *, handled_fs: int, handled_net: int = 0, scoped: int = 0) -> int:
        """Return the descriptor of a new ruleset, closed on exec.

        Args:
            handled_fs: The `ACCESS_FS_*` that are denied unless a rule gives them.
            handled_net: The `ACCESS_NET_*` that are denied unless a rule gives them.
            scoped: The `SCOPE_*` that are closed.

        Raises:
            OSError: The kernel has no Landlock, or knows one of the bits not.
        """
        attributes = b"".join(value.to_bytes(8, byteorder) for value in (handled_fs, handled_net, scoped))
        # An older kernel accepts a longer structure whose unknown rest is zero.
        return self._checked(self._create_ruleset(_CREATE_RULESET, attributes, len(attributes), 0))

    def add_path(self, ruleset: int, path_fd: int, access: int) -> None:
        """Give `access` to the file or directory behind an open descriptor, and to everything beneath.

        Args:
            ruleset: Descriptor of the ruleset.
            path_fd: Descriptor of the file or directory; `O_PATH` is enough.
            access: `ACCESS_FS_*` bits, all of them handled by the ruleset.

        Raises:
            OSError: The kernel refused, for instance a right of a directory for a file (`EINVAL`).
        """
        # The structure is packed: 64 bits of rights, then a 32-bit descriptor.
        rule = access.to_bytes(8, byteorder) + path_fd.to_bytes(4, byteorder, signed=True)
        self._checked(self._add_rule(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0))

    def add_port(self, ruleset: int, port: int, access: int) -> None:
        """Give `access` to a port of this machine or of any other.

        Args:
            ruleset: Descriptor of the ruleset.
            port: The port, 0 to 65535.
            access: `ACCESS_NET_*` bits, all of them handled by the ruleset.

        Raises:
            OSError: The kernel refused.
        """
        rule = access.to_bytes(8, byteorder) + port.to_bytes(8, byteorder)
        self._checked(self._add_rule(_ADD_RULE, ruleset, _RULE_NET_PORT, rule, 0))

    def restrict_self(self, ruleset: int) -> None:
        """Put the calling thread, and all that it starts from now on, under the ruleset, for good.

        Other threads are not touched, so it is done while there is only one.

        Raises:
            OSError: `no_new_privs` is not set (`EPERM`), or there are too many layers (`E2BIG`).
        """
        self._checked(self._restrict_self(_RESTRICT_SELF, ruleset, 0))

    def _checked(self, result: int) -> int:
        if result < 0:
            number = self._get_errno() or errno.EIO
            raise OSError(number, os.strerror(number))
        return result


def _known(rows: tuple[tuple[int, int], ...], abi: int) -> int:
    known = 0
    for since, rights in rows:
        if abi >= since:
            known |= rights
    return known
