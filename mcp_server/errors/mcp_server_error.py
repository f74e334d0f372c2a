"""The root of every error this library raises on purpose."""

from __future__ import annotations


class MCPServerError(Exception):
    """Something this library refuses or cannot do.

    The message is fit for a stranger: it names no path of the host, no secret and no stack. The cause is chained and
    belongs in the log. A bug is not an `MCPServerError`; it propagates and is answered as an internal error.

    Args:
        message: What was wrong and, where it can be said, what to do next.

    >>> str(MCPServerError("the policy is empty"))
    'the policy is empty'
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
