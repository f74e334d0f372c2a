"""A clock that never runs backwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

# Seconds since the machine started, sleep included where the system can count it.
_BOOT_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_seconds() -> float:
    """Return the seconds since the machine started."""
    return time.clock_gettime(_BOOT_CLOCK)


class ForwardClock:
    """Tell the wall's time, and go on counting where the wall is set back.

    Whoever can set the clock back, by hand or over the network, could otherwise make an old token young again, and a
    message that was replayed an hour ago fresh. What sets it forward is adopted. The audit tells of both.

    Args:
        wall: Seconds since 1970.
        steady: Seconds that only count.

    >>> times = iter([100.0, 50.0, 60.0])
    >>> counts = iter([0.0, 1.0, 2.0])
    >>> clock = ForwardClock(wall=lambda: next(times), steady=lambda: next(counts))
    >>> clock(), clock()
    (101.0, 102.0)
    """

    def __init__(self, *, wall: Callable[[], float] = time.time, steady: Callable[[], float] = boot_seconds) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()

    def __call__(self) -> float:
        """Return seconds since 1970, never fewer than before."""
        count = self._steady()
        self._offset = max(self._offset, self._wall() - count)
        return count + self._offset
