"""What a broker gives up before it looks at the first file of a client."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterable
from typing import Final

from mcp_server.resources.broker.broker_filter import BrokerFilter
from mcp_server.resources.filesystem.root import Root
from mcp_server.resources.kernel.landlock import (
    ACCESS_FS_MAKE_DIR,
    ACCESS_FS_MAKE_FIFO,
    ACCESS_FS_MAKE_REG,
    ACCESS_FS_MAKE_SOCK,
    ACCESS_FS_MAKE_SYM,
    ACCESS_FS_READ_DIR,
    ACCESS_FS_READ_FILE,
    ACCESS_FS_REFER,
    ACCESS_FS_REMOVE_DIR,
    ACCESS_FS_REMOVE_FILE,
    ACCESS_FS_TRUNCATE,
    ACCESS_FS_WRITE_FILE,
    Landlock,
)
from mcp_server.resources.kernel.prctl import Prctl
from mcp_server.resources.kernel.seccomp import Seccomp

LEAST_ABI: Final = 2
"""Without `REFER`, which came with Linux 5.19, nothing could be moved from one directory to another."""

MAX_DESCRIPTORS: Final = 4096
"""Folders and lanes, and for each lane two trees that are removed: a descriptor for each of 64 levels."""

MAX_DATA_BYTES: Final = 1 << 30
"""Eight contents of 16 MiB that are written, trees of a quarter million names that are removed, and ample room."""

_READ: Final = ACCESS_FS_READ_FILE | ACCESS_FS_READ_DIR
# Links, pipes and sockets are not made, for the filter knows no such call, but they may be moved. Devices are not.
_WRITE: Final = (
    _READ
    | ACCESS_FS_WRITE_FILE
    | ACCESS_FS_TRUNCATE
    | ACCESS_FS_MAKE_REG
    | ACCESS_FS_MAKE_DIR
    | ACCESS_FS_MAKE_SYM
    | ACCESS_FS_MAKE_FIFO
    | ACCESS_FS_MAKE_SOCK
    | ACCESS_FS_REMOVE_FILE
    | ACCESS_FS_REMOVE_DIR
    | ACCESS_FS_REFER
)


class Confinement:
    """Limits, `no_new_privs`, Landlock and a filter of system calls, for good, from the widest to the narrowest.

    Afterwards files are opened in the folders alone, in those that are only read to be read; no program is started, no
    process, no socket made, nobody signalled or traced. Of everything else on the machine it can still be asked whether
    it exists, how large and how old it is, for Landlock does not control `stat`.

    Args:
        prctl: The system call.
        landlock: The system calls.
        seccomp: The system call.

    Source: landlock(7), "Bugs"; `docs/explanation/containment.md`.

    >>> Confinement.problem(abi=0, machine="x86_64")
    'this kernel has no Landlock, or was started without it'
    """

    __slots__ = ("_landlock", "_prctl", "_seccomp")

    def __init__(
        self, *, prctl: Prctl | None = None, landlock: Landlock | None = None, seccomp: Seccomp | None = None
    ) -> None:
        self._prctl = prctl if prctl is not None else Prctl()
        self._landlock = landlock if landlock is not None else Landlock()
        self._seccomp = seccomp if seccomp is not None else Seccomp()

    @staticmethod
    def problem(*, abi: int, machine: str) -> str | None:
        """Return why no process can be confined on a machine; None where one can.

        Args:
            abi: What its kernel knows of Landlock.
            machine: As `uname -m` says it.
        """
        if machine not in ("x86_64", "aarch64"):
            return f"there is no filter of system calls for the processor {machine!r}"
        if abi < 1:
            return "this kernel has no Landlock, or was started without it"
        if abi < LEAST_ABI:
            return "this kernel's Landlock cannot let files be moved; Linux 5.19 or later is needed"
        return None

    def apply(self, roots: Iterable[Root], *, max_file_bytes: int) -> None:
        """Give everything up; in the only thread there is, for Landlock and the filter hold for those it starts.

        Args:
            roots: The client's folders, opened.
            max_file_bytes: The largest file that is ever written.

        Raises:
            OSError: The kernel refused; nothing may be opened then.
            ConfigurationError: There is no filter for this machine.
        """
        if len(os.listdir("/proc/self/task")) != 1:
            raise OSError("a process is confined while it has one thread")
        _lower(resource.RLIMIT_CORE, 0)
        _lower(resource.RLIMIT_NOFILE, MAX_DESCRIPTORS)
        _lower(resource.RLIMIT_DATA, MAX_DATA_BYTES)
        _lower(resource.RLIMIT_FSIZE, max_file_bytes)
        self._prctl.set_no_new_privs()
        abi = self._landlock.abi
        known = Landlock.fs_rights(abi)
        ruleset = self._landlock.create_ruleset(
            handled_fs=known, handled_net=Landlock.net_rights(abi), scoped=Landlock.scopes(abi)
        )
        for root in roots:
            self._landlock.add_path(ruleset, root.fd, (_WRITE if root.writable else _READ) & known)
        self._landlock.restrict_self(ruleset)
        os.close(ruleset)
        # The last: it leaves no way to add to what holds, or to look at it.
        self._seccomp.install(BrokerFilter.program(os.uname().machine))


def _lower(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    most = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (most, most))
