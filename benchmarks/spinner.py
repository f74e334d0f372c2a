"""Keeping virtual processors awake."""

from __future__ import annotations

import os
import signal
from types import TracebackType
from typing import Self


class Spinner:
    """One busy loop a core that runs only when nobody else wants to.

    A virtual core that halts between the two halves of a round trip needs 15 to 40 microseconds to wake up, so that a
    quiet machine looks *slower* than a busy one. The loops are `SCHED_IDLE` and yield at once to any normal task.
    """

    def __init__(self) -> None:
        self._pids: list[int] = []

    def __enter__(self) -> Self:
        for core in sorted(os.sched_getaffinity(0)):
            pid = os.fork()
            if pid == 0:
                self._spin(core)
            self._pids.append(pid)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pid in self._pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self._pids.clear()

    @staticmethod
    def _spin(core: int) -> None:
        try:
            os.nice(19)  # So that the kernel counts the loop as `nice`, apart from real work.
            os.sched_setaffinity(0, {core})
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
            parent = os.getppid()
            while os.getppid() == parent:
                for _ in range(1_000_000):
                    pass
        finally:
            os._exit(0)
