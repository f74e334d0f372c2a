"""What became of a sandboxed run."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.resources.isolation.captured_output import CapturedOutput
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.isolation_tier import IsolationTier


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """How a run ended, what it wrote and what it used.

    Args:
        reason: Why it ended.
        exit_code: Its exit code, where it ended by itself.
        signal: The number of the signal that ended it, where one did.
        stdout: What it wrote.
        stderr: What it complained of.
        wall_seconds: How long it took.
        cpu_seconds: Processor time of all its processes, None where that is unknown because it was killed.
        peak_memory_bytes: Its largest use of memory, None where that is unknown.
        tier: What contained it.
        policy_digest: Under which policy it ran.
    """

    reason: EndReason
    exit_code: int | None
    signal: int | None
    stdout: CapturedOutput
    stderr: CapturedOutput
    wall_seconds: float
    cpu_seconds: float | None
    peak_memory_bytes: int | None
    tier: IsolationTier
    policy_digest: str

    @property
    def is_success(self) -> bool:
        """Whether it ended by itself with exit code 0."""
        return self.reason is EndReason.EXIT and self.exit_code == 0
