"""`logging/setLevel`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_server.protocol.jsonrpc.request_meta import check_log_level
from mcp_server.protocol.route import Route
from mcp_server.protocol.sessions.exchange import Exchange


class LoggingHandler:
    """Sets from which level on a legacy session hears log messages.

    Source: MCP 2025-11-25, server/utilities/logging.
    """

    def routes(self) -> tuple[Route, ...]:
        """Return the methods served here."""
        return (Route("logging/setLevel", answer=self.set_level),)

    def set_level(self, exchange: Exchange) -> Mapping[str, Any]:
        """Take the level."""
        level = check_log_level(exchange.params.get("level"))
        session = exchange.connection.session
        if session is not None:
            session.log_level = level
        return exchange.project({})
