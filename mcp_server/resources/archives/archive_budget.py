"""What one pass through an archive has used of its bounds."""

from __future__ import annotations

import time
from collections.abc import Callable

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.resources.archives.archive_limits import MEBIBYTES, ArchiveLimits


class ArchiveBudget:
    """Counts members and bytes, and looks at the clock between two pieces.

    Args:
        limits: The bounds.
        clock: Seconds that only grow.
        is_cancelled: Whether nobody waits for the result any more.

    >>> budget = ArchiveBudget(ArchiveLimits(max_members=1))
    >>> budget.count()
    >>> budget.count()
    Traceback (most recent call last):
    ...
    mcp_server.errors.limit_exceeded_error.LimitExceededError: it has more than 1 names
    """

    __slots__ = ("_clock", "_is_cancelled", "_members", "_produced", "_until", "limits")

    def __init__(
        self,
        limits: ArchiveLimits,
        *,
        clock: Callable[[], float] = time.monotonic,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.limits = limits
        self._clock = clock
        self._is_cancelled = is_cancelled
        self._until = clock() + limits.max_seconds
        self._members = 0
        self._produced = 0

    def tick(self) -> None:
        """Look at the clock; to be called for every piece.

        Raises:
            LimitExceededError: Time is up, or nobody waits any more.
        """
        if self._clock() > self._until:
            raise LimitExceededError("max_seconds", f"reading it takes longer than {self.limits.max_seconds:.0f} s")
        if self._is_cancelled():
            raise LimitExceededError("cancelled", "the call was taken back")

    def count(self) -> None:
        """Count one member.

        Raises:
            LimitExceededError: There are too many.
        """
        self.tick()
        self._members += 1
        if self._members > self.limits.max_members:
            raise LimitExceededError("max_members", f"it has more than {self.limits.max_members} names")

    def produce(self, size: int, *, produced: int, consumed: int) -> None:
        """Count bytes that came out.

        Args:
            size: How many came just now.
            produced: How many have come out of this stream.
            consumed: How many were read for them; of what is not compressed, as many.

        Raises:
            LimitExceededError: There are too many, in all or for what was read.
        """
        self.tick()
        limits = self.limits
        self._produced += size
        if self._produced > limits.max_total_bytes:
            raise LimitExceededError(
                "max_total_bytes", f"it holds more than {limits.max_total_bytes // MEBIBYTES} MiB in all"
            )
        if produced > limits.ratio_from_bytes and produced > limits.max_ratio * max(consumed, 1):
            raise LimitExceededError("max_ratio", f"it grows to more than {limits.max_ratio} times its size")
