"""What a refusal looks like on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

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
from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.revisions.revision import Revision

ERROR_META: Final = "dev.mcpserver/error"
"""Where a refused tool call carries its code and details, beside the text for the model."""

_CODES: Final[tuple[tuple[type[MCPServerError], ErrorCode], ...]] = (
    (AuthenticationError, ErrorCode.UNAUTHENTICATED),
    (ConsentRequiredError, ErrorCode.CONSENT_REQUIRED),
    (PermissionDeniedError, ErrorCode.FORBIDDEN),
    (SandboxViolationError, ErrorCode.SANDBOX_REFUSED),
    (LimitExceededError, ErrorCode.LIMIT_EXCEEDED),
    (AuditUnavailableError, ErrorCode.AUDIT_UNAVAILABLE),
    (ResourceUnavailableError, ErrorCode.RESOURCE_UNAVAILABLE),
    (InvalidArgumentsError, ErrorCode.INVALID_PARAMS),
    (ToolError, ErrorCode.RESOURCE_UNAVAILABLE),
    (OperationFailedError, ErrorCode.INTERNAL_ERROR),
    (CapabilityMissingError, ErrorCode.MISSING_CLIENT_CAPABILITY),
)
"""Subclasses before their base: the first that fits is taken."""


def as_error(error: MCPServerError, revision: Revision) -> ProtocolError:
    """Return the JSON-RPC error a refusal is answered with.

    >>> from mcp_server.protocol.revisions.revision_2025_11_25 import Revision20251125
    >>> as_error(AuthenticationError("nobody"), Revision20251125()).code
    4010
    """
    if isinstance(error, ProtocolError):
        return _projected(error.code, error.message, error.data, revision)
    if isinstance(error, UnknownNameError):
        if error.kind == "resource":
            return revision.resource_not_found(error.name)
        return ProtocolError(ErrorCode.INVALID_PARAMS, error.message)
    if isinstance(error, CapabilityMissingError):
        return _projected(_code(error), error.message, _details(error), revision)
    return ProtocolError(_code(error), error.message, _details(error))


def as_tool_result(error: MCPServerError) -> Mapping[str, Any] | None:
    """Return the `isError` result a refusal of a tool is told with, or None where the protocol wants an error.

    The text is for a model: what was missing and what to do. A caller that is not authenticated, or evidence that
    cannot be written, is no affair of the model's.
    """
    if isinstance(error, (ProtocolError, UnknownNameError, AuthenticationError, AuditUnavailableError)):
        return None
    details: dict[str, Any] = {"code": _code(error), **(_details(error) or {})}
    return {
        "content": [{"type": "text", "text": error.message}],
        "isError": True,
        "_meta": {ERROR_META: details},
    }


def _code(error: MCPServerError) -> int:
    return int(next((code for kind, code in _CODES if isinstance(error, kind)), ErrorCode.INTERNAL_ERROR))


def _projected(code: int, message: str, data: Any, revision: Revision) -> ProtocolError:
    own_code, own_data = revision.project_error(code, data)
    return ProtocolError(own_code, message, own_data)


def _details(error: MCPServerError) -> Mapping[str, Any] | None:
    if isinstance(error, PermissionDeniedError) and error.missing:
        return {"missing": [{"type": str(kind), "resource": name} for kind, name in error.missing]}
    if isinstance(error, LimitExceededError):
        details: dict[str, Any] = {"limit": error.limit}
        if error.retry_after_seconds is not None:
            details["retryAfterSeconds"] = round(error.retry_after_seconds, 3)
        return details
    if isinstance(error, (SandboxViolationError, ResourceUnavailableError)):
        return {"reason": error.reason}
    if isinstance(error, OperationFailedError):
        return {"errorId": error.error_id}
    if isinstance(error, CapabilityMissingError):
        return {"requiredCapabilities": error.capabilities}
    return None
