"""The arguments of a tool or prompt do not fit its schema."""

from __future__ import annotations

from collections.abc import Sequence

from mcp_server.errors.mcp_server_error import MCPServerError


class InvalidArgumentsError(MCPServerError):
    """Arguments were refused; each problem names the field and the rule, never the value.

    Args:
        problems: One sentence a problem.

    >>> str(InvalidArgumentsError(["'a' must be an integer", "unknown argument 'b'"]))
    "'a' must be an integer; unknown argument 'b'"
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)
