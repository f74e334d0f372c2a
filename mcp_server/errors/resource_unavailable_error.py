"""Allowed, but the operating system or a backend says no."""

from __future__ import annotations

from mcp_server.errors.mcp_server_error import MCPServerError


class ResourceUnavailableError(MCPServerError):
    """The resource is permitted and cannot be had.

    Args:
        reason: A stable word: `missing`, `exists`, `not_a_directory`, `is_a_directory`, `not_empty`, `changed`,
            `not_text`, `full`, `busy` or `io`.
        message: What was wrong, in the caller's own words.

    >>> ResourceUnavailableError("missing", "'a.txt' does not exist").reason
    'missing'
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
