"""What recovery found at the end of a log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mcp_server.security.audit.hash_chain import GENESIS


@dataclass(frozen=True, slots=True)
class LogTail:
    """Where and how a log goes on.

    Args:
        segment: The segment to append to; None for a log that does not exist yet.
        size: Where its last good line ends, in bytes.
        next_seq: The number of the next record.
        leaf: The leaf hash the next record has to name.
        day: The day (since 1970, UTC) of the segment's first record; None when it has none.
        was_closed: Whether the last record is the `log.close` of an orderly end.
        torn: What was set aside, for the `log.recover` record.
        open_calls: The intents without an outcome, oldest first.
        acknowledged: What an operator has taken note of, for the `log.recover` record.

    >>> LogTail().next_seq
    0
    """

    segment: int | None = None
    size: int = 0
    next_seq: int = 0
    leaf: bytes = GENESIS
    day: int | None = None
    was_closed: bool = True
    torn: dict[str, Any] | None = None
    open_calls: tuple[dict[str, Any], ...] = field(default=())
    acknowledged: dict[str, Any] | None = None
