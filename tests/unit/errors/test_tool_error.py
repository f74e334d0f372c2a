from __future__ import annotations

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.tool_error import ToolError


def test_a_handlers_words_are_kept() -> None:
    assert isinstance(ToolError("no note of that name"), MCPServerError)
    assert str(ToolError("no note of that name")) == "no note of that name"
