from __future__ import annotations

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError


def test_every_problem_is_told() -> None:
    error = InvalidArgumentsError(["'a' is missing", "unknown argument 'b'"])
    assert str(error) == "'a' is missing; unknown argument 'b'"
    assert error.problems == ("'a' is missing", "unknown argument 'b'")
