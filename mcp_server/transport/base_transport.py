"""What every transport is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from mcp_server.transport.stop_reason import StopReason


class BaseTransport(ABC):
    """Carries bytes between clients and the protocol until told to stop."""

    @abstractmethod
    async def serve(self) -> StopReason:
        """Serve until the client leaves, a signal comes, or `stop` is called; running calls get their grace."""

    @abstractmethod
    def stop(self, reason: StopReason) -> None:
        """Begin to stop; a second call ends the grace at once. Called on the event loop."""
