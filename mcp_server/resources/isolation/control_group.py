"""The control group of one run."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

from mcp_server.resources.isolation.resource_limits import MEBIBYTES, ResourceLimits
from mcp_server.resources.kernel.cgroup_v1 import CgroupV1
from mcp_server.resources.kernel.cgroup_v2 import CgroupV2

logger = logging.getLogger(__name__)

OWN_PROCESSES: Final = 1
"""Processes of the sandbox itself: the runner. What made the sandbox stays outside, for it starts nothing more."""

OWN_BYTES: Final = 32 * MEBIBYTES
"""Memory of the runner, and of the interpreter's beginnings."""


class ControlGroup:
    """Bounds memory and processes of one run together, ends them together, and says what they used.

    Args:
        group: The group.
    """

    def __init__(self, group: CgroupV1 | CgroupV2) -> None:
        self._group = group

    def limit(self, limits: ResourceLimits) -> None:
        """Bound what it may use.

        Raises:
            OSError: The kernel refused.
        """
        self._group.set_memory_max(limits.memory_bytes + OWN_BYTES)
        self._group.set_pids_max(limits.processes + OWN_PROCESSES)

    @property
    def peak_bytes(self) -> int | None:
        """The most memory it ever used, None where the kernel does not say."""
        try:
            return self._group.memory_peak_bytes()
        except OSError:
            return None

    @property
    def oom_kills(self) -> int:
        """How many of its processes were killed because its memory was used up."""
        try:
            return self._group.oom_kills()
        except OSError:
            return 0

    def add(self, pid: int) -> None:
        """Move a process into the group; what it starts is born there. With version 1 this takes some milliseconds.

        Raises:
            OSError: It is gone, or may not be moved.
        """
        self._group.add(pid)

    async def end(self) -> None:
        """Kill what is left in it, and remove it."""
        # What is killed takes a moment to go.
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        try:
            with contextlib.suppress(ProcessLookupError):
                self._group.kill()
            self._group.remove()
        except OSError as error:
            logger.warning("the control group of a run could not be removed: %s", error.strerror)
