"""A control group of version 2: one directory for all controllers."""

from __future__ import annotations

import contextlib
import os
from typing import Final, Self

from mcp_server.resources.kernel.cgroup_directory import (
    DEFAULT_TIMEOUT_SECONDS,
    CgroupDirectory,
    mounted_groups,
    own_groups,
    place_in,
)

_NEEDED: Final = ("memory", "pids")
_WANTED: Final = ("cpu",)

_ROUNDS: Final = 3
"""A process that is started while others are moved is met in the next round."""


class CgroupV2:
    """One group; a thin door without any policy.

    A group whose groups below have controllers holds no process itself. So who wants to make limited groups below its
    own, first moves into one of them: that is `settle`.

    Args:
        path: The directory of the group.

    Source: Documentation/admin-guide/cgroup-v2.rst.

    >>> group = CgroupV2.find()
    >>> group is None or {"memory", "pids"} <= group.controllers
    True
    """

    __slots__ = ("_directory",)

    def __init__(self, path: str) -> None:
        self._directory = CgroupDirectory(path)

    @classmethod
    def find(cls, *, proc: str = "/proc/self") -> Self | None:
        """Return the group that this process is in, or None where it may not make limited groups below it.

        Whether it may is found out by making one, which is removed again, and by looking whether it may say which
        controllers these have.

        Args:
            proc: The directory of the process in `/proc`.
        """
        try:
            path = own_groups(proc).get("")
            places = [place_in(path, *mount[:2]) for mount in mounted_groups(proc, "cgroup2")] if path else []
            place = next(filter(None, places), None)
            if place is None:
                return None
            group = cls(place)
            if not set(_NEEDED) <= group.controllers:
                return None
            if not all(
                os.access(os.path.join(place, f"cgroup.{name}"), os.W_OK) for name in ("procs", "subtree_control")
            ):
                return None
            group.make(f"probe-{os.urandom(8).hex()}").remove()
        except OSError:
            return None
        return group

    @property
    def controllers(self) -> frozenset[str]:
        """Which controllers the group is under, and may give to groups below it.

        Raises:
            OSError: The group does not exist.
        """
        return frozenset(self._directory.read("cgroup.controllers").split())

    @property
    def path(self) -> str:
        """The directory of the group, for messages."""
        return self._directory.path

    def settle(self, name: str) -> Self:
        """Move the processes of this group into one below it, and give the groups below it their controllers.

        All of its processes, so the group should be the caller's own.

        Returns:
            The group that they were moved into.

        Raises:
            ValueError: The name is not that of one directory.
            OSError: The group may not be made, a process may not be moved, or another one came meanwhile (`EBUSY`).
        """
        leaf = self._directory.child(name)
        with contextlib.suppress(FileExistsError):
            leaf.make()
        for _ in range(_ROUNDS):
            for pid in self._directory.pids():
                # One that has ended needs no move.
                with contextlib.suppress(ProcessLookupError):
                    leaf.write("cgroup.procs", pid)
        given = [*_NEEDED, *(each for each in _WANTED if each in self.controllers)]
        self._directory.write("cgroup.subtree_control", " ".join(f"+{each}" for each in given))
        return type(self)(leaf.path)

    def make(self, name: str) -> Self:
        """Make a group below this one and return it.

        Raises:
            ValueError: The name is not that of one directory.
            OSError: It exists, or may not be made.
        """
        child = self._directory.child(name)
        child.make()
        return type(self)(child.path)

    def add(self, pid: int) -> None:
        """Move a process into the group; what it starts from now on is born there.

        Raises:
            OSError: The process has ended, or may not be moved.
        """
        self._directory.write("cgroup.procs", pid)

    def set_memory_max(self, size_bytes: int) -> None:
        """Set how much memory the group may use, without swapping; beyond it all of the group is killed.

        Raises:
            OSError: The kernel refused, or the group has no such controller.
        """
        self._directory.write("memory.max", size_bytes)
        # Absent where the kernel was built or started without counting swap; the other since Linux 4.19.
        for name, value in (("memory.swap.max", 0), ("memory.oom.group", 1)):
            if self._directory.has(name):
                self._directory.write(name, value)

    def set_pids_max(self, count: int) -> None:
        """Set how many processes and threads the group may have.

        Raises:
            OSError: The kernel refused, or the group has no such controller.
        """
        self._directory.write("pids.max", count)

    def set_cpu_max(self, quota_us: int, period_us: int = 100_000) -> None:
        """Set how many microseconds of processor time the group may use in each period; nothing without `cpu`.

        Raises:
            OSError: The kernel refused.
        """
        if self._directory.has("cpu.max"):
            self._directory.write("cpu.max", f"{quota_us} {period_us}")

    def memory_peak_bytes(self) -> int | None:
        """Return the most memory that the group ever used, None before Linux 5.19."""
        return int(self._directory.read("memory.peak")) if self._directory.has("memory.peak") else None

    def oom_kills(self) -> int:
        """Return how many processes were killed because the memory was used up."""
        return self._directory.read_key("memory.events", "oom_kill")

    def pids(self) -> list[int]:
        """Return the processes of the group."""
        return self._directory.pids()

    def kill(self, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        """Kill everything in the group and in those below it, and wait until it has ended.

        Before Linux 5.14 they are killed one by one, without those below; then the group can start nothing afterwards.

        Raises:
            TimeoutError: Something is still there.
            OSError: The group does not exist.
        """
        if self._directory.has("cgroup.kill"):
            self._directory.write("cgroup.kill", 1)
            self._directory.wait_until_empty(timeout_seconds)
        else:
            if self._directory.has("pids.max"):
                self.set_pids_max(0)
            self._directory.kill_each(timeout_seconds)

    def remove(self, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        """Remove the group; one that does not exist is removed already.

        Raises:
            TimeoutError: It still has processes, or groups below it.
            OSError: It may not be removed.
        """
        self._directory.remove(timeout_seconds)
