"""One job in one sandbox, from its submission to its last byte."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from mcp_server.resources.isolation.captured_output import CapturedOutput
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.execution_result import ExecutionResult
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.output_buffer import OutputBuffer
from mcp_server.resources.isolation.sandbox_job import SandboxJob
from mcp_server.resources.isolation.sandbox_worker import SandboxWorker


class SandboxRun(SandboxJob):
    """Feed a job, take what it writes, end it when it passes a bound, and say how it went.

    Args:
        worker: The sandbox, whose only job this is.
        request: The job.
        job: What the runner is told.
        tier: What contains it.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        *,
        worker: SandboxWorker,
        request: ExecutionRequest,
        job: Mapping[str, Any],
        tier: IsolationTier,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        limits = request.policy.limits
        super().__init__(worker=worker, request=request, job=job, wall_seconds=limits.wall_seconds, clock=clock)
        self._tier = tier
        self._buffers = {"stdout": OutputBuffer(limits.stdout_bytes), "stderr": OutputBuffer(limits.stderr_bytes)}

    async def run(self) -> ExecutionResult:
        """Return what became of it.

        Raises:
            ResourceUnavailableError: A barrier could not be put in place, so nothing was run.
        """
        started = self._clock()
        told = await self._carry_out()
        return self._result(told, self._clock() - started)

    def _result(self, told: Mapping[str, Any], wall_seconds: float) -> ExecutionResult:
        captured: dict[str, CapturedOutput] = {name: buffer.captured() for name, buffer in self._buffers.items()}
        return ExecutionResult(
            reason=self._reason(told),
            exit_code=told.get("exit"),
            signal=told.get("signal"),
            stdout=captured["stdout"],
            stderr=captured["stderr"],
            wall_seconds=wall_seconds,
            cpu_seconds=told.get("cpu"),
            peak_memory_bytes=told.get("peak") if self._worker.group is None else self._worker.group.peak_bytes,
            tier=self._tier,
            policy_digest=self._request.policy.digest,
        )

    def _take(self, name: str, piece: bytes) -> None:
        buffer = self._buffers[name]
        buffer.add(piece)
        if buffer.is_flood and self._stopped_by is None:
            self._stop(EndReason.OUTPUT)
        elif self._request.on_output is not None and self._stopped_by is None:
            self._request.on_output(name, piece)
