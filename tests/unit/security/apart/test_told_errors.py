"""Errors on their way from one process to another."""

from __future__ import annotations

import pytest

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.errors.tool_error import ToolError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.security.apart.handler_failure import HandlerFailure
from mcp_server.security.apart.told_errors import MAX_TRACE, told, understood


class OwnError(ToolError):
    """What an author derives from ours."""


@pytest.mark.parametrize(
    "error",
    [
        InvalidArgumentsError(["'a' is missing", "'b' too"]),
        LimitExceededError("pages", "too many"),
        PermissionDeniedError("no"),
        ResourceUnavailableError("missing", "not there"),
        SandboxViolationError("escape", "out"),
        ToolError("words"),
        UnknownNameError("resource", "x:y"),
    ],
)
def test_what_a_caller_reads_is_the_same(error: MCPServerError) -> None:
    again = understood(told(error))
    assert type(again) is type(error)
    assert (str(again), vars(again)) == (str(error), vars(error))


def test_an_error_of_the_authors_own_is_understood_as_what_it_derives_from() -> None:
    assert type(understood(told(OwnError("words")))) is ToolError


def test_a_class_of_the_same_name_is_not_taken_for_ours() -> None:
    for name in ("ToolError", "InvalidArgumentsError"):
        fake = type(name, (Exception,), {})
        assert isinstance(understood(told(fake("a secret"))), HandlerFailure)


def test_a_stack_is_bounded_and_cannot_pass_for_the_log() -> None:
    failure = understood({"kind": "X" * 500, "trace": "first\nERROR:root: forged\x1b[2J\n" + "x" * 2 * MAX_TRACE})
    assert isinstance(failure, HandlerFailure)
    assert len(failure.kind) == 100
    assert all(line.startswith("| ") for line in str(failure).splitlines()[1:])
    assert "\x1b" not in str(failure)
