"""A long-running process, as it is at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.isolation_tier import IsolationTier


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What is known of a session: what it runs, and how far that is.

    Args:
        id: Its name, which nobody can guess.
        client: Whose it is.
        program: The program's name in the operator's list.
        arguments: The program's arguments.
        running: Whether it runs.
        reason: What ended it; None while it runs, and where it could not be begun.
        exit_code: Its exit code, where it ended by itself.
        signal: The number of the signal that ended it, where one did.
        seconds: How long it has run.
        stdout_bytes: How much it has written.
        stderr_bytes: How much it has complained.
        tier: What contains it.
    """

    id: str
    client: str
    program: str
    arguments: tuple[str, ...]
    running: bool
    reason: EndReason | None
    exit_code: int | None
    signal: int | None
    seconds: float
    stdout_bytes: int
    stderr_bytes: int
    tier: IsolationTier
