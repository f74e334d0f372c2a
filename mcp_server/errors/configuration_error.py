"""What an operator or a module author wrote cannot be used."""

from __future__ import annotations

from mcp_server.errors.mcp_server_error import MCPServerError


class ConfigurationError(MCPServerError):
    """A policy, a setting, a registration or a missing optional package stops the start.

    Raised before anything is served, and read by whoever runs the server, so it may name their files and lines.

    Args:
        message: What was wrong and what to write instead.
        source: The file or module it was found in.
        line: Its line, counted from 1.

    >>> str(ConfigurationError("unknown key 'alow'", source="desk.toml", line=3))
    "desk.toml:3: unknown key 'alow'"
    """

    def __init__(self, message: str, *, source: str | None = None, line: int | None = None) -> None:
        place = "" if source is None else f"{source}: " if line is None else f"{source}:{line}: "
        super().__init__(place + message)
        self.source = source
        self.line = line
