"""What may be said of a call's progress."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Final

BURST: Final = 100
PER_SECOND: Final = 20.0
"""A loop that reports every step must not flood the client: a burst is let through, then twenty a second."""


class ProgressMeter:
    """Turn what a handler reports into the params of `notifications/progress`, or into nothing.

    Values only ever grow; a report that does not is dropped, and so is one too many a second, but never the last.

    Args:
        token: The token the client gave.
        clock: Monotonic seconds.

    Source: MCP, basic/utilities/progress.

    >>> meter = ProgressMeter(token="t", clock=lambda: 0.0)
    >>> meter.report(1, 2, None)
    {'progressToken': 't', 'progress': 1, 'total': 2}
    >>> meter.report(1, 2, None) is None
    True
    """

    __slots__ = ("_budget", "_clock", "_last", "_time", "_token", "_total")

    def __init__(self, *, token: str | int, clock: Callable[[], float] = time.monotonic) -> None:
        self._token = token
        self._clock = clock
        self._last: float = -math.inf
        self._total: float | None = None
        self._budget = float(BURST)
        self._time = clock()

    def report(self, progress: float, total: float | None, message: str | None) -> dict[str, Any] | None:
        """Return the params to send, or None."""
        if not math.isfinite(progress) or progress <= self._last or (total is not None and not math.isfinite(total)):
            return None
        now = self._clock()
        self._budget = min(BURST, self._budget + (now - self._time) * PER_SECOND)
        self._time = now
        if self._budget < 1.0 and not (total is not None and progress >= total):
            return None
        self._budget -= 1.0
        self._last = progress
        self._total = total
        params: dict[str, Any] = {"progressToken": self._token, "progress": progress}
        if total is not None:
            params["total"] = total
        if message is not None:
            params["message"] = message
        return params

    def heartbeat(self, elapsed_seconds: float) -> dict[str, Any] | None:
        """Return params that say only that the call lives, in the least step that still grows."""
        progress = 0.0 if math.isinf(self._last) else math.nextafter(self._last, math.inf)
        return self.report(progress, self._total, f"still running after {elapsed_seconds:.0f} s")
