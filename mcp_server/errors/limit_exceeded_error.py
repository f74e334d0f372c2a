"""A bound was reached."""

from __future__ import annotations

from mcp_server.errors.mcp_server_error import MCPServerError


class LimitExceededError(MCPServerError):
    """A call, message or file is larger, longer or more frequent than allowed.

    Args:
        limit: The limit's name, such as `timeout`, `max_message_bytes` or `calls_per_minute`.
        message: What was reached and what to do.
        retry_after_seconds: When trying again can help, in seconds.

    >>> LimitExceededError("timeout", "took longer than 30 s").limit
    'timeout'
    """

    def __init__(self, limit: str, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.limit = limit
        self.retry_after_seconds = retry_after_seconds
