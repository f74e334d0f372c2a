"""A channel that ends in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mcp_server.security.authentication.credentials import Credentials


@dataclass(frozen=True, slots=True)
class MemoryChannel:
    """Hand every message of the server to a function.

    Args:
        credentials: Whose channel it is.
        deliver: Takes each message.

    >>> seen = []
    >>> MemoryChannel(Credentials(transport="memory", profile="local"), seen.append).send(b"{}"); seen
    [b'{}']
    """

    credentials: Credentials
    deliver: Callable[[bytes], None]

    def send(self, message: bytes) -> None:
        """Hand the message on."""
        self.deliver(message)

    def hold(self) -> None:
        """Hold nothing: delivering costs no system call."""

    def release(self) -> None:
        """Have nothing to let go."""
