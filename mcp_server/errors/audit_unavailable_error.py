"""Evidence cannot be written, so nothing is done."""

from __future__ import annotations

from mcp_server.errors.mcp_server_error import MCPServerError


class AuditUnavailableError(MCPServerError):
    """The audit log refused a record; the call it belongs to must not happen.

    >>> str(AuditUnavailableError("the audit log cannot be written"))
    'the audit log cannot be written'
    """
