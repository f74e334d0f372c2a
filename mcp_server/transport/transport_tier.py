"""The front door of the transport tier."""

from __future__ import annotations

from mcp_server.protocol.mcp_protocol_handler import MCPProtocolHandler
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.transport.stdio_streams import StdioStreams
from mcp_server.transport.stdio_transport import StdioTransport
from mcp_server.transport.transport_config import TransportConfig


class TransportTier:
    """Builds transports from their configuration and the protocol.

    Args:
        config: Settings.
        handler: The protocol.
    """

    def __init__(self, *, config: TransportConfig, handler: MCPProtocolHandler) -> None:
        self._config = config
        self._handler = handler

    def stdio(self, *, streams: StdioStreams, client: str) -> StdioTransport:
        """Return the stdio transport for one client.

        Args:
            streams: The private pipe ends.
            client: The client's name in the policy, as the operator gave it.
        """
        credentials = Credentials(transport="stdio", profile=client, peer=streams.peer(), connection="stdio")
        return StdioTransport(streams=streams, handler=self._handler, credentials=credentials, config=self._config)
