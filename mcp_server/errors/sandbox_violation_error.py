"""A call tried to leave its sandbox."""

from __future__ import annotations

from mcp_server.errors.mcp_server_error import MCPServerError


class SandboxViolationError(MCPServerError):
    """The resource lies outside what the sandbox holds, or is of a kind it refuses.

    Args:
        reason: A stable word: `escape`, `name`, `hardlink`, `special`, `mount`, `protected`, `symlink` or `quota`.
        message: What was refused, in the caller's own words, and what would be accepted.

    >>> SandboxViolationError("escape", "'../x' leaves the folder").reason
    'escape'
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
