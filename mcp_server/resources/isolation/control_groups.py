"""A control group for each run."""

from __future__ import annotations

import os
import secrets
from typing import Final, Self

from mcp_server.resources.isolation.control_group import ControlGroup
from mcp_server.resources.kernel.cgroup_v1 import CgroupV1
from mcp_server.resources.kernel.cgroup_v2 import CgroupV2
from mcp_server.resources.process_tree import ProcessTree

LEAF: Final = "server"
"""Where the server's own processes go, for a group with limited groups below it may hold none itself."""


class ControlGroups:
    """Makes groups below the server's own, where the system lets it.

    Args:
        parent: The group below which they are made.

    >>> groups = ControlGroups.find()
    >>> groups is None or groups.version in (1, 2)
    True
    """

    def __init__(self, parent: CgroupV1 | CgroupV2) -> None:
        self._parent = parent

    @property
    def version(self) -> int:
        """Of which kind they are."""
        return 2 if isinstance(self._parent, CgroupV2) else 1

    @classmethod
    def find(cls) -> Self | None:
        """Return what makes groups here, None where the system does not let this process.

        In version 2 the server's processes move into a group of their own for it. That is done only where nobody else's
        are in theirs: a program that embeds the server may share its group with the whole session.
        """
        second = CgroupV2.find()
        if second is not None:
            own = os.getpid()
            if set(second.pids()) <= {own, *ProcessTree().descendants(own)}:
                try:
                    second.settle(LEAF)
                except OSError:
                    return None
                return cls(second)
        first = CgroupV1.find()
        return None if first is None else cls(first)

    def make(self) -> ControlGroup:
        """Return a new group, empty and without limits.

        Raises:
            OSError: It cannot be made.
        """
        return ControlGroup(self._parent.make(f"run-{secrets.token_hex(8)}"))
