"""What the log can do just now."""

from __future__ import annotations

from enum import StrEnum


class LogState(StrEnum):
    """The states of an `AuditLogger`: closed -> open -> closed, or open -> failed -> closed.

    Nothing leads from failed to open directly: after a failed write or sync the tail must be read again first.

    >>> LogState.FAILED.value
    'failed'
    """

    CLOSED = "closed"
    OPEN = "open"
    FAILED = "failed"
