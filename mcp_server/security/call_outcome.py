"""What became of a call: what its caller learns, and in which words it is on record."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from mcp_server.errors.audit_unavailable_error import AuditUnavailableError
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.input_required_signal import InputRequiredSignal
from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.operation_failed_error import OperationFailedError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.security.running_call import RunningCall

logger = logging.getLogger(__name__)

_REFUSALS: Final = (
    AuditUnavailableError,
    InvalidArgumentsError,
    LimitExceededError,
    PermissionDeniedError,
    UnknownNameError,
)
"""What is on record as denied; whatever else ends a call early is how it went."""


def judged(error: BaseException, call: RunningCall, timeout_seconds: float) -> BaseException:
    """Return what the caller learns of `error`; log what it does not.

    Args:
        error: What ended the call.
        call: The call.
        timeout_seconds: How long it might have run.
    """
    if isinstance(error, asyncio.CancelledError) and call.is_expired:
        if call.task is not None:
            call.task.uncancel()
        return LimitExceededError(
            "timeout", f"the call took longer than {timeout_seconds:g} s and was stopped; ask for less at once"
        )
    if isinstance(error, BaseExceptionGroup):
        signals = error.subgroup(InputRequiredSignal)
        if signals is not None:
            first: BaseException = signals
            while isinstance(first, BaseExceptionGroup):
                first = first.exceptions[0]
            return first
    if isinstance(error, asyncio.CancelledError):
        # Where nobody cancelled the call, something of the handler's own was cancelled, and the caller still waits.
        is_masked = not call.is_cancelled and call.task is not None and not call.task.cancelling()
    else:
        # What an author or the operator has to mend names files of the host.
        is_masked = isinstance(error, ConfigurationError)
    if not is_masked and isinstance(error, (MCPServerError, InputRequiredSignal, asyncio.CancelledError)):
        return error
    if not isinstance(error, Exception):
        # SystemExit, KeyboardInterrupt and the like of a handler end the call, not the server.
        logger.error("call %s raised %s", call.call_id, type(error).__name__)
    else:
        logger.error("call %s failed", call.call_id, exc_info=error)
    failure = OperationFailedError(call.call_id)
    failure.__cause__ = error
    return failure


def record_kind(outcome: BaseException | None, *, is_announced: bool) -> str:
    """Return the kind of the outcome's record: what was announced by an intent is done, however it went.

    >>> record_kind(LimitExceededError("calls_per_minute", "later"), is_announced=False)
    'call.denied'
    """
    if outcome is None or is_announced:
        return "call.done"
    if isinstance(outcome, SandboxViolationError):
        return "sandbox.violation"
    return "call.denied" if isinstance(outcome, _REFUSALS) else "call.done"


def failure_fields(outcome: BaseException, kind: str, duration_us: int) -> dict[str, Any]:
    """Return what the outcome's record says of a failure.

    >>> failure_fields(LimitExceededError("calls_per_minute", "later"), "call.denied", 7)
    {'dur_us': 7, 'err': 'LimitExceededError:calls_per_minute', 'decision': 'deny'}
    """
    fields: dict[str, Any] = {"dur_us": duration_us, "err": outcome_name(outcome)}
    if kind == "call.denied" or isinstance(outcome, (PermissionDeniedError, SandboxViolationError)):
        fields["decision"] = "deny"
    return fields


def outcome_name(outcome: BaseException) -> str:
    """Return the outcome in a few stable words; messages may hold what an audit must not.

    >>> outcome_name(SandboxViolationError("escape", "'../x' leaves the folder"))
    'SandboxViolationError:escape'
    """
    if isinstance(outcome, asyncio.CancelledError):
        return "cancelled"
    if isinstance(outcome, InputRequiredSignal):
        return "input_required"
    detail = getattr(outcome, "reason", None) or getattr(outcome, "limit", None)
    name = type(outcome).__name__
    if isinstance(outcome, OperationFailedError) and outcome.__cause__ is not None:
        detail = type(outcome.__cause__).__name__
    return f"{name}:{detail}" if isinstance(detail, str) else name
