"""One call while it runs."""

from __future__ import annotations

import asyncio
from typing import Any

from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.security.client_peer import ClientPeer


class RunningCall:
    """What the chain, the deadline watch and the handler's context share about one call.

    Args:
        call_id: The id under which audit and log know the call.
        peer: The other end.
        task: The task that runs the call, to be cancelled at its deadline.
        started: When it began, in seconds of the server's monotonic clock.
        deadline: When it must have ended, on the same clock.

    >>> RunningCall(call_id="c1", peer=None, task=None, started=0.0, deadline=30.0).is_cancelled
    False
    """

    # As long as nothing has happened to it; one is made for each call.
    has_ended = False
    is_cancelled = False
    is_expired = False
    isolation: str | None = None
    """The label of the weakest tier in which something was executed for the call; None when nothing was."""
    next_heartbeat = 0.0
    waiting = 0

    def __init__(
        self,
        call_id: str,
        peer: ClientPeer | None,
        task: asyncio.Task[Any] | None,
        started: float,
        deadline: float,
    ) -> None:
        self.call_id = call_id
        self.peer = peer
        self.task = task
        self.started = started
        self.deadline = deadline

    def note_isolation(self, tier: IsolationTier) -> None:
        """Remember, for result and record, in which tier something was executed; the weakest counts."""
        if self.isolation is None or tier < IsolationTier.of(self.isolation):
            self.isolation = tier.label
