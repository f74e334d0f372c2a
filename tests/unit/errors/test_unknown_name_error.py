from __future__ import annotations

from mcp_server.errors.unknown_name_error import UnknownNameError


def test_the_name_is_quoted_so_that_it_cannot_deceive() -> None:
    error = UnknownNameError("tool", "rm\u202e\n")
    assert str(error) == "unknown tool: 'rm\\u202e\\n'"
    assert (error.kind, error.name) == ("tool", "rm\u202e\n")
