from __future__ import annotations

import pytest

from mcp_server.resources.isolation.captured_output import CapturedOutput
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.execution_result import ExecutionResult
from mcp_server.resources.isolation.isolation_tier import IsolationTier


@pytest.mark.parametrize("reason", EndReason)
@pytest.mark.parametrize("exit_code", [None, 0, 1])
def test_success_is_its_own_end_with_exit_code_zero(reason: EndReason, exit_code: int | None) -> None:
    result = ExecutionResult(
        reason=reason,
        exit_code=exit_code,
        signal=None,
        stdout=CapturedOutput(),
        stderr=CapturedOutput(),
        wall_seconds=1.0,
        cpu_seconds=None,
        peak_memory_bytes=None,
        tier=IsolationTier.NS,
        policy_digest="",
    )
    assert result.is_success is (reason is EndReason.EXIT and exit_code == 0)
