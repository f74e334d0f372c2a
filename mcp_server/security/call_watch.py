"""Deadlines and heartbeats of all running calls, from one timer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from mcp_server.security.running_call import RunningCall

logger = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 0.25
"""How late a deadline may be noticed. A timer a call would cost more than the call."""

FIRST_HEARTBEAT_SECONDS: Final = 5.0
NEXT_HEARTBEAT_SECONDS: Final = 15.0
"""A client that shows progress resets its own timeout on each; typical ones give up after 60 s of silence."""


class CallWatch:
    """Cancel calls that outlive their deadline, and tell the clients of long ones that they live.

    Time spent waiting for the human or the client's model does not count: it has its own bound.

    Args:
        clock: Monotonic seconds.
        schedule: Runs a function after so many seconds; the running loop's `call_later` by default.

    >>> CallWatch().count
    0
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        schedule: Callable[[float, Callable[[], None]], object] | None = None,
    ) -> None:
        self._clock = clock
        self._schedule = schedule
        self._calls: dict[RunningCall, None] = {}
        self._is_ticking = False
        self._last_sweep = 0.0

    @property
    def count(self) -> int:
        """How many calls run now."""
        return len(self._calls)

    def add(self, call: RunningCall) -> None:
        """Watch `call` until `remove`."""
        self._calls[call] = None
        if not self._is_ticking:
            self._is_ticking = True
            self._last_sweep = call.started
            self._again()

    def remove(self, call: RunningCall) -> None:
        """Stop watching `call`."""
        self._calls.pop(call, None)

    def sweep(self) -> None:
        """Look at every running call once."""
        now = self._clock()
        elapsed = now - self._last_sweep
        self._last_sweep = now
        for call in tuple(self._calls):
            if call.waiting:
                call.deadline += elapsed
            elif now >= call.deadline and not call.is_expired:
                call.is_expired = True
                call.is_cancelled = True
                if call.task is not None:
                    call.task.cancel()
                continue
            due = call.next_heartbeat or call.started + FIRST_HEARTBEAT_SECONDS
            if now >= due and call.peer is not None and not call.is_expired:
                call.next_heartbeat = now + NEXT_HEARTBEAT_SECONDS
                try:
                    call.peer.heartbeat(now - call.started)
                except Exception:
                    # One client that cannot be told must not keep the others' deadlines from being looked at.
                    logger.exception("call %s: its client cannot be told that it lives", call.call_id)

    def _again(self) -> None:
        schedule = self._schedule or asyncio.get_running_loop().call_later
        schedule(SWEEP_SECONDS, self._tick)

    def _tick(self) -> None:
        if not self._calls:
            self._is_ticking = False
            return
        self.sweep()
        self._again()
