from __future__ import annotations

import asyncio
import logging

import pytest

from mcp_server.errors.audit_unavailable_error import AuditUnavailableError
from mcp_server.errors.capability_missing_error import CapabilityMissingError
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.consent_required_error import ConsentRequiredError
from mcp_server.errors.input_required_signal import InputRequiredSignal
from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.operation_failed_error import OperationFailedError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.errors.tool_error import ToolError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.security.call_outcome import failure_fields, judged, outcome_name, record_kind
from mcp_server.security.running_call import RunningCall


def call(task: asyncio.Task[None] | None = None) -> RunningCall:
    return RunningCall(call_id="c1", peer=None, task=task, started=0.0, deadline=1.0)


@pytest.mark.parametrize(
    "error",
    [
        ToolError("no such note"),
        PermissionDeniedError("no"),
        SandboxViolationError("escape", "out"),
        ResourceUnavailableError("missing", "gone"),
        InputRequiredSignal("q0", {}),
        asyncio.CancelledError(),
    ],
)
def test_what_is_meant_for_the_caller_reaches_it(error: BaseException) -> None:
    assert judged(error, call(), 30.0) is error


@pytest.mark.parametrize(
    "error", [ValueError("a secret"), SystemExit(1), KeyboardInterrupt(), ConfigurationError("in /etc", source="/etc")]
)
def test_everything_else_is_masked_and_its_cause_kept(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    outcome = judged(error, call(), 30.0)
    assert isinstance(outcome, OperationFailedError)
    assert outcome.error_id == "c1"
    assert outcome.__cause__ is error
    assert "secret" not in str(outcome)
    assert [each.levelno for each in caplog.records] == [logging.ERROR]
    assert "c1" in caplog.text


def test_an_expired_call_is_told_of_its_limit() -> None:
    running = call()
    running.is_expired = running.is_cancelled = True
    outcome = judged(asyncio.CancelledError(), running, 2.5)
    assert isinstance(outcome, LimitExceededError)
    assert (outcome.limit, "2.5 s" in str(outcome)) == ("timeout", True)


def test_a_cancellation_that_nobody_asked_for_is_a_failure() -> None:
    async def work() -> None:
        running = call(asyncio.current_task())
        assert isinstance(judged(asyncio.CancelledError(), running, 30.0), OperationFailedError)
        running.is_cancelled = True
        assert isinstance(judged(asyncio.CancelledError(), running, 30.0), asyncio.CancelledError)

    asyncio.run(work())


def test_the_first_question_of_a_group_is_asked() -> None:
    signal = InputRequiredSignal("q1", {})
    group = BaseExceptionGroup("g", [BaseExceptionGroup("h", [signal]), ValueError()])
    assert judged(group, call(), 30.0) is signal
    assert isinstance(judged(BaseExceptionGroup("g", [SystemExit()]), call(), 30.0), OperationFailedError)


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (None, "call.done"),
        (ToolError("x"), "call.done"),
        (OperationFailedError("c1"), "call.done"),
        (ResourceUnavailableError("missing", "x"), "call.done"),
        (CapabilityMissingError({"sampling": {}}), "call.done"),
        (InputRequiredSignal("q0", {}), "call.done"),
        (asyncio.CancelledError(), "call.done"),
        (PermissionDeniedError("x"), "call.denied"),
        (ConsentRequiredError("x"), "call.denied"),
        (UnknownNameError("tool", "x"), "call.denied"),
        (InvalidArgumentsError(["x"]), "call.denied"),
        (LimitExceededError("x", "x"), "call.denied"),
        (AuditUnavailableError("x"), "call.denied"),
        (SandboxViolationError("escape", "x"), "sandbox.violation"),
    ],
)
def test_the_kind_of_an_outcome(outcome: BaseException | None, kind: str) -> None:
    assert record_kind(outcome, is_announced=False) == kind
    assert record_kind(outcome, is_announced=True) == "call.done"


def test_a_refusal_is_marked_as_one_whatever_its_record_is_called() -> None:
    assert failure_fields(PermissionDeniedError("x"), "call.done", 1)["decision"] == "deny"
    assert failure_fields(SandboxViolationError("name", "x"), "sandbox.violation", 1)["decision"] == "deny"
    assert "decision" not in failure_fields(ToolError("x"), "call.done", 1)


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        (asyncio.CancelledError(), "cancelled"),
        (InputRequiredSignal("q0", {}), "input_required"),
        (ToolError("a secret"), "ToolError"),
        (LimitExceededError("timeout", "a secret"), "LimitExceededError:timeout"),
        (ResourceUnavailableError("missing", "a secret"), "ResourceUnavailableError:missing"),
        (OperationFailedError("c1"), "OperationFailedError"),
    ],
)
def test_the_name_of_an_outcome_holds_no_message(outcome: BaseException, name: str) -> None:
    assert outcome_name(outcome) == name
