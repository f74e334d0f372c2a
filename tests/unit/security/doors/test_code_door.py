"""The door asks before anything is looked at, and nothing in a call is wider than what the operator says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.resource_limits import ResourceLimits
from mcp_server.resources.isolation.sandbox_config import SandboxConfig
from mcp_server.resources.sandbox_manager import SandboxManager
from mcp_server.security.doors.code_door import MAX_CODE_BYTES, CodeDoor
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.running_call import RunningCall

LIMITS = ResourceLimits(wall_seconds=10, stdin_bytes=100)


class Gate:
    """Remembers what was asked, and refuses when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.refuses = False

    async def require(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> None:
        self.asked.append((str(permission_type), resource))
        if self.refuses:
            raise PermissionDeniedError("no", missing=[(permission_type, resource)])


class Sandboxes(SandboxManager):
    """One that holds, without a machine behind it."""

    def __init__(self) -> None:
        super().__init__(config=SandboxConfig(limits=LIMITS, min_tier=IsolationTier.NS))
        self.holds: IsolationTier = IsolationTier.NS
        self.has_accounts = True
        self.requests: list[tuple[ExecutionRequest, tuple[int, int] | None]] = []

    @property
    def tier(self) -> IsolationTier:
        return self.holds

    @property
    def execution(self) -> Any:
        self.require_sufficient()
        return SimpleNamespace(run=self.note)

    def owner(self, client: str) -> tuple[int, int] | None:
        if not self.has_accounts:
            raise LimitExceededError("sandbox_accounts", "none left")
        return (len(client), len(client))

    async def note(self, request: ExecutionRequest, *, owner: tuple[int, int] | None) -> str:
        self.requests.append((request, owner))
        return "result"


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def sandboxes() -> Sandboxes:
    return Sandboxes()


@pytest.fixture
def call() -> RunningCall:
    return RunningCall(call_id="c", peer=None, task=None, started=0.0, deadline=1.0)


async def at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


@pytest.fixture
def door(gate: Gate, sandboxes: Sandboxes, call: RunningCall) -> CodeDoor:
    return CodeDoor(
        gate=gate,  # type: ignore[arg-type]
        sandboxes=sandboxes,
        files=None,
        client="client",
        call=call,
        run_blocking=at_once,
    )


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def test_what_is_run_is_asked_for_under_the_name_of_the_language(
    door: CodeDoor, gate: Gate, sandboxes: Sandboxes
) -> None:
    assert run(door.run_python("print(1)", arguments=["a"], stdin="é")) == "result"
    assert gate.asked == [("CODE_EXECUTION", "python")]
    ((request, owner),) = sandboxes.requests
    assert (request.code, request.program, request.arguments, request.stdin) == ("print(1)", None, ("a",), "é".encode())
    assert (request.workspace, owner) == (None, (6, 6))
    policy = request.policy
    assert (policy.may_execute, policy.may_write, dict(policy.environment)) == (False, False, {})
    assert (policy.min_tier, policy.limits) == (IsolationTier.NS, LIMITS)


@pytest.mark.parametrize("code", ["print(1)", "x" * (MAX_CODE_BYTES + 1)])
def test_without_permission_nothing_else_is_looked_at(
    code: str, door: CodeDoor, gate: Gate, sandboxes: Sandboxes
) -> None:
    gate.refuses = True
    sandboxes.holds = IsolationTier.NONE
    with pytest.raises(PermissionDeniedError):
        run(door.run_python(code, arguments=["\0"], timeout_seconds=-1, files=["a"]))
    assert sandboxes.requests == []


@pytest.mark.parametrize(
    ("given", "taken"), [(None, 10), (3, 3), (0.5, 0.5), (10, 10), (11, 10), (1e9, 10), (float("inf"), 10)]
)
def test_nobody_gets_more_time_than_the_operator_lets(
    given: float | None, taken: float, door: CodeDoor, sandboxes: Sandboxes
) -> None:
    run(door.run_python("1", timeout_seconds=given))
    assert sandboxes.requests[0][0].policy.limits == ResourceLimits(wall_seconds=taken, stdin_bytes=100)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"code": "x" * (MAX_CODE_BYTES + 1)}, "longer than"),
        ({"code": "1", "arguments": ["a\0"]}, "NUL"),
        ({"code": "1", "arguments": ["\ud800"]}, "half a character"),
        ({"code": "1", "stdin": "x" * 101}, "more input"),
        ({"code": "1", "stdin": "\ud800"}, "surrogates"),
    ],
)
def test_what_cannot_be_run_is_refused_as_an_argument(
    options: dict[str, Any], words: str, door: CodeDoor, sandboxes: Sandboxes
) -> None:
    with pytest.raises(InvalidArgumentsError, match=words):
        run(door.run_python(**options))
    assert sandboxes.requests == []


def test_without_a_sandbox_nothing_is_run_and_no_tier_is_claimed(
    door: CodeDoor, sandboxes: Sandboxes, call: RunningCall
) -> None:
    sandboxes.holds = IsolationTier.LSM
    with pytest.raises(ResourceUnavailableError, match="good enough"):
        run(door.run_python("1"))
    assert (sandboxes.requests, call.isolation) == ([], None)


def test_without_an_account_nothing_is_run(door: CodeDoor, sandboxes: Sandboxes) -> None:
    sandboxes.has_accounts = False
    with pytest.raises(LimitExceededError):
        run(door.run_python("1"))
    assert sandboxes.requests == []


def test_the_weakest_tier_of_a_call_is_the_one_that_is_remembered(
    door: CodeDoor, sandboxes: Sandboxes, call: RunningCall
) -> None:
    sandboxes.holds = IsolationTier.FULL
    run(door.run_python("1"))
    assert call.isolation == "full"
    sandboxes.holds = IsolationTier.NS
    run(door.run_python("1"))
    assert call.isolation == "ns"
    sandboxes.holds = IsolationTier.FULL
    run(door.run_python("1"))
    assert call.isolation == "ns"


def test_files_need_a_folder(door: CodeDoor, sandboxes: Sandboxes) -> None:
    with pytest.raises(ResourceUnavailableError, match="no folder"):
        run(door.run_python("1", files=["a.txt"]))
    assert sandboxes.requests == []
