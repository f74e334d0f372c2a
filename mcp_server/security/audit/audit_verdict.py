"""What the verifier found."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.security.audit.verdict_state import VerdictState


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """The state of a log and, when it is not intact, the first place that shows it.

    Args:
        state: Intact, altered or truncated.
        records: How many records hold, up to that place.
        segments: How many segments were read.
        beyond_head: How many of the records stand behind the last one the head file covers; until it covers them, a
            change of the last of them leaves no trace.
        open_calls: Calls announced without an outcome so far; None unless the deep mode counted them.
        seq: The number of the first record that does not hold, as far as it can be told.
        segment: Its segment.
        line: Its line in the segment, counted from 1.
        reason: What does not hold there, in words; empty when the log is intact.

    >>> AuditVerdict(VerdictState.INTACT, records=3, segments=1).is_intact
    True
    """

    state: VerdictState
    records: int = 0
    segments: int = 0
    beyond_head: int = 0
    open_calls: int | None = None
    seq: int | None = None
    segment: int | None = None
    line: int | None = None
    reason: str = ""

    @property
    def is_intact(self) -> bool:
        """Whether everything that was looked at is as it was written."""
        return self.state is VerdictState.INTACT
