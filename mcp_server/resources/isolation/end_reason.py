"""Why a run ended."""

from __future__ import annotations

from enum import StrEnum


class EndReason(StrEnum):
    """What ended a sandboxed run; told apart so that a model knows what to change.

    >>> EndReason.TIMEOUT
    <EndReason.TIMEOUT: 'timeout'>
    """

    EXIT = "exit"
    """It ended by itself, with an exit code."""
    SIGNAL = "signal"
    """A signal ended it: it crashed, or one of its own processes killed it."""
    TIMEOUT = "timeout"
    """It took longer than it may."""
    CPU = "cpu"
    """It used more processor time than it may."""
    MEMORY = "memory"
    """It used more memory than it may."""
    OUTPUT = "output"
    """It wrote more than anybody reads."""
    POLICY = "policy"
    """It did what the system call filter kills for, or ended its own sandbox."""
    CANCELLED = "cancelled"
    """Whoever asked for it took that back."""
    IDLE = "idle"
    """Nobody used it for too long."""
    REVOKED = "revoked"
    """Whoever asked for it may run it no more."""
    SHUTDOWN = "shutdown"
    """The server ended."""
