"""A handler failed in a way that is nobody else's business."""

from __future__ import annotations

from mcp_server.errors.mcp_server_error import MCPServerError


class OperationFailedError(MCPServerError):
    """An unexpected exception of a handler, masked: the cause is in the log and the audit under the id.

    Args:
        error_id: The id under which the operator finds the cause.

    >>> str(OperationFailedError("c0ffee"))
    'the operation failed unexpectedly; the server log has the cause under error id c0ffee'
    """

    def __init__(self, error_id: str) -> None:
        super().__init__(f"the operation failed unexpectedly; the server log has the cause under error id {error_id}")
        self.error_id = error_id
