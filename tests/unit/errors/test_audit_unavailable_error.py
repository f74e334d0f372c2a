from __future__ import annotations

from mcp_server.errors.audit_unavailable_error import AuditUnavailableError
from mcp_server.errors.mcp_server_error import MCPServerError


def test_it_says_what_it_was_told() -> None:
    error = AuditUnavailableError("the log is full")
    assert isinstance(error, MCPServerError)
    assert str(error) == "the log is full"
