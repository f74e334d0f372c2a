"""The client did not say it can do what the call needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_server.errors.mcp_server_error import MCPServerError


class CapabilityMissingError(MCPServerError):
    """A handler needs the client's human, model or roots, and the client offers none.

    Args:
        capabilities: The missing part of the protocol's ClientCapabilities, such as `{"sampling": {}}`.

    Source: MCP 2026-07-28, basic, "MissingRequiredClientCapability".

    >>> str(CapabilityMissingError({"sampling": {}}))
    'this needs a client with the capability sampling'
    """

    def __init__(self, capabilities: Mapping[str, Any]) -> None:
        super().__init__(f"this needs a client with the capability {', '.join(capabilities)}")
        self.capabilities = dict(capabilities)
