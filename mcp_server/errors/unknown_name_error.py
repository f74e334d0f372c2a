"""There is no such tool, prompt or resource, as far as this caller may know."""

from __future__ import annotations

from mcp_server.errors.mcp_server_error import MCPServerError


class UnknownNameError(MCPServerError):
    """A name that leads nowhere, or that the caller may not see: the two are answered alike.

    Args:
        kind: `tool`, `prompt`, `resource` or `completion`.
        name: What was asked for.

    Source: MCP 2026-07-28, server/tools, "Error handling".

    >>> str(UnknownNameError("tool", "rm"))
    "unknown tool: 'rm'"
    """

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"unknown {kind}: {name!r}")
        self.kind = kind
        self.name = name
