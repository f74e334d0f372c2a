"""Nobody we know is calling."""

from __future__ import annotations

from mcp_server.errors.mcp_server_error import MCPServerError


class AuthenticationError(MCPServerError):
    """The credentials map to no client of the policy.

    The message that goes out is constant; `reason` goes into the audit only.

    Args:
        reason: Why, for the audit.

    >>> error = AuthenticationError("profile 'x' is not in the policy")
    >>> str(error), error.reason
    ('not authenticated', "profile 'x' is not in the policy")
    """

    def __init__(self, reason: str) -> None:
        super().__init__("not authenticated")
        self.reason = reason
