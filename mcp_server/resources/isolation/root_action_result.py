"""What became of a root action."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.resources.isolation.captured_output import CapturedOutput
from mcp_server.resources.isolation.end_reason import EndReason


@dataclass(frozen=True, slots=True)
class RootActionResult:
    """How it ended, what it wrote, and whether something of it goes on.

    Args:
        reason: Why it ended, or why it was to end.
        exit_code: Its exit code, where it ended by itself.
        signal: The number of the signal that ended it, where one did.
        stdout: What it wrote: text of a stranger, for a program tells what others told it.
        stderr: What it complained of, the same.
        wall_seconds: How long it took.
        has_ended: Whether it ended. What runs as root is not ours to kill: `RootProcess` says what can be done.
        left_running: How many processes of it were still there in the end, as far as could be seen.

    >>> RootActionResult(EndReason.EXIT, 0, None, CapturedOutput(), CapturedOutput(), 0.1).is_success
    True
    """

    reason: EndReason
    exit_code: int | None
    signal: int | None
    stdout: CapturedOutput
    stderr: CapturedOutput
    wall_seconds: float
    has_ended: bool = True
    left_running: int = 0

    @property
    def is_success(self) -> bool:
        """Whether it ended by itself with exit code 0."""
        return self.reason is EndReason.EXIT and self.exit_code == 0
