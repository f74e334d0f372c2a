"""Log messages for the client."""

from __future__ import annotations

from typing import Any, Final

from mcp_server.security.client_peer import ClientPeer

LEVELS: Final = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
"""From the least to the most urgent. Source: MCP, server/utilities/logging (RFC 5424 severities)."""


class LogDoor:
    """Send log messages to the client that made the call; dropped where it did not ask for their level.

    They are read by a stranger: no secret, no path of the host, no stack belongs in them.

    Args:
        peer: The other end, None when there is none to tell.
        logger: The name of the sender, the module's.

    >>> LogDoor(None, "notes").info("nobody listens")
    """

    __slots__ = ("_logger", "_peer")

    def __init__(self, peer: ClientPeer | None, logger: str) -> None:
        self._peer = peer
        self._logger = logger

    def __call__(self, level: str, data: Any) -> None:
        """Send `data`, a JSON value, at `level`.

        Raises:
            ValueError: The level is none of the protocol's eight.
        """
        if level not in LEVELS:
            raise ValueError(f"unknown level {level!r}; the levels are {', '.join(LEVELS)}")
        if self._peer is not None:
            self._peer.log(level, data, self._logger or None)

    def debug(self, data: Any) -> None:
        """Send at level `debug`."""
        self("debug", data)

    def info(self, data: Any) -> None:
        """Send at level `info`."""
        self("info", data)

    def warning(self, data: Any) -> None:
        """Send at level `warning`."""
        self("warning", data)

    def error(self, data: Any) -> None:
        """Send at level `error`."""
        self("error", data)
