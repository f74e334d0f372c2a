"""What the protocol asks of a transport."""

from __future__ import annotations

from typing import Protocol

from mcp_server.security.authentication.credentials import Credentials


class Channel(Protocol):
    """One way to one client, as a transport offers it: the protocol sends messages on it and knows no bytes beyond.

    Framing is the channel's affair, and so is what happens when the client does not read.
    """

    @property
    def credentials(self) -> Credentials:
        """The evidence of who is at the other end."""

    def send(self, message: bytes) -> None:
        """Send one encoded message, or none at all once the channel is closed; never blocks."""

    def hold(self) -> None:
        """Keep what is sent until `release`, so that it goes out together; pairs may be nested."""

    def release(self) -> None:
        """Let go what was held."""
