"""A message that is answered with a JSON-RPC error."""

from __future__ import annotations

from typing import Any

from mcp_server.errors.mcp_server_error import MCPServerError


class ProtocolError(MCPServerError):
    """A request that breaks the protocol; the connection lives on.

    Args:
        code: The JSON-RPC error code of the answer.
        message: The `error.message` of the answer.
        data: The `error.data` of the answer, a JSON value, or None for none.

    >>> ProtocolError(-32601, "no such method").code
    -32601
    """

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data
