"""Each refusal has its code, in the words of the revision, and details that help."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.errors.audit_unavailable_error import AuditUnavailableError
from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.errors.capability_missing_error import CapabilityMissingError
from mcp_server.errors.consent_required_error import ConsentRequiredError
from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.operation_failed_error import OperationFailedError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.errors.tool_error import ToolError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.protocol.refusals import ERROR_META, as_error, as_tool_result
from mcp_server.protocol.revisions.revision_registry import RevisionRegistry

REVISIONS = {revision.date: revision for revision in RevisionRegistry().all}
MISSING = [("FILE_READ", "a.key")]
MISSING_WIRE = {"missing": [{"type": "FILE_READ", "resource": "a.key"}]}

CASES: list[tuple[MCPServerError, int, Any]] = [
    (AuthenticationError("x"), 4010, None),
    (PermissionDeniedError("no", missing=MISSING), 4030, MISSING_WIRE),
    (PermissionDeniedError("no"), 4030, None),
    (ConsentRequiredError("ask", missing=MISSING), 4031, MISSING_WIRE),
    (SandboxViolationError("escape", "out"), 4032, {"reason": "escape"}),
    (LimitExceededError("timeout", "late"), 4290, {"limit": "timeout"}),
    (
        LimitExceededError("calls", "many", retry_after_seconds=1.23456),
        4290,
        {"limit": "calls", "retryAfterSeconds": 1.235},
    ),
    (AuditUnavailableError("broken"), 5030, None),
    (ResourceUnavailableError("missing", "gone"), 5031, {"reason": "missing"}),
    (InvalidArgumentsError(["'a' is missing"]), -32602, None),
    (OperationFailedError("c0ffee"), -32603, {"errorId": "c0ffee"}),
    (ToolError("no such note"), 5031, None),
    (UnknownNameError("tool", "rm"), -32602, None),
    (MCPServerError("something new"), -32603, None),
]


@pytest.mark.parametrize("date", sorted(REVISIONS))
@pytest.mark.parametrize(("error", "code", "data"), CASES, ids=lambda value: type(value).__name__)
def test_code_and_details(date: str, error: MCPServerError, code: int, data: Any) -> None:
    wire = as_error(error, REVISIONS[date])
    assert (wire.code, wire.data, wire.message) == (code, data, error.message)


@pytest.mark.parametrize("date", sorted(REVISIONS))
def test_unknown_resource(date: str) -> None:
    wire = as_error(UnknownNameError("resource", "note:///x"), REVISIONS[date])
    assert wire.code == (-32602 if date == "2026-07-28" else -32002)
    assert wire.data == {"uri": "note:///x"}


@pytest.mark.parametrize("date", sorted(REVISIONS))
def test_missing_capability(date: str) -> None:
    wire = as_error(CapabilityMissingError({"sampling": {"tools": {}}}), REVISIONS[date])
    assert wire.code == (-32021 if date == "2026-07-28" else -32600)
    assert wire.data == {"requiredCapabilities": {"sampling": {"tools": {}}}}


def test_codes_of_the_other_era_are_translated() -> None:
    unsupported = ProtocolError(-32022, "no", {"supported": []})
    assert as_error(unsupported, REVISIONS["2026-07-28"]).code == -32022
    assert as_error(unsupported, REVISIONS["2025-11-25"]).code == -32600
    assert as_error(ProtocolError(-32002, "no"), REVISIONS["2026-07-28"]).code == -32602


@pytest.mark.parametrize(
    "error",
    [ProtocolError(-32602, "x"), UnknownNameError("tool", "x"), AuthenticationError("x"), AuditUnavailableError("x")],
)
def test_what_is_no_affair_of_the_model(error: MCPServerError) -> None:
    assert as_tool_result(error) is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        *((error, code) for error, code, _ in CASES if as_tool_result(error) is not None),
        (CapabilityMissingError({"roots": {}}), -32021),
    ],
)
def test_result_for_the_model(error: MCPServerError, code: int) -> None:
    result = as_tool_result(error)
    assert result is not None
    assert result["isError"] is True
    assert result["content"] == [{"type": "text", "text": error.message}]
    assert result["_meta"][ERROR_META]["code"] == code


def test_reason_of_a_failed_authentication_stays_inside() -> None:
    wire = as_error(AuthenticationError("the policy names no client 'x'"), REVISIONS["2025-11-25"])
    assert wire.message == "not authenticated"
