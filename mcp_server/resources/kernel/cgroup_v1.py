"""A control group of version 1: the same name in the hierarchy of each controller."""

from __future__ import annotations

import os
from collections.abc import Mapping
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


class CgroupV1:
    """One group, over the controllers `memory`, `pids` and, where it is mounted, `cpu`; no policy.

    Args:
        directories: The directory of the group in the hierarchy of each controller.

    Source: cgroups(7); Documentation/admin-guide/cgroup-v1.

    >>> group = CgroupV1.find()
    >>> group is None or {"memory", "pids"} <= group.controllers
    True
    """

    __slots__ = ("_directories",)

    def __init__(self, directories: Mapping[str, str]) -> None:
        self._directories = {controller: CgroupDirectory(path) for controller, path in directories.items()}

    @classmethod
    def find(cls, *, proc: str = "/proc/self") -> Self | None:
        """Return the group that this process is in, or None where it may not make groups below it.

        Whether it may is found out by making one, which is removed again.

        Args:
            proc: The directory of the process in `/proc`.
        """
        try:
            directories = cls._places(proc)
            if not set(_NEEDED) <= directories.keys():
                return None
            group = cls(directories)
            group.make(f"probe-{os.urandom(8).hex()}").remove()
        except OSError:
            return None
        return group

    @property
    def controllers(self) -> frozenset[str]:
        """Which controllers the group is under."""
        return frozenset(self._directories)

    @property
    def path(self) -> str:
        """The directory of the group in the hierarchy of `memory`, for messages."""
        return self._directories["memory"].path

    def make(self, name: str) -> Self:
        """Make a group below this one and return it.

        Raises:
            ValueError: The name is not that of one directory.
            OSError: It exists, or may not be made; then nothing is left of it.
        """
        children = {controller: directory.child(name) for controller, directory in self._directories.items()}
        made: list[CgroupDirectory] = []
        try:
            # Two controllers may share a hierarchy, and so a directory.
            for path in dict.fromkeys(child.path for child in children.values()):
                child = CgroupDirectory(path)
                child.make()
                made.append(child)
        except OSError:
            for child in made:
                child.remove()
            raise
        return type(self)({controller: child.path for controller, child in children.items()})

    def add(self, pid: int) -> None:
        """Move a process into the group; what it starts from now on is born there.

        Raises:
            OSError: The process has ended, or may not be moved.
        """
        for directory in self._unique():
            directory.write("cgroup.procs", pid)

    def set_memory_max(self, size_bytes: int) -> None:
        """Set how much memory the group may use, without swapping where the kernel counts it; beyond, one is killed.

        Raises:
            OSError: The kernel refused.
        """
        memory = self._directories["memory"]
        names = ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]
        if not memory.has(names[1]):
            names.pop()
            if memory.has("memory.swappiness"):
                memory.write("memory.swappiness", 0)
        elif size_bytes > int(memory.read(names[1])):
            # Memory with swap is never the smaller of the two, not even between two writes.
            names.reverse()
        for name in names:
            memory.write(name, size_bytes)

    def set_pids_max(self, count: int) -> None:
        """Set how many processes and threads the group may have.

        Raises:
            OSError: The kernel refused.
        """
        self._directories["pids"].write("pids.max", count)

    def set_cpu_max(self, quota_us: int, period_us: int = 100_000) -> None:
        """Set how many microseconds of processor time the group may use in each period; nothing without `cpu`.

        Raises:
            OSError: The kernel refused.
        """
        if "cpu" in self._directories:
            self._directories["cpu"].write("cpu.cfs_period_us", period_us)
            self._directories["cpu"].write("cpu.cfs_quota_us", quota_us)

    def memory_peak_bytes(self) -> int | None:
        """Return the most memory that the group ever used, None where the kernel does not say."""
        memory = self._directories["memory"]
        name = "memory.max_usage_in_bytes"
        return int(memory.read(name)) if memory.has(name) else None

    def oom_kills(self) -> int:
        """Return how many processes were killed because the memory was used up."""
        return self._directories["memory"].read_key("memory.oom_control", "oom_kill")

    def pids(self) -> list[int]:
        """Return the processes of the group."""
        return self._directories["pids"].pids()

    def kill(self, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        """Kill everything in the group, and wait until it has ended. The group can start nothing afterwards.

        Raises:
            TimeoutError: Something is still there.
            OSError: The group does not exist.
        """
        # So that nothing can be started faster than it is killed.
        self.set_pids_max(0)
        self._directories["pids"].kill_each(timeout_seconds)

    def remove(self, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        """Remove the group; one that does not exist is removed already.

        Raises:
            TimeoutError: It still has processes, or groups below it.
            OSError: It may not be removed.
        """
        for directory in self._unique():
            directory.remove(timeout_seconds)

    def _unique(self) -> list[CgroupDirectory]:
        return list({directory.path: directory for directory in self._directories.values()}.values())

    @staticmethod
    def _places(proc: str) -> dict[str, str]:
        places = {}
        mounts = mounted_groups(proc, "cgroup")
        for controllers, path in own_groups(proc).items():
            for controller in {*_NEEDED, *_WANTED} & set(controllers.split(",")):
                for root, mount_point, options in mounts:
                    place = place_in(path, root, mount_point) if controller in options else None
                    if place is not None:
                        places[controller] = place
        return places
