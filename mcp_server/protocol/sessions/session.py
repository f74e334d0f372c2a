"""What a legacy connection agreed on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_server.protocol.revisions.handshake_revision import HandshakeRevision


class Session:
    """The outcome of one `initialize`: revision, the client's capabilities, and what it asked for since.

    Args:
        revision: The negotiated revision.
        capabilities: What the client says it can do.
        client_info: What the client calls itself; shown, never believed.
    """

    __slots__ = ("capabilities", "client_info", "is_initialized", "log_level", "resource_uris", "revision")

    def __init__(
        self, *, revision: HandshakeRevision, capabilities: Mapping[str, Any], client_info: Mapping[str, Any]
    ) -> None:
        self.revision = revision
        self.capabilities = capabilities
        self.client_info = client_info
        self.is_initialized = False
        self.log_level = "info"
        self.resource_uris: set[str] = set()
