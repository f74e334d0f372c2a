"""What a handler wants the model to read."""

from __future__ import annotations

from mcp_server.errors.mcp_server_error import MCPServerError


class ToolError(MCPServerError):
    """Raised by a handler: its text reaches the model as a result with `isError`.

    Every other exception of a handler is masked by a short text and an error id.

    >>> str(ToolError("no note of that name; list_notes shows them"))
    'no note of that name; list_notes shows them'
    """
