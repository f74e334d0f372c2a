"""`initialize`, `server/discover` and `ping`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol import params as read
from mcp_server.protocol.capabilities_manager import CapabilitiesManager
from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.revisions.revision_registry import RevisionRegistry
from mcp_server.protocol.route import Route
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.protocol.sessions.session import Session

logger = logging.getLogger(__name__)


class LifecycleHandler:
    """Opens legacy sessions, and tells modern clients what there is; knows no tool.

    Source: MCP 2025-11-25, basic/lifecycle; MCP 2026-07-28, server/discover.

    Args:
        registry: The revisions served.
        capabilities: What the server offers.
    """

    def __init__(self, *, registry: RevisionRegistry, capabilities: CapabilitiesManager) -> None:
        self._registry = registry
        self._capabilities = capabilities

    def routes(self) -> tuple[Route, ...]:
        """Return the methods served here."""
        return (
            Route("initialize", answer=self.initialize),
            Route("ping", answer=self.ping),
            Route("server/discover", answer=self.discover),
        )

    def initialize(self, exchange: Exchange) -> Mapping[str, Any]:
        """Open the connection's session in the client's revision, or in our newest if that one is unknown.

        Raises:
            ProtocolError: -32600, there is a session already; -32602, a parameter is missing.
        """
        connection = exchange.connection
        if connection.session is not None:
            raise ProtocolError(ErrorCode.INVALID_REQUEST, "the session is initialized already")
        if exchange.batch is not None:
            raise ProtocolError(ErrorCode.INVALID_REQUEST, "initialize must not be part of a batch")
        version = read.text(exchange.params, "protocolVersion")
        capabilities = read.mapping(exchange.params, "capabilities")
        client_info = read.mapping(exchange.params, "clientInfo")
        revision = self._registry.negotiate(version)
        connection.session = Session(revision=revision, capabilities=capabilities, client_info=client_info)
        logger.info("client says it is %.64r, revision %s", client_info.get("name"), revision.date)
        return revision.initialize_result(
            capabilities=self._capabilities.declared,
            server_info=self._capabilities.server_info,
            instructions=self._capabilities.instructions,
        )

    def ping(self, exchange: Exchange) -> Mapping[str, Any]:
        """Answer, whatever the state of the connection."""
        return exchange.project({})

    def discover(self, exchange: Exchange) -> Mapping[str, Any]:
        """Tell what the server offers and in which revisions."""
        return self._registry.modern(exchange.revision.date).discover_result(
            supported_versions=self._registry.modern_dates,
            capabilities=self._capabilities.declared,
            server_info=self._capabilities.server_info,
            instructions=self._capabilities.instructions,
        )
