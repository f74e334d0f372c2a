"""The processes that descend from one."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Final

MAX_ROUNDS: Final = 8
"""A process that forks while it is looked at may be missed in one round, not in eight with all others stopped."""


class ProcessTree:
    """Find and kill the descendants of a process, by what the kernel says of it.

    Args:
        proc: Where the process file system is mounted.

    >>> ProcessTree().descendants(os.getpid())
    []
    """

    def __init__(self, *, proc: Path = Path("/proc")) -> None:
        self._proc = proc

    def descendants(self, pid: int) -> list[int]:
        """Return the process ids of all descendants, parents before their children; empty where /proc is missing."""
        found: list[int] = []
        pending = [pid]
        while pending:
            children = self._children(pending.pop())
            found += children
            pending += children
        return found

    def kill_descendants(self, pid: int) -> int:
        """Kill all descendants and return how many there were; those that are our children are reaped."""
        killed: set[int] = set()
        for _ in range(MAX_ROUNDS):
            alive = [each for each in self.descendants(pid) if each not in killed]
            if not alive:
                break
            for each in alive:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(each, signal.SIGKILL)
                killed.add(each)
        for each in killed:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(each, os.WNOHANG)
        return len(killed)

    def _children(self, pid: int) -> list[int]:
        children: list[int] = []
        try:
            for task in (self._proc / str(pid) / "task").iterdir():
                with contextlib.suppress(OSError):
                    children += [int(each) for each in (task / "children").read_text().split()]
        except OSError:
            return children
        return children
